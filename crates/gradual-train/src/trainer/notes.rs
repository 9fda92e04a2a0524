//! What is unwise about a run, before it begins.

use super::builder::Trainer;
use super::note::Note;
use crate::error::TrainError;
use crate::task::Task;

/// How many examples of its rarest group a draw should hold for the group losses to be told apart from noise. On multitask
/// sparse parity the grouped loss learns nothing in 5 000 steps with half of that, with leave-one-out estimates or running means as well;
/// the experiments `stability` and `small-draws` have the numbers.
const ENOUGH: f64 = 9.5;

impl<T: Task> Trainer<'_, T> {
    /// What is unwise about the first phase of the run, as far as can be known before it.
    ///
    /// # Errors
    ///
    /// Those of [`run`](Self::run) for settings that can't be.
    pub fn notes(&self) -> Result<Vec<Note>, TrainError> {
        self.check()?;
        if !self.objective.needs_labels() || self.objective.is_linear() {
            return Ok(Vec::new());
        }
        let capabilities = self.task.capabilities();
        let drawn = self.sampler.frequencies(1, self.size());
        let frequency = |at: usize| match &drawn {
            Some(drawn) => drawn.get(at).copied().unwrap_or(0.0),
            None => capabilities[at].frequency,
        };
        let trained = (0..capabilities.len()).filter(|&at| frequency(at) > 0.0);
        let rarest = trained.min_by(|&a, &b| frequency(a).total_cmp(&frequency(b)));
        let few = rarest.and_then(|at| {
            let expected = frequency(at) * self.config.draw as f64;
            (expected < ENOUGH).then(|| Note::FewExamples {
                capability: capabilities[at].name.clone(),
                expected,
                draw: self.config.draw,
                enough: (ENOUGH / frequency(at)).ceil() as usize,
            })
        });
        Ok(few.into_iter().collect())
    }
}
