//! Linear layers.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::{Autodiff, Flex};
use burn::tensor::Tensor;
use faer::Accum;
use pulp::Arch;

use super::{Gradients, Tracked, in_order, is_tracked, lifted, numbers, plain, shaped, tensor};
use crate::kernels::in_parts;
use crate::kernels::linear::{ColumnSums, Rows, product};

/// Rows of a part, however many threads there are.
const ROWS: usize = 256;

/// What the backward pass needs.
#[derive(Debug, Clone)]
struct State {
    x: FlexTensor,
    weight: FlexTensor,
    /// Columns of a row of `x`, and of the output.
    widths: [usize; 2],
}

/// [`linear`](crate::linear()), where all are of this backend.
pub(crate) fn linear<const D: usize>(
    x: &Tensor<D>,
    weight: &Tensor<2>,
    bias: Option<&Tensor<1>>,
) -> Option<Tensor<D>> {
    let widths = weight.dims();
    if x.dims().contains(&0) || widths.contains(&0) {
        return None;
    }
    let mut dims = x.dims();
    dims[D - 1] = widths[1];
    let state = |x: &FlexTensor, weight: &FlexTensor| State {
        x: in_order(x),
        weight: in_order(weight),
        widths,
    };
    if is_tracked(x) || is_tracked(weight) || bias.is_some_and(is_tracked) {
        let (x, weight) = (lifted(x)?, lifted(weight)?);
        let bias = match bias {
            Some(bias) => Some(lifted(bias)?),
            None => None,
        };
        let state = state(x.primitive(), weight.primitive());
        let output = state.output(bias.as_ref().map(Tracked::primitive), dims);
        let output = match bias {
            Some(bias) => graph(WithBias, [&x, &weight, &bias], state, output),
            None => graph(WithoutBias, [&x, &weight], state, output),
        };
        return Some(Tensor::from_primitive::<Autodiff<Flex>>(output));
    }
    let bias = match bias {
        Some(bias) => Some(plain(bias)?),
        None => None,
    };
    let output = state(&plain(x)?, &plain(weight)?).output(bias.as_ref(), dims);
    Some(Tensor::from_primitive::<Flex>(output))
}

/// The output as what came out of these parents.
fn graph<B: Backward<Flex, N, State = State>, const N: usize>(
    backward: B,
    parents: [&Tracked; N],
    state: State,
    output: FlexTensor,
) -> Tracked {
    let prepared = backward.prepare::<NoCheckpointing>(parents.map(Tracked::node));
    match prepared.compute_bound().stateful() {
        OpsKind::Tracked(prepared) => prepared.finish(state, output),
        OpsKind::UnTracked(prepared) => prepared.finish(output),
    }
}

impl State {
    fn x(&self) -> Rows<'_> {
        Rows::new(numbers(&self.x), self.widths[0])
    }

    fn weight(&self) -> Rows<'_> {
        Rows::new(numbers(&self.weight), self.widths[1])
    }

    fn rows(&self) -> usize {
        numbers(&self.x).len() / self.widths[0]
    }

    fn output<const D: usize>(&self, bias: Option<&FlexTensor>, dims: [usize; D]) -> FlexTensor {
        let (x, weight) = (self.x(), self.weight().matrix());
        let (rows, width) = (self.rows(), self.widths[1]);
        let bias = bias.map(in_order);
        let (mut output, how) = match bias.as_ref().map(numbers) {
            Some(bias) => {
                let mut output = Vec::with_capacity(rows * width);
                (0..rows).for_each(|_| output.extend_from_slice(bias));
                (output, Accum::Add)
            }
            None => (vec![0.0; rows * width], Accum::Replace),
        };
        let mut nothing = vec![0.0; rows.div_ceil(ROWS)];
        let each = (output.as_mut_slice(), ROWS * width);
        in_parts(each, (&mut nothing, 1), |(): &mut (), at, to, _| {
            let first = at * ROWS;
            let x = x.part(first..first + to.len() / width).matrix();
            product(to, how, x, weight);
        });
        tensor(output, dims)
    }

    /// Gradients of x, of the weight and of the bias, of those that are `wanted`, from those of the output.
    fn gradients(&self, deltas: &FlexTensor, wanted: [bool; 3]) -> [Option<FlexTensor>; 3] {
        let [d, e] = self.widths;
        let numbers = numbers(deltas);
        let deltas = Rows::new(numbers, e);
        let of_x = || {
            let weight = self.weight().matrix().transpose();
            let mut into = vec![0.0; self.rows() * d];
            let mut nothing = vec![0.0; self.rows().div_ceil(ROWS)];
            let each = (into.as_mut_slice(), ROWS * d);
            in_parts(each, (&mut nothing, 1), |(): &mut (), at, to, _| {
                let first = at * ROWS;
                let deltas = deltas.part(first..first + to.len() / d).matrix();
                product(to, Accum::Replace, deltas, weight);
            });
            shaped(into, &self.x)
        };
        let of_weight = || {
            let mut into = vec![0.0; d * e];
            let mut nothing = vec![0.0; d.div_ceil(ROWS)];
            let x = self.x().matrix();
            let each = (into.as_mut_slice(), ROWS * e);
            in_parts(each, (&mut nothing, 1), |(): &mut (), at, to, _| {
                let x = x.subcols(at * ROWS, to.len() / e).transpose();
                product(to, Accum::Replace, x, deltas.matrix());
            });
            tensor(into, [d, e])
        };
        let of_bias = || {
            let mut sums = vec![0.0; e];
            Arch::new().dispatch(ColumnSums {
                rows: numbers,
                sums: &mut sums,
            });
            tensor(sums, [e])
        };
        let [x, weight, bias] = wanted;
        [x.then(of_x), weight.then(of_weight), bias.then(of_bias)]
    }
}

/// With a bias.
#[derive(Debug)]
struct WithBias;

/// Without.
#[derive(Debug)]
struct WithoutBias;

macro_rules! backward {
    ($name:ident, $parents:literal) => {
        impl Backward<Flex, $parents> for $name {
            type State = State;

            fn backward(
                self,
                ops: Ops<State, $parents>,
                gradients: &mut Gradients,
                _: &mut Checkpointer,
            ) {
                let deltas = in_order(&gradients.consume::<Flex>(&ops.node));
                let wanted = [0, 1, 2].map(|at| matches!(ops.parents.get(at), Some(Some(_))));
                let found = ops.state.gradients(&deltas, wanted);
                for (parent, gradient) in ops.parents.into_iter().zip(found) {
                    if let (Some(parent), Some(gradient)) = (parent, gradient) {
                        gradients.register::<Flex>(parent.id, gradient);
                    }
                }
            }
        }
    };
}

backward!(WithBias, 3);
backward!(WithoutBias, 2);
