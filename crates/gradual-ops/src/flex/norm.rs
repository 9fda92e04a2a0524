//! Layer norm.

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::{Autodiff, Flex};
use burn::tensor::Tensor;
use pulp::Arch;

use super::{Gradients, Tracked, in_order, is_tracked, lifted, numbers, plain, shaped, tensor};
use crate::kernels::in_parts;
use crate::kernels::norm;

/// Rows whose sums are added one after the other, however many threads there are.
const ROWS: usize = 256;

/// What the backward pass needs.
#[derive(Debug, Clone)]
struct State {
    x: FlexTensor,
    gamma: FlexTensor,
    beta: Option<FlexTensor>,
    epsilon: f32,
}

/// [`layer_norm`](crate::layer_norm()), where all are of this backend.
pub(crate) fn layer_norm<const D: usize>(
    x: &Tensor<D>,
    gamma: &Tensor<1>,
    beta: Option<&Tensor<1>>,
    epsilon: f64,
) -> Option<Tensor<D>> {
    if x.dims().contains(&0) {
        return None;
    }
    let epsilon = epsilon as f32;
    if is_tracked(x) || is_tracked(gamma) || beta.is_some_and(is_tracked) {
        let (x, gamma) = (lifted(x)?, lifted(gamma)?);
        let beta = match beta {
            Some(beta) => Some(lifted(beta)?),
            None => None,
        };
        let state = State {
            x: in_order(x.primitive()),
            gamma: in_order(gamma.primitive()),
            beta: beta.as_ref().map(|beta| in_order(beta.primitive())),
            epsilon,
        };
        let output = state.normalised();
        let output = match beta {
            Some(beta) => graph(Moved, [&x, &gamma, &beta], state, output),
            None => graph(Scaled, [&x, &gamma], state, output),
        };
        return Some(Tensor::from_primitive::<Autodiff<Flex>>(output));
    }
    let state = State {
        x: in_order(&plain(x)?),
        gamma: in_order(&plain(gamma)?),
        beta: match beta {
            Some(beta) => Some(in_order(&plain(beta)?)),
            None => None,
        },
        epsilon,
    };
    Some(Tensor::from_primitive::<Flex>(state.normalised()))
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
    fn normalised(&self) -> FlexTensor {
        let (x, gamma) = (numbers(&self.x), numbers(&self.gamma));
        let beta = self.beta.as_ref().map(numbers);
        let each = ROWS * gamma.len();
        let mut output = vec![0.0; x.len()];
        let mut nothing = vec![0.0; x.len().div_ceil(each)];
        in_parts(
            (&mut output, each),
            (&mut nothing, 1),
            |(): &mut (), at, to, _| {
                let x = &x[at * each..][..to.len()];
                Arch::new().dispatch(norm::Forward {
                    x,
                    gamma,
                    beta,
                    epsilon: self.epsilon,
                    to,
                });
            },
        );
        shaped(output, &self.x)
    }

    /// Gradients of the rows, the scales and the shifts from those of the output.
    fn gradients(&self, deltas: &FlexTensor) -> [FlexTensor; 3] {
        let (x, gamma, deltas) = (numbers(&self.x), numbers(&self.gamma), numbers(deltas));
        let width = gamma.len();
        let each = ROWS * width;
        let mut into_rows = vec![0.0; x.len()];
        let mut sums = vec![0.0; x.len().div_ceil(each) * 2 * width];
        in_parts(
            (&mut into_rows, each),
            (&mut sums, 2 * width),
            |(): &mut (), at, to, sums| {
                let part = at * each..at * each + to.len();
                let (x, deltas) = (&x[part.clone()], &deltas[part]);
                Arch::new().dispatch(norm::Backward {
                    x,
                    gamma,
                    deltas,
                    epsilon: self.epsilon,
                    to,
                    sums,
                });
            },
        );
        let mut total = vec![0.0; 2 * width];
        for sums in sums.chunks_exact(2 * width) {
            for (total, sum) in total.iter_mut().zip(sums) {
                *total += sum;
            }
        }
        let of_beta = total.split_off(width);
        [
            shaped(into_rows, &self.x),
            tensor(total, [width]),
            tensor(of_beta, [width]),
        ]
    }
}

/// With shifts.
#[derive(Debug)]
struct Moved;

/// Without.
#[derive(Debug)]
struct Scaled;

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
                let found = ops.state.gradients(&deltas);
                for (parent, gradient) in ops.parents.into_iter().zip(found) {
                    if let Some(parent) = parent {
                        gradients.register::<Flex>(parent.id, gradient);
                    }
                }
            }
        }
    };
}

backward!(Moved, 3);
backward!(Scaled, 2);
