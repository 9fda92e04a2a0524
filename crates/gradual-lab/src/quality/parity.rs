//! The experiment on sparse parity, with one code for each task or several.

use gradual::train::Drawn;
use gradual_tasks::{ParityBatch, SettingError, SparseParity as Task, SparseParityConfig};

use super::cut::Cut;
use super::look::Look;
use super::mlp;
use super::subject::{Aliases, Known, Subject};

/// The tasks, and the codes that announce them.
pub(crate) struct Parity {
    task: Task,
    config: SparseParityConfig,
    examples: usize,
}

impl Parity {
    /// The task of a seed, of which so many examples are grouped.
    pub(crate) fn new(
        config: &SparseParityConfig,
        seed: u64,
        examples: usize,
    ) -> Result<Self, SettingError> {
        Ok(Self {
            task: Task::new(config.clone(), seed)?,
            config: config.clone(),
            examples,
        })
    }
}

impl Subject for Parity {
    type Task = Task;

    const NAME: &'static str = "sparse parity";

    fn task(&self) -> &Task {
        &self.task
    }

    fn num_examples(&self) -> usize {
        self.examples
    }

    fn rows(&self) -> Vec<(Look, Vec<Cut>)> {
        mlp::rows(self.config.depth)
    }

    fn estimated(&self, look: &Look) -> bool {
        mlp::is_estimated(look, self.config.depth)
    }

    fn known(&self, drawn: &Drawn<ParityBatch>) -> Vec<Known> {
        let known = |against, labels, groups| Known {
            against,
            labels,
            groups,
            names: Vec::new(),
        };
        let mut all = vec![known("tasks", drawn.labels.clone(), self.config.tasks)];
        if let Some(codes) = self.codes() {
            let of = drawn.batch.codes().iter().copied().map(Some);
            all.push(known("codes", of.collect(), codes));
        }
        all
    }

    fn aliases(&self, drawn: &Drawn<ParityBatch>) -> Option<Aliases> {
        self.codes().map(|_| Aliases {
            codes: drawn.batch.codes().to_vec(),
            each: self.config.codes_of_each(),
        })
    }
}

impl Parity {
    /// How many codes there are, where tasks have several. More codes than examples are no groups.
    fn codes(&self) -> Option<usize> {
        let each = self.config.codes_of_each();
        let codes = self.config.tasks.saturating_mul(each);
        (each > 1 && codes < self.examples).then_some(codes)
    }
}
