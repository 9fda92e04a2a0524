//! The experiment on points of two classes, each with a majority, a minority and outliers.

use gradual::train::{Drawn, Task as _};
use gradual_tasks::{
    SettingError, Subpopulations as Task, SubpopulationsBatch, SubpopulationsConfig,
};

use super::cut::Cut;
use super::look::Look;
use super::mlp;
use super::subject::{Known, Subject};

/// The subpopulations, and whether the model has a hidden layer.
pub(crate) struct Subpopulations {
    task: Task,
    hidden: usize,
    examples: usize,
}

impl Subpopulations {
    /// The task of a seed, of which so many examples are grouped.
    pub(crate) fn new(
        config: &SubpopulationsConfig,
        seed: u64,
        examples: usize,
    ) -> Result<Self, SettingError> {
        Ok(Self {
            task: Task::new(config, seed)?,
            hidden: usize::from(config.hidden > 0),
            examples,
        })
    }
}

impl Subject for Subpopulations {
    type Task = Task;

    const NAME: &'static str = "subpopulations";

    fn task(&self) -> &Task {
        &self.task
    }

    fn num_examples(&self) -> usize {
        self.examples
    }

    fn rows(&self) -> Vec<(Look, Vec<Cut>)> {
        mlp::rows(self.hidden)
    }

    fn estimated(&self, look: &Look) -> bool {
        mlp::is_estimated(look, self.hidden)
    }

    /// The subpopulations, of which outliers are none; and with the outliers as one more, as they were published.
    fn known(&self, drawn: &Drawn<SubpopulationsBatch>) -> Vec<Known> {
        let groups = self.task.capabilities().len();
        let names = self.task.capabilities().iter().map(|one| one.name.clone());
        let or_outlier = |label: &Option<usize>| Some(label.unwrap_or(groups));
        vec![
            Known {
                against: "subpopulations",
                labels: drawn.labels.clone(),
                groups,
                names: names.collect(),
            },
            Known {
                against: "subpopulations and outliers",
                labels: drawn.labels.iter().map(or_outlier).collect(),
                groups: groups + 1,
                names: Vec::new(),
            },
        ]
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn outliers_are_a_group_of_their_own_or_none() {
        let config = SubpopulationsConfig::default();
        let subject = Subpopulations::new(&config, 0, 400).unwrap();
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let drawn = subject
            .task
            .draw(400, &mut random, &Device::flex())
            .unwrap();
        let [alone, with] = <[Known; 2]>::try_from(subject.known(&drawn)).unwrap();
        assert_eq!((alone.groups, with.groups), (4, 5));
        assert!(alone.labels.contains(&None));
        for (alone, with) in alone.labels.iter().zip(&with.labels) {
            assert_eq!(alone.unwrap_or(4), with.unwrap());
        }
    }
}
