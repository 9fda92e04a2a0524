//! What is gathered of gradients that are compared.

use burn::tensor::{Device, Tensor};
use gradual_grad::{ExampleGradients, GradientsRecord, Traced};
use gradual_group::Look;

use super::error::RanksError;
use super::message::Point;
use super::numbers::Numbers;
use crate::error::TrainError;
use crate::objective::Objective;

/// What ranks gather where a step compares gradients: where a grouping finds groups in them, and for rules on gradients
/// and a matched norm. Known groups, means and group DRO need losses alone, and nothing of this is gathered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Gathering {
    /// The gradients of all examples, in factors. Every rank then knows what one rank would, so everything works that
    /// works on one: any metric, exact inner products, rules on gradients. A layer `[d, e]` at t positions takes
    /// 4 N t (d + e) bytes, on every rank.
    #[default]
    Factors,
    /// A [sketch](ExampleGradients::sketch) of each gradient, of `dim` numbers: 4 N `dim` bytes. For groupings that look
    /// at [vectors](Look::Vectors) alone. Inner products are then off by a few times ‖g‖‖h‖/√`dim`, on one rank too.
    Sketch {
        /// Numbers for each example.
        dim: usize,
        /// Seed of the projection, the same on all ranks.
        seed: u64,
    },
}

impl Gathering {
    /// Whether this is enough for an objective.
    ///
    /// # Errors
    ///
    /// [`RanksError::Refused`] saying what looks at more.
    pub(crate) fn check(self, objective: &Objective) -> Result<(), RanksError> {
        let Self::Sketch { dim, .. } = self else {
            return Ok(());
        };
        let refused = |problem: &str| Err(RanksError::refused(problem));
        let grouping = &objective.grouping;
        match objective.needs_gram() {
            _ if dim == 0 => refused("a sketch needs at least one number for each example"),
            true => refused(
                "the rule on gradients or the matched norm needs exact inner products; gather factors instead of sketches",
            ),
            false if grouping.needs().gradients() && grouping.looks_at() == Look::Layers => {
                refused(
                    "the grouping looks at the layers of gradients (in a metric, or by a sketch of its own), which a sketch does \
                 not hold; gather factors instead of sketches",
                )
            }
            false => Ok(()),
        }
    }

    /// Standing examples as those of a draw are seen.
    pub(crate) fn view(self, traced: Traced) -> Traced {
        match self {
            Self::Factors => traced,
            Self::Sketch { dim, seed } => Traced {
                gradients: ExampleGradients::from_rows(traced.gradients.sketch(dim, seed)),
                losses: traced.losses,
            },
        }
    }

    /// What is gathered of the gradients of a part, where nothing else of them is kept; none where that is all of them.
    pub(crate) fn sketch(self, own: &ExampleGradients) -> Option<Tensor<2>> {
        match self {
            Self::Factors => None,
            Self::Sketch { dim, seed } => Some(own.sketch(dim, seed)),
        }
    }

    /// A rank's own gradients, as bytes.
    pub(super) fn bytes(self, own: &ExampleGradients) -> Result<Vec<u8>, TrainError> {
        match self {
            Self::Factors => {
                let mut bytes = Vec::new();
                ciborium::into_writer(&own.record()?, &mut bytes).map_err(|problem| {
                    RanksError::refused(format!("gradients can't be written: {problem}"))
                })?;
                Ok(bytes)
            }
            Self::Sketch { dim, seed } => {
                Numbers::of("sketch", own.sketch(dim, seed)).map(|sketch| sketch.bytes())
            }
        }
    }

    /// The gradients of all ranks, from the bytes of those that have some.
    pub(super) fn gradients(
        self,
        all: &[(usize, Vec<u8>)],
        device: &Device,
    ) -> Result<ExampleGradients, TrainError> {
        let unread = |rank: usize| RanksError::Message {
            rank,
            at: Point::Gradients.name(),
        };
        match self {
            Self::Factors => {
                let each = all.iter().map(|(rank, bytes)| {
                    let record: Result<GradientsRecord, _> =
                        ciborium::from_reader(bytes.as_slice());
                    let record = record.map_err(|_| unread(*rank))?;
                    Ok(ExampleGradients::restored(&record, device)?)
                });
                let each = each.collect::<Result<Vec<_>, TrainError>>()?;
                Ok(ExampleGradients::concat(&each)?)
            }
            Self::Sketch { dim, .. } => {
                let each = all.iter().map(|(rank, bytes)| {
                    let numbers = Numbers::read(bytes).filter(|numbers| numbers.len() % dim == 0);
                    numbers.ok_or_else(|| unread(*rank))
                });
                let rows = Numbers::joined(each.collect::<Result<Vec<_>, RanksError>>()?);
                let examples = rows.len() / dim;
                Ok(ExampleGradients::from_rows(
                    rows.tensor([examples, dim], device),
                ))
            }
        }
    }
}
