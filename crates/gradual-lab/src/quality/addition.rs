//! The experiment on addition, digit by digit.

use gradual::train::{Drawn, Task as _, TrainError};
use gradual_tasks::{Addition as Task, AdditionBatch, AdditionConfig, SettingError};

use super::cut::Cut;
use super::decoder;
use super::features;
use super::look::Look;
use super::subject::{Control, Known, Subject};

/// The places of a sum with and without a carry, and the decoder that learns them.
pub(crate) struct Addition {
    task: Task,
    config: AdditionConfig,
    examples: usize,
}

impl Addition {
    /// The task of a seed, of which so many examples are grouped.
    pub(crate) fn new(
        config: &AdditionConfig,
        seed: u64,
        examples: usize,
    ) -> Result<Self, SettingError> {
        Ok(Self {
            task: Task::new(config, seed)?,
            config: config.clone(),
            examples,
        })
    }
}

impl Subject for Addition {
    type Task = Task;

    const NAME: &'static str = "addition";

    fn task(&self) -> &Task {
        &self.task
    }

    fn num_examples(&self) -> usize {
        self.examples
    }

    fn rows(&self) -> Vec<(Look, Vec<Cut>)> {
        decoder::rows(self.config.layers)
    }

    fn estimated(&self, look: &Look) -> bool {
        decoder::is_estimated(look)
    }

    /// The places with and without a carry, and the places alone, which inputs show.
    fn known(&self, drawn: &Drawn<AdditionBatch>) -> Vec<Known> {
        let names = self.task.capabilities().iter().map(|one| one.name.clone());
        vec![
            Known {
                against: "skills",
                labels: drawn.labels.clone(),
                groups: self.task.capabilities().len(),
                names: names.collect(),
            },
            Known {
                against: "places",
                labels: drawn.batch.places().map(Some).collect(),
                groups: self.config.digits + 1,
                names: Vec::new(),
            },
        ]
    }

    fn controls(&self, drawn: &Drawn<AdditionBatch>) -> Result<Vec<Control>, TrainError> {
        Ok(vec![Control {
            name: "tokens by position",
            traced: features::by_position(drawn.batch.tokens(), AdditionBatch::TOKENS)?,
            rows: features::inputs(),
        }])
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Each position shows one token, and two examples alike where they have the same token there.
    #[test]
    fn the_control_shows_every_position() {
        let subject = Addition::new(&AdditionConfig::default(), 0, 20).unwrap();
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let drawn = subject.task.draw(20, &mut random, &Device::flex()).unwrap();
        let controls = subject.controls(&drawn).unwrap();
        let rows = controls[0].traced.gradients.rows();
        assert_eq!(rows.dims(), [20, 11 * AdditionBatch::TOKENS]);
        let rows: Vec<f32> = rows.into_data().try_to_vec().unwrap();
        let tokens = drawn.batch.tokens().clone().into_data().convert::<i64>();
        let tokens: Vec<i64> = tokens.try_to_vec().unwrap();
        for (row, token) in rows.chunks(AdditionBatch::TOKENS).zip(tokens) {
            let ones: Vec<usize> = (0..row.len()).filter(|&at| row[at] == 1.0).collect();
            assert_eq!(ones, [token as usize]);
        }
        let known = subject.known(&drawn);
        assert_eq!(
            known.iter().map(|one| one.groups).collect::<Vec<_>>(),
            [6, 4]
        );
        // Skills are finer than places.
        for (skill, place) in known[0].labels.iter().zip(&known[1].labels) {
            assert_eq!(skill.unwrap().div_ceil(2), place.unwrap());
        }
    }
}
