//! Everything that a run tells its observers, and a snapshot after every step.

use gradual_grad::Verified;
use gradual_runs::{Evaluation, LooksRecord};
use gradual_train::{CONTINUE, Flow, Observer, SeenStep, Snapshot, TrainError};

#[derive(Default)]
pub(crate) struct Recorded {
    pub(crate) losses: Vec<f64>,
    /// Number of groups of each step.
    pub(crate) groups: Vec<usize>,
    /// The group of each example, where groups are hard.
    pub(crate) assigned: Vec<Option<Vec<Option<usize>>>>,
    pub(crate) identities: Vec<Vec<u64>>,
    /// Steps whose groups say what has changed.
    pub(crate) churned: usize,
    pub(crate) evaluations: Vec<Evaluation>,
    pub(crate) looks: Vec<LooksRecord>,
    pub(crate) verified: usize,
    pub(crate) snapshots: Vec<Snapshot>,
}

impl Recorded {
    /// Gradients that were taken by the end.
    pub(crate) fn gradients(&self) -> u64 {
        let last = self.evaluations.last().unwrap();
        last.gradient_evaluations.unwrap()
    }

    /// The groups of a step, counted from 0, which are hard.
    pub(crate) fn hard(&self, step: usize) -> &[Option<usize>] {
        self.assigned[step].as_deref().unwrap()
    }
}

impl Observer for Recorded {
    fn verified(&mut self, verified: &Verified) -> Result<(), TrainError> {
        assert!(verified.warnings.is_empty(), "{:?}", verified.warnings);
        self.verified += 1;
        Ok(())
    }

    fn stepped(&mut self, seen: &SeenStep<'_>) -> Result<Flow, TrainError> {
        let groups = seen.groups.unwrap();
        self.losses.push(seen.loss);
        self.groups.push(groups.num_groups());
        self.assigned.push(groups.assignment().map(<[_]>::to_vec));
        self.identities.push(groups.identities().to_vec());
        self.churned += usize::from(groups.churn().is_some());
        Ok(CONTINUE)
    }

    fn looked(&mut self, looks: &LooksRecord) -> Result<(), TrainError> {
        self.looks.push(looks.clone());
        Ok(())
    }

    fn evaluated(&mut self, evaluation: &Evaluation, _: f64) -> Result<Flow, TrainError> {
        self.evaluations.push(evaluation.clone());
        Ok(CONTINUE)
    }

    fn checkpoint_every(&self) -> Option<u64> {
        Some(1)
    }

    fn checkpoint(&mut self, snapshot: &Snapshot) -> Result<(), TrainError> {
        self.snapshots.push(snapshot.clone());
        Ok(())
    }
}
