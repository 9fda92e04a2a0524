//! Weights of attention.

use std::sync::Arc;

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::tensor::{Bool, Tensor};
use pulp::Arch;

use super::{Kept, in_graph, in_order, is_tracked, lifted, numbers, plain, tensor};
use crate::kernels::product::Panel;
use crate::kernels::weights::{self, Masked, Sizes};
use crate::kernels::{in_pairs, in_parts};
use crate::masks::AttentionMasks;

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
        return Some(in_graph([&query, &key], state, output));
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
        in_parts(
            &mut weights,
            sizes.weights(),
            |panel: &mut Panel, at, weights| {
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
}

impl Kept for State {
    fn gradients(&self, deltas: &FlexTensor, _: &[bool]) -> Vec<Option<FlexTensor>> {
        let sizes = self.sizes;
        let (queries, keys) = (numbers(&self.query), numbers(&self.key));
        let (weights, deltas) = (numbers(&self.weights), numbers(deltas));
        let (of_query, of_key) = (sizes.t * sizes.width(), sizes.s * sizes.width());
        let mut into_queries = vec![0.0; queries.len()];
        let mut into_keys = vec![0.0; keys.len()];
        in_pairs(
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
        vec![
            Some(tensor(into_queries, [n, sizes.t, sizes.width()])),
            Some(tensor(into_keys, [n, sizes.s, sizes.width()])),
        ]
    }
}

/// Part number `at` of parts of `each` numbers.
pub(super) fn part(numbers: &[f32], at: usize, each: usize) -> &[f32] {
    &numbers[at * each..(at + 1) * each]
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
    // One byte for each entry; what else there may be is left to Burn.
    (mask.dtype().size() == 1).then(|| Entries {
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
