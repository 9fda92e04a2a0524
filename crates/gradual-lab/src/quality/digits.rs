//! The experiment on handwritten digits of two classes.

use gradual::train::{Drawn, Task as _};
use gradual_tasks::{Digits as Task, DigitsBatch, DigitsConfig, SettingError};

use super::cut::Cut;
use super::look::Look;
use super::mlp;
use super::subject::{Known, Subject};

/// Hidden layers of the model.
const HIDDEN: usize = 1;
const CLASSES: usize = 2;

/// The digits, which are subclasses of even and odd ones.
pub(crate) struct Digits {
    task: Task,
    examples: usize,
}

impl Digits {
    /// The task of a seed, of which so many examples are grouped.
    pub(crate) fn new(
        config: &DigitsConfig,
        seed: u64,
        examples: usize,
    ) -> Result<Self, SettingError> {
        Ok(Self {
            task: Task::new(config, seed)?,
            examples,
        })
    }
}

impl Subject for Digits {
    type Task = Task;

    const NAME: &'static str = "digits";

    fn task(&self) -> &Task {
        &self.task
    }

    fn num_examples(&self) -> usize {
        self.examples
    }

    fn rows(&self) -> Vec<(Look, Vec<Cut>)> {
        mlp::rows(HIDDEN)
    }

    fn estimated(&self, look: &Look) -> bool {
        mlp::is_estimated(look, HIDDEN)
    }

    /// The digits, and the classes, which the loss shows.
    fn known(&self, drawn: &Drawn<DigitsBatch>) -> Vec<Known> {
        let names = self.task.capabilities().iter().map(|one| one.name.clone());
        let class = |digit: &Option<usize>| digit.map(|digit| digit % CLASSES);
        vec![
            Known {
                against: "digits",
                labels: drawn.labels.clone(),
                groups: self.task.capabilities().len(),
                names: names.collect(),
            },
            Known {
                against: "classes",
                labels: drawn.labels.iter().map(class).collect(),
                groups: CLASSES,
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
    fn classes_are_made_of_digits() {
        let subject = Digits::new(&DigitsConfig::default(), 0, 200).unwrap();
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let device = Device::flex();
        let drawn = subject.task.draw(200, &mut random, &device).unwrap();
        let [digits, classes] = <[Known; 2]>::try_from(subject.known(&drawn)).unwrap();
        assert_eq!((digits.groups, classes.groups), (10, 2));
        assert_eq!(digits.names[3], "digit 3");
        for (example, (digit, class)) in digits.labels.iter().zip(&classes.labels).enumerate() {
            let said = subject.task.describe(&drawn.batch, example).unwrap();
            let expected = ["even", "odd"][class.unwrap()];
            assert!(said.contains(&format!(", {expected}:")), "{said}");
            assert_eq!(digit.unwrap() % 2, class.unwrap());
        }
    }
}
