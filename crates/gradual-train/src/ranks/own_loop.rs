//! Steps over several ranks in a loop of one's own.

use std::ops::Range;

use burn::module::Module;
use burn::store::ModuleRecord;
use burn::tensor::{Bytes, Tensor};

use super::error::RanksError;
use super::group::Ranks;
use super::message::Point;
use super::share::own_share;
use crate::digests::fnv;
use crate::error::TrainError;
use crate::label_set::LabelSet;
use crate::objective::Objective;
use crate::step::over_ranks::{OwnParts, step_over};
use crate::step::stepped::Stepped;
use crate::step::stepper::Stepper;

impl Ranks {
    /// Which of `n` parts or examples are this rank's own: as many on every rank, or one more.
    ///
    /// # Errors
    ///
    /// [`RanksError::TooMany`] for fewer of them than ranks.
    pub fn share(&self, n: usize) -> Result<Range<usize>, RanksError> {
        own_share(n, self.rank(), self.size())
    }

    /// The model of rank 0 on every rank: its weights and the identities of its parameters, which a step needs to be
    /// the same. To be called once, with the same kind of model on every rank.
    ///
    /// # Errors
    ///
    /// [`TrainError::Snapshot`] for a model that can't be written, or of another kind.
    pub fn start<M: Module>(&self, model: M) -> Result<M, TrainError> {
        let refused = |problem: String| TrainError::Snapshot {
            what: "model",
            path: None,
            problem,
        };
        let own = match self.is_first() {
            false => Ok(Vec::new()),
            true => {
                let record = model.clone().into_record().into_bytes();
                let bytes = record.map(|bytes| bytes.to_vec());
                bytes.map_err(|problem| refused(problem.to_string()))
            }
        };
        let sent = self.told_by_first(Point::Start, own.as_ref().map(Vec::clone));
        own?;
        let sent = sent?;
        if self.is_first() {
            return Ok(model);
        }
        let record = ModuleRecord::from_bytes(Bytes::from_bytes_vec(sent));
        let loaded = record.and_then(|record| model.try_load_record(record));
        loaded.map_err(|problem| refused(problem.to_string()))
    }

    /// [`Stepper::step_in_parts`] over all ranks: `parts` are this rank's own, one after another, and `labels` those of
    /// all examples of the draw, rank after rank. What it gives is of all examples and the same on all ranks; the update
    /// is the sum over ranks.
    ///
    /// The [model](Self::start), the objective and what it has learned have to be the same on all ranks.
    ///
    /// # Errors
    ///
    /// Those of [`Stepper::step_in_parts`]; [`RanksError`] where another rank failed or is gone, where ranks have other
    /// labels, for a model that draws random numbers from its device or has running statistics, under a lens, and where
    /// what is [gathered](super::Gathering) is too little for the objective.
    pub fn step<M: Module, B>(
        &self,
        stepper: Stepper,
        model: &M,
        objective: &mut Objective,
        labels: LabelSet<'_>,
        parts: &[B],
        losses: impl Fn(&M, &B) -> Tensor<1>,
    ) -> Result<Stepped, TrainError> {
        let own = OwnParts {
            parts,
            digest: fnv(labels.codes()),
        };
        step_over(self, stepper, model, objective, labels, own, losses)
    }

    /// [`Stepper::stand`] on every rank: each takes the gradients of all standing examples, so that nothing has to be
    /// gathered, and sees of them what it sees of a draw.
    ///
    /// # Errors
    ///
    /// Those of [`Stepper::stand`], and [`RanksError::Failed`] where another rank failed.
    pub fn stand<M: Module>(
        &self,
        stepper: Stepper,
        model: &M,
        objective: &mut Objective,
        losses: impl FnOnce(&M) -> Tensor<1>,
    ) -> Result<(), TrainError> {
        let gathering = self.gathering();
        let stood = gathering.check(objective).map_err(TrainError::from);
        let stood = stood.and_then(|()| {
            stepper.stand_viewed(model, objective, losses, |traced| gathering.view(traced))
        });
        self.all_well(Point::Standing, stood)
    }
}
