//! Activations, entry by entry.

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::tensor::Tensor;
use pulp::Arch;

use super::{Kept, in_graph, in_order, numbers, plain, shaped, tracked};
use crate::activation::kind::Kind;
use crate::kernels::activation::{Backward, Forward};
use crate::kernels::in_parts;

/// Entries of a part.
const PART: usize = 1 << 12;

/// What the backward pass needs.
#[derive(Debug, Clone)]
struct State {
    x: FlexTensor,
    kind: Kind,
}

/// The activation of `x`, where that is of this backend.
pub(crate) fn activated<const D: usize>(x: &Tensor<D>, kind: Kind) -> Option<Tensor<D>> {
    if let Some(x) = tracked(x) {
        let state = State {
            x: in_order(x.primitive()),
            kind,
        };
        let output = state.activated();
        return Some(in_graph([&x], state, output));
    }
    let state = State {
        x: in_order(&plain(x)?),
        kind,
    };
    Some(Tensor::from_primitive::<Flex>(state.activated()))
}

impl State {
    fn activated(&self) -> FlexTensor {
        let (x, kind) = (numbers(&self.x), self.kind);
        let mut output = vec![0.0; x.len()];
        in_parts(&mut output, PART, |(): &mut (), at, to| {
            let x = &x[at * PART..][..to.len()];
            Arch::new().dispatch(Forward { kind, x, to });
        });
        shaped(output, &self.x)
    }
}

impl Kept for State {
    fn gradients(&self, deltas: &FlexTensor, _: &[bool]) -> Vec<Option<FlexTensor>> {
        let (x, deltas, kind) = (numbers(&self.x), numbers(deltas), self.kind);
        let mut into = vec![0.0; x.len()];
        in_parts(&mut into, PART, |(): &mut (), at, to| {
            let part = at * PART..at * PART + to.len();
            let (x, deltas) = (&x[part.clone()], &deltas[part]);
            Arch::new().dispatch(Backward {
                kind,
                x,
                deltas,
                to,
            });
        });
        vec![Some(shaped(into, &self.x))]
    }
}
