//! What one step takes: operations, bytes and memory.

use serde::Serialize;

use super::model::Model;

/// How a step's coefficients come about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Way {
    /// Of the losses alone: the mean loss, known groups, group DRO.
    Losses,
    /// Of groups found in gathered sketches.
    Sketches,
    /// Of groups found in exact inner products, from gathered factors.
    Factors,
}

impl Way {
    pub(super) const ALL: [Self; 3] = [Self::Losses, Self::Sketches, Self::Factors];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Losses => "losses alone",
            Self::Sketches => "sketches",
            Self::Factors => "exact",
        }
    }
}

/// The sizes of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Sizes {
    /// R.
    pub(super) ranks: u64,
    /// Examples N of the whole draw, a multiple of R.
    pub(super) examples: u64,
    /// Dimensions r of a sketch.
    pub(super) dim: u64,
    /// Groups k, and as many directions in which they are looked for.
    pub(super) groups: u64,
}

/// What every rank does in a step, in floating-point operations: a multiplication and an addition are two.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Operations {
    /// Forward, backward and the combined gradient of its own examples: those of an ordinary step.
    pub(super) ordinary: f64,
    /// The sketches of its own examples.
    pub(super) sketches: f64,
    /// The inner products of all examples, which every rank takes.
    pub(super) inner_products: f64,
    /// The leading directions of these, and clusters in them, which every rank finds.
    pub(super) groups: f64,
}

/// The bytes of all messages of a step together, as `gradual_train::Traffic` counts them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Bytes {
    /// What is gathered of losses and of how ranks are.
    pub(super) losses: f64,
    /// What is gathered of gradients; of factors, without some hundred bytes for the names and shapes of each array.
    pub(super) gradients: f64,
    /// Coefficients and groups.
    pub(super) broadcast: f64,
    /// The update, which is summed.
    pub(super) reduced: f64,
}

/// Bytes that a rank holds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Memory {
    /// Parameters, their sum of gradients and two moments, in single precision.
    pub(super) state: f64,
    /// What the backward pass of its own examples needs.
    pub(super) activations: f64,
    /// Output gradients of its own examples, which wait for their coefficients.
    pub(super) factors: f64,
    /// What was gathered of all examples.
    pub(super) gathered: f64,
    /// Inner products of all examples.
    pub(super) inner_products: f64,
}

/// Rounds of k-means, and passes over the inner products for leading directions (`docs/performance.md`).
const ROUNDS: f64 = 20.0;
const PASSES: f64 = 10.0;
/// Bytes of a number.
const SINGLE: f64 = 4.0;

impl Operations {
    pub(super) fn of(model: &Model, way: Way, sizes: Sizes) -> Self {
        let (all, t) = (sizes.examples as f64, model.positions as f64);
        let own = all / sizes.ranks as f64;
        let (dim, k) = (sizes.dim as f64, sizes.groups as f64);
        Self {
            ordinary: own * (6.0 * t * model.products() + 3.0 * model.attention),
            sketches: match way {
                Way::Sketches => own * t * model.sides() * dim,
                _ => 0.0,
            },
            inner_products: match way {
                Way::Losses => 0.0,
                Way::Sketches => all * all * dim,
                // By pairs of positions, or by matrices of parameters' size: whichever takes less, layer by layer.
                Way::Factors => model.sum(|layer| {
                    let (d, e) = (layer.inputs as f64, layer.outputs as f64);
                    let ghost = 2.0 * all * all * t * t * if layer.look_up { e } else { d + e };
                    let matrices = 2.0 * all * t * d * e + 2.0 * all * all * d * e;
                    ghost.min(matrices)
                }),
            },
            groups: match way {
                Way::Losses => 0.0,
                _ => PASSES * all * all * k + 2.0 * ROUNDS * all * k * k,
            },
        }
    }

    pub(super) fn total(&self) -> f64 {
        self.ordinary + self.sketches + self.inner_products + self.groups
    }
}

impl Bytes {
    /// As the table in `docs/ranks.md` has them, where all parameters get a gradient and groups are hard.
    pub(super) fn of(model: &Model, way: Way, sizes: Sizes) -> Self {
        let (ranks, all) = (sizes.ranks as f64, sizes.examples as f64);
        let statuses = ranks * (11.0 + 11.0 + 2.0 + (model.arrays() / 8.0).ceil());
        let t = model.positions as f64;
        Self {
            losses: statuses + SINGLE * all,
            gradients: match way {
                Way::Losses => 0.0,
                Way::Sketches => 3.0 * ranks + SINGLE * all * sizes.dim as f64,
                Way::Factors => SINGLE * all * (t * model.sides() + model.biases()),
            },
            broadcast: 8.0 + 2.0 * SINGLE * all,
            reduced: SINGLE * model.parameters(),
        }
    }

    /// What goes over the link of a rank where gathers and sums go round in a ring.
    pub(super) fn of_a_link(&self, ranks: u64) -> f64 {
        let others = (ranks - 1) as f64 / ranks as f64;
        others * (self.losses + self.gradients + 2.0 * self.reduced)
            + if ranks > 1 { self.broadcast } else { 0.0 }
    }
}

impl Memory {
    pub(super) fn of(model: &Model, way: Way, sizes: Sizes) -> Self {
        let all = sizes.examples as f64;
        let (own, t) = (all / sizes.ranks as f64, model.positions as f64);
        let inputs = model.sum(|layer| {
            if layer.look_up {
                1.0
            } else {
                layer.inputs as f64
            }
        });
        let outputs = model.sides() - inputs;
        Self {
            state: 4.0 * SINGLE * model.parameters(),
            activations: SINGLE * own * (t * inputs + model.kept),
            factors: SINGLE * own * t * outputs,
            gathered: Bytes::of(model, way, sizes).gradients,
            inner_products: match way {
                Way::Losses => 0.0,
                _ => SINGLE * all * all,
            },
        }
    }

    pub(super) fn total(&self) -> f64 {
        self.state + self.activations + self.factors + self.gathered + self.inner_products
    }
}
