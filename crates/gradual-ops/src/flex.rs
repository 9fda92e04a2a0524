//! Operations of our own on the backend `flex`, with Burn's automatic differentiation around them.
//!
//! Each looks whether all its tensors are of this backend and in single precision, and leaves the rest to others.

pub(crate) mod attend;
pub(crate) mod likelihood;
pub(crate) mod linear;
pub(crate) mod norm;
pub(crate) mod weights;

use burn::backend::autodiff::grads::Gradients;
use burn::backend::flex::{FlexTensor, Layout};
use burn::backend::{Autodiff, Flex};
use burn::tensor::{Bytes, DType, Shape, Tensor};

/// What holds a tensor that a graph of gradients knows.
type Tracked = <Autodiff<Flex> as burn::backend::BackendTypes>::FloatTensorPrimitive;

/// The tensor as part of a graph.
fn tracked<const D: usize>(tensor: &Tensor<D>) -> Option<Tracked> {
    let tracked = tensor.clone().try_into_primitive::<Autodiff<Flex>>().ok()?;
    (tracked.primitive().dtype() == DType::F32).then_some(tracked)
}

/// The tensor outside of any graph.
fn plain<const D: usize>(tensor: &Tensor<D>) -> Option<FlexTensor> {
    let plain = tensor.clone().try_into_primitive::<Flex>().ok()?;
    (plain.dtype() == DType::F32).then_some(plain)
}

fn is_tracked<const D: usize>(tensor: &Tensor<D>) -> bool {
    tracked(tensor).is_some()
}

/// The tensor as part of a graph, of which it is a constant where it was outside.
fn lifted<const D: usize>(tensor: &Tensor<D>) -> Option<Tracked> {
    tracked(tensor).or_else(|| Some(Tracked::new(plain(tensor)?)))
}

/// One row after the other, from the first number on.
fn in_order(tensor: &FlexTensor) -> FlexTensor {
    match tensor.is_contiguous() && tensor.layout().start_offset() == 0 {
        true => tensor.clone(),
        false => tensor.to_contiguous(),
    }
}

/// The numbers of a tensor that is [`in_order`].
fn numbers(tensor: &FlexTensor) -> &[f32] {
    &tensor.storage::<f32>()[..tensor.layout().num_elements()]
}

fn tensor<const D: usize>(numbers: Vec<f32>, dims: [usize; D]) -> FlexTensor {
    let layout = Layout::contiguous(Shape::from(dims));
    FlexTensor::new(Bytes::from_elems(numbers), layout, DType::F32)
}

/// Numbers in the shape of `like`, which is in order.
fn shaped(numbers: Vec<f32>, like: &FlexTensor) -> FlexTensor {
    let all = numbers.len();
    tensor(numbers, [all]).with_layout(like.layout().clone())
}
