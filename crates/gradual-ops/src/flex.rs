//! Operations of our own on the backend `flex`, with Burn's automatic differentiation around them.
//!
//! Each looks whether all its tensors are of this backend and in single precision, and leaves the rest to others.

pub(crate) mod activation;
pub(crate) mod attend;
pub(crate) mod likelihood;
pub(crate) mod linear;
pub(crate) mod norm;
pub(crate) mod weights;

use std::fmt::Debug;
use std::marker::PhantomData;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::{FlexTensor, Layout};
use burn::backend::{Autodiff, Flex};
use burn::tensor::{Bytes, DType, Shape, Tensor};

/// What holds a tensor that a graph of gradients knows.
type Tracked = <Autodiff<Flex> as burn::backend::BackendTypes>::FloatTensorPrimitive;

/// What an operation keeps for its backward pass.
trait Kept: Clone + Debug + Send + 'static {
    /// The gradients of its parents, in order, from those of its output, which are in order. What is not `wanted` may be left
    /// out.
    fn gradients(&self, deltas: &FlexTensor, wanted: &[bool]) -> Vec<Option<FlexTensor>>;
}

/// An operation that keeps `K`.
#[derive(Debug)]
struct Operation<K>(PhantomData<fn() -> K>);

impl<K: Kept, const N: usize> Backward<Flex, N> for Operation<K> {
    type State = K;

    fn backward(self, ops: Ops<K, N>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let deltas = in_order(&gradients.consume::<Flex>(&ops.node));
        let wanted = ops.parents.each_ref().map(Option::is_some);
        let found = ops.state.gradients(&deltas, &wanted);
        for (parent, gradient) in ops.parents.into_iter().zip(found) {
            if let (Some(parent), Some(gradient)) = (parent, gradient) {
                gradients.register::<Flex>(parent.id, gradient);
            }
        }
    }
}

/// The output of an operation on these parents, in their graph.
fn in_graph<K: Kept, const N: usize, const D: usize>(
    parents: [&Tracked; N],
    kept: K,
    output: FlexTensor,
) -> Tensor<D> {
    let operation = Operation::<K>(PhantomData);
    let prepared = operation.prepare::<NoCheckpointing>(parents.map(Tracked::node));
    Tensor::from_primitive::<Autodiff<Flex>>(match prepared.compute_bound().stateful() {
        OpsKind::Tracked(prepared) => prepared.finish(kept, output),
        OpsKind::UnTracked(prepared) => prepared.finish(output),
    })
}

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
