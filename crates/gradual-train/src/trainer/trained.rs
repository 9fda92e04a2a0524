//! Which parameters of a model learn.

use burn::optim::GradientsParams;
use gradual_grad::{GradError, Tracer};

use super::builder::Trainer;
use crate::error::TrainError;
use crate::task::Task;

impl<T: Task> Trainer<'_, T> {
    /// Refuses globs of this phase or the next that match no parameter.
    pub(super) fn check_trained(&self, model: &T::Model) -> Result<(), TrainError> {
        let next = self.then.as_ref().map(|(_, phase)| &phase.trained);
        for globs in std::iter::once(&self.trained).chain(next) {
            only(globs, model, GradientsParams::new())?;
        }
        Ok(())
    }

    /// The update of those parameters that learn.
    pub(super) fn of_trained(
        &self,
        model: &T::Model,
        update: GradientsParams,
    ) -> Result<GradientsParams, TrainError> {
        Ok(only(&self.trained, model, update)?)
    }
}

fn only<M: burn::module::Module>(
    globs: &[String],
    model: &M,
    update: GradientsParams,
) -> Result<GradientsParams, GradError> {
    let globs: Vec<&str> = globs.iter().map(String::as_str).collect();
    Tracer::default().only(&globs).restrict(model, update)
}
