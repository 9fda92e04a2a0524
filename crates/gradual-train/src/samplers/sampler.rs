//! Which examples a step draws.

use gradual_group::State;
use rand_chacha::ChaCha8Rng;

use crate::error::TrainError;

/// What a step wants to be drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// So many examples of the task's own distribution.
    Any(usize),
    /// One training example of each of these capabilities, in this order.
    Of(Vec<usize>),
    /// These items of the task's finite training data, in this order.
    Items(Vec<usize>),
}

impl Wanted {
    /// Number of examples n.
    pub fn num_examples(&self) -> usize {
        match self {
            Self::Any(n) => *n,
            Self::Of(each) | Self::Items(each) => each.len(),
        }
    }

    /// The same examples in `parts` draws of nearly equal size, none of them empty.
    pub(crate) fn split(self, parts: usize) -> Vec<Self> {
        let n = self.num_examples();
        let parts = parts.clamp(1, n.max(1));
        let bounds = (0..parts).map(|part| (part * n / parts, (part + 1) * n / parts));
        match self {
            Self::Any(_) => bounds.map(|(from, to)| Self::Any(to - from)).collect(),
            Self::Of(each) => bounds
                .map(|(from, to)| Self::Of(each[from..to].to_vec()))
                .collect(),
            Self::Items(each) => bounds
                .map(|(from, to)| Self::Items(each[from..to].to_vec()))
                .collect(),
        }
    }
}

/// A task as a sampler sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaskSize {
    /// Number of capabilities.
    pub num_capabilities: usize,
    /// Number of training items, where the data is finite.
    pub num_items: Option<usize>,
}

/// A rule that says which examples the next step draws. It may keep a place in the data.
///
/// | sampler | draws |
/// |---|---|
/// | [`TaskMixture`](crate::TaskMixture) | what the task's own distribution gives |
/// | [`Mixture`](crate::Mixture) | capabilities independently, by weight; all equally often when balanced |
/// | [`Stratified`](crate::Stratified) | several examples of each of several capabilities |
/// | [`Curriculum`](crate::Curriculum) | by mixtures that change with the step |
/// | [`Epochs`](crate::Epochs) | every item of finite data once in each epoch |
pub trait Sampler: Send {
    /// Whether this goes with a task.
    ///
    /// # Errors
    ///
    /// [`TrainError::Sampler`] saying what does not fit.
    fn check(&self, size: TaskSize) -> Result<(), TrainError>;

    /// What step `step`, counted from 1, draws: `n` examples.
    ///
    /// # Errors
    ///
    /// [`TrainError::Sampler`].
    fn next(
        &mut self,
        step: u64,
        n: usize,
        size: TaskSize,
        random: &mut ChaCha8Rng,
    ) -> Result<Wanted, TrainError>;

    /// Share of the examples of each capability that step `step` draws, `[k]`, where it is another than
    /// the task's own.
    fn frequencies(&self, step: u64, size: TaskSize) -> Option<Vec<f64>> {
        let _ = (step, size);
        None
    }

    /// The position in the data, to be saved; none where there is none.
    ///
    /// # Errors
    ///
    /// [`TrainError::Group`] when it can't be written.
    fn state(&self) -> Result<State, TrainError> {
        Ok(State::none())
    }

    /// Restores a state that [`state`](Self::state) returned.
    ///
    /// # Errors
    ///
    /// [`TrainError::Group`] for what is no state of this sampler.
    fn restore(&mut self, state: &State) -> Result<(), TrainError> {
        Ok(state.expect_none("sampler")?)
    }
}

#[cfg(test)]
mod tests {
    use super::Wanted;

    #[test]
    fn parts_hold_every_example_once() {
        let parts = Wanted::Of(vec![0, 1, 2, 3, 4]).split(2);
        assert_eq!(parts, [Wanted::Of(vec![0, 1]), Wanted::Of(vec![2, 3, 4])]);
        assert_eq!(Wanted::Items(vec![7]).split(3), [Wanted::Items(vec![7])]);
        let sizes: Vec<usize> = Wanted::Any(10)
            .split(4)
            .iter()
            .map(Wanted::num_examples)
            .collect();
        assert_eq!(sizes, [2, 3, 2, 3]);
    }
}
