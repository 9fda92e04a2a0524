//! Weights times values.

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::tensor::Tensor;
use pulp::Arch;

use super::weights::part;
use super::{Kept, in_graph, in_order, is_tracked, lifted, numbers, plain, tensor};
use crate::kernels::attend;
use crate::kernels::product::Panel;
use crate::kernels::weights::Sizes;
use crate::kernels::{in_pairs, in_parts};

/// What the backward pass needs.
#[derive(Debug, Clone)]
struct State {
    sizes: Sizes,
    weights: FlexTensor,
    value: FlexTensor,
}

/// [`attend`](crate::attend()), where both are of this backend.
pub(crate) fn attend(weights: &Tensor<4>, value: &Tensor<3>) -> Option<Tensor<3>> {
    let ([n, heads, t, s], [_, _, width]) = (weights.dims(), value.dims());
    if [n, t, s, width].contains(&0) {
        return None;
    }
    let sizes = Sizes {
        t,
        s,
        heads,
        d: width / heads,
    };
    if is_tracked(weights) || is_tracked(value) {
        let (weights, value) = (lifted(weights)?, lifted(value)?);
        let state = State {
            sizes,
            weights: in_order(weights.primitive()),
            value: in_order(value.primitive()),
        };
        let output = state.context();
        return Some(in_graph([&weights, &value], state, output));
    }
    let state = State {
        sizes,
        weights: in_order(&plain(weights)?),
        value: in_order(&plain(value)?),
    };
    Some(Tensor::from_primitive::<Flex>(state.context()))
}

impl State {
    fn examples(&self) -> usize {
        numbers(&self.weights).len() / self.sizes.weights()
    }

    fn context(&self) -> FlexTensor {
        let (n, sizes) = (self.examples(), self.sizes);
        let (weights, values) = (numbers(&self.weights), numbers(&self.value));
        let each = sizes.t * sizes.width();
        let mut context = vec![0.0; n * each];
        in_parts(&mut context, each, |panel: &mut Panel, at, context| {
            Arch::new().dispatch(attend::Forward {
                sizes,
                weights: part(weights, at, sizes.weights()),
                value: part(values, at, sizes.s * sizes.width()),
                panel,
                context,
            });
        });
        tensor(context, [n, sizes.t, sizes.width()])
    }
}

impl Kept for State {
    fn gradients(&self, deltas: &FlexTensor, _: &[bool]) -> Vec<Option<FlexTensor>> {
        let (n, sizes) = (self.examples(), self.sizes);
        let (weights, values) = (numbers(&self.weights), numbers(&self.value));
        let deltas = numbers(deltas);
        let of_values = sizes.s * sizes.width();
        let mut into_weights = vec![0.0; weights.len()];
        let mut into_values = vec![0.0; values.len()];
        in_pairs(
            (&mut into_weights, sizes.weights()),
            (&mut into_values, of_values),
            |panel: &mut Panel, at, into_weights, into_value| {
                Arch::new().dispatch(attend::Backward {
                    sizes,
                    weights: part(weights, at, sizes.weights()),
                    value: part(values, at, of_values),
                    deltas: part(deltas, at, sizes.t * sizes.width()),
                    panel,
                    into_weights,
                    into_value,
                });
            },
        );
        vec![
            Some(tensor(into_weights, [n, sizes.heads, sizes.t, sizes.s])),
            Some(tensor(into_values, [n, sizes.s, sizes.width()])),
        ]
    }
}
