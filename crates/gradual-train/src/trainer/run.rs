//! What moves in a run.

use std::rc::Rc;
use std::time::Instant;

use gradual_group::Churn;
use rand_chacha::ChaCha8Rng;

use super::since::SinceEvaluation;
use crate::followed::Followed;
use crate::lens::LensState;
use crate::snapshot::ExampleCounts;
use crate::step::standing::StandingDraws;
use crate::task::Drawn;

/// Everything that moves but the model, the optimizer and the learning rate.
pub(crate) struct Run<B> {
    pub(super) done: u64,
    pub(super) skipped: u64,
    pub(super) seen: ExampleCounts,
    /// Why an observer stopped the run.
    pub(super) stopped: Option<String>,
    /// Step of the last checkpoint.
    pub(super) kept: Option<u64>,
    pub(super) skipped_in_a_row: u64,
    /// Whether the gradients are still to be checked.
    pub(super) unverified: bool,
    /// Whether steps draw from the device, as dropout does, once that is known.
    pub(super) draws_from_device: Option<bool>,
    /// Whether there were groups before, and what they said had changed.
    pub(super) grouped: bool,
    pub(super) churn: Option<Churn>,
    pub(super) draws: ChaCha8Rng,
    pub(super) standing_draws: ChaCha8Rng,
    /// Standing examples in parts, with the random numbers that they were drawn with.
    pub(super) standing: StandingDraws<Rc<(ChaCha8Rng, Vec<Drawn<B>>)>>,
    pub(super) since: SinceEvaluation,
    /// The lens, once its snapshot was taken.
    pub(super) lens: Option<LensState>,
    /// Whether the task has words for its examples, once a draw was seen.
    pub(super) described: Option<bool>,
    /// The groups of the last record of what they hold.
    pub(super) followed: Followed,
    /// The weights that the second phase began with, once it has begun.
    pub(super) start: Option<Vec<f32>>,
    pub(super) mean_accuracy: Option<f64>,
    /// When the process came to the run, less the seconds that it had gone on before.
    pub(super) started: Instant,
    pub(super) seconds_before: f64,
}

impl<B> Run<B> {
    pub(super) fn seconds(&self) -> f64 {
        self.seconds_before + self.started.elapsed().as_secs_f64()
    }
}
