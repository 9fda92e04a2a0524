//! Layer norm.

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::tensor::Tensor;
use pulp::Arch;

use super::{Kept, in_graph, in_order, is_tracked, lifted, numbers, plain, shaped, tensor};
use crate::kernels::{in_pairs, in_parts, norm};

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
        return Some(match beta {
            Some(beta) => in_graph([&x, &gamma, &beta], state, output),
            None => in_graph([&x, &gamma], state, output),
        });
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

impl State {
    fn normalised(&self) -> FlexTensor {
        let (x, gamma) = (numbers(&self.x), numbers(&self.gamma));
        let beta = self.beta.as_ref().map(numbers);
        let each = ROWS * gamma.len();
        let mut output = vec![0.0; x.len()];
        in_parts(&mut output, each, |(): &mut (), at, to| {
            Arch::new().dispatch(norm::Forward {
                x: &x[at * each..][..to.len()],
                gamma,
                beta,
                epsilon: self.epsilon,
                to,
            });
        });
        shaped(output, &self.x)
    }
}

impl Kept for State {
    fn gradients(&self, deltas: &FlexTensor, _: &[bool]) -> Vec<Option<FlexTensor>> {
        let (x, gamma, deltas) = (numbers(&self.x), numbers(&self.gamma), numbers(deltas));
        let width = gamma.len();
        let each = ROWS * width;
        let mut into_rows = vec![0.0; x.len()];
        let mut sums = vec![0.0; x.len().div_ceil(each) * 2 * width];
        in_pairs(
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
        vec![
            Some(shaped(into_rows, &self.x)),
            Some(tensor(total, [width])),
            Some(tensor(of_beta, [width])),
        ]
    }
}
