//! Weights of attention.

use std::sync::Arc;

use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::{Autodiff, Flex};
use burn::tensor::{Bool, Tensor};
use pulp::Arch;

use super::{Gradients, in_order, is_tracked, lifted, numbers, plain, tensor};
use crate::attention::AttentionMasks;
use crate::kernels::in_parts;
use crate::kernels::product::Panel;
use crate::kernels::weights::{self, Masked, Sizes};

/// What the backward pass needs.
#[derive(Debug, Clone)]
struct State {
    sizes: Sizes,
    query: FlexTensor,
    key: FlexTensor,
    masks: Option<Masks>,
    weights: FlexTensor,
}

/// [`attention_weights`](crate::attention_weights), where both are of this backend.
pub(crate) fn weights(
    query: &Tensor<3>,
    key: &Tensor<3>,
    heads: usize,
    masks: &AttentionMasks,
) -> Option<Tensor<4>> {
    let ([n, t, width], [_, s, _]) = (query.dims(), key.dims());
    if [n, t, s, width].contains(&0) {
        return None;
    }
    let sizes = Sizes {
        t,
        s,
        heads,
        d: width / heads,
    };
    let masks = Masks::new(masks, [n, t, s])?;
    if is_tracked(query) || is_tracked(key) {
        let (query, key) = (lifted(query)?, lifted(key)?);
        let state = State::new(sizes, query.primitive(), key.primitive(), masks);
        let output = state.weights.clone();
        let guards = [query.node(), key.node()];
        let prepared = Weights.prepare::<NoCheckpointing>(guards);
        let output = match prepared.compute_bound().stateful() {
            OpsKind::Tracked(prepared) => prepared.finish(state, output),
            OpsKind::UnTracked(prepared) => prepared.finish(output),
        };
        return Some(Tensor::from_primitive::<Autodiff<Flex>>(output));
    }
    let state = State::new(sizes, &plain(query)?, &plain(key)?, masks);
    Some(Tensor::from_primitive::<Flex>(state.weights))
}

impl State {
    fn new(sizes: Sizes, query: &FlexTensor, key: &FlexTensor, masks: Option<Masks>) -> Self {
        let (query, key) = (in_order(query), in_order(key));
        let (queries, keys) = (numbers(&query), numbers(&key));
        let n = queries.len() / (sizes.t * sizes.width());
        let mut weights = vec![0.0; n * sizes.weights()];
        let mut nothing = vec![0.0; n];
        let each = (weights.as_mut_slice(), sizes.weights());
        in_parts(
            each,
            (&mut nothing, 1),
            |panel: &mut Panel, at, weights, _| {
                Arch::new().dispatch(weights::Forward {
                    sizes,
                    query: part(queries, at, sizes.t * sizes.width()),
                    key: part(keys, at, sizes.s * sizes.width()),
                    masked: masks.as_ref().map(|masks| masks.of(at)),
                    panel,
                    weights,
                });
            },
        );
        Self {
            weights: tensor(weights, [n, sizes.heads, sizes.t, sizes.s]),
            sizes,
            query,
            key,
            masks,
        }
    }

    /// Gradients of query and key from those of the weights.
    fn gradients(&self, deltas: &FlexTensor) -> [FlexTensor; 2] {
        let sizes = self.sizes;
        let (queries, keys) = (numbers(&self.query), numbers(&self.key));
        let (weights, deltas) = (numbers(&self.weights), numbers(deltas));
        let (of_query, of_key) = (sizes.t * sizes.width(), sizes.s * sizes.width());
        let mut into_queries = vec![0.0; queries.len()];
        let mut into_keys = vec![0.0; keys.len()];
        in_parts(
            (&mut into_queries, of_query),
            (&mut into_keys, of_key),
            |(panel, scores): &mut (Panel, Vec<f32>), at, into_query, into_key| {
                Arch::new().dispatch(weights::Backward {
                    sizes,
                    query: part(queries, at, of_query),
                    key: part(keys, at, of_key),
                    masked: self.masks.as_ref().map(|masks| masks.of(at)),
                    weights: part(weights, at, sizes.weights()),
                    deltas: part(deltas, at, sizes.weights()),
                    panel,
                    scores,
                    into_query,
                    into_key,
                });
            },
        );
        let n = queries.len() / of_query;
        [
            tensor(into_queries, [n, sizes.t, sizes.width()]),
            tensor(into_keys, [n, sizes.s, sizes.width()]),
        ]
    }
}

/// Part number `at` of parts of `each` numbers.
pub(super) fn part(numbers: &[f32], at: usize, each: usize) -> &[f32] {
    &numbers[at * each..(at + 1) * each]
}

#[derive(Debug)]
struct Weights;

impl Backward<Flex, 2> for Weights {
    type State = State;

    fn backward(self, ops: Ops<Self::State, 2>, gradients: &mut Gradients, _: &mut Checkpointer) {
        let deltas = in_order(&gradients.consume::<Flex>(&ops.node));
        let found = ops.state.gradients(&deltas);
        for (parent, gradient) in ops.parents.into_iter().zip(found) {
            if let Some(parent) = parent {
                gradients.register::<Flex>(parent.id, gradient);
            }
        }
    }
}

/// Which pairs are masked, `[n, t, s]`, or `[t, s]` where that is the same for all examples.
#[derive(Debug, Clone)]
struct Masks {
    pairs: Arc<Vec<bool>>,
    /// From an example to the next, and entries of one.
    step: usize,
    each: usize,
    score: f32,
}

impl Masks {
    /// None where a mask is of another backend; nothing in it where there are no masks.
    #[expect(clippy::option_option, reason = "no mask is not the same as no answer")]
    fn new(masks: &AttentionMasks, [n, t, s]: [usize; 3]) -> Option<Option<Self>> {
        if masks.padding.is_none() && masks.pairs.is_none() {
            return Some(None);
        }
        let padding = match &masks.padding {
            Some(mask) => Some(entries(mask)?),
            None => None,
        };
        let pairs = match &masks.pairs {
            Some(mask) => Some(entries(mask)?),
            None => None,
        };
        let is_shared =
            padding.is_none() && pairs.as_ref().is_some_and(|mask| mask.strides[0] == 0);
        let examples = if is_shared { 1 } else { n };
        let mut all = Vec::with_capacity(examples * t * s);
        for example in 0..examples {
            for i in 0..t {
                for j in 0..s {
                    let padded = padding.as_ref().is_some_and(|mask| mask.at(&[example, j]));
                    let masked = || pairs.as_ref().is_some_and(|mask| mask.at(&[example, i, j]));
                    all.push(padded || masked());
                }
            }
        }
        Some(Some(Self {
            pairs: Arc::new(all),
            step: if is_shared { 0 } else { t * s },
            each: t * s,
            score: masks.score as f32,
        }))
    }

    fn of(&self, example: usize) -> Masked<'_> {
        let first = example * self.step;
        Masked {
            pairs: &self.pairs[first..first + self.each],
            score: self.score,
        }
    }
}

/// The entries of a mask, wherever they are.
struct Entries {
    mask: FlexTensor,
    strides: Vec<isize>,
    first: isize,
}

fn entries<const D: usize>(mask: &Tensor<D, Bool>) -> Option<Entries> {
    let mask = mask.clone().inner().try_into_primitive::<Flex>().ok()?;
    let one_byte = mask.bytes().len() >= mask.layout().start_offset() + 1
        && burn::tensor::DType::size(&mask.dtype()) == 1;
    one_byte.then(|| Entries {
        strides: mask.layout().strides().to_vec(),
        first: mask.layout().start_offset() as isize,
        mask,
    })
}

impl Entries {
    fn at(&self, index: &[usize]) -> bool {
        let steps = index.iter().zip(&self.strides);
        let place = self.first + steps.map(|(&i, stride)| i as isize * stride).sum::<isize>();
        self.mask.bytes()[place as usize] != 0
    }
}
