//! The experiment on text skills.

use gradual::prelude::*;
use gradual::train::{Drawn, TrainError};
use gradual_tasks::skills::{Alphabet, Skill, SkillError};
use gradual_tasks::{Skills as Task, SkillsBatch, SkillsConfig};

use super::cut::Cut;
use super::decoder;
use super::features;
use super::look::Look;
use super::subject::{Control, Known, Subject};

/// The skills, and the decoder that learns them.
pub(crate) struct Skills {
    task: Task,
    blocks: usize,
    examples: usize,
}

impl Skills {
    /// The task of a seed, of which so many examples are grouped.
    pub(crate) fn new(
        config: &SkillsConfig,
        seed: u64,
        examples: usize,
    ) -> Result<Self, SkillError> {
        Ok(Self {
            task: Task::new(config, seed)?,
            blocks: config.layers,
            examples,
        })
    }
}

impl Subject for Skills {
    type Task = Task;

    const NAME: &'static str = "text skills";

    fn task(&self) -> &Task {
        &self.task
    }

    fn num_examples(&self) -> usize {
        self.examples
    }

    fn rows(&self) -> Vec<(Look, Vec<Cut>)> {
        decoder::rows(self.blocks)
    }

    fn estimated(&self, look: &Look) -> bool {
        decoder::is_estimated(look)
    }

    fn known(&self, drawn: &Drawn<SkillsBatch>) -> Vec<Known> {
        vec![Known {
            against: "skills",
            labels: drawn.labels.clone(),
            groups: Skill::TRAINED.len(),
            names: Skill::TRAINED.map(|skill| skill.name().to_owned()).to_vec(),
        }]
    }

    fn controls(&self, drawn: &Drawn<SkillsBatch>) -> Result<Vec<Control>, TrainError> {
        Ok(vec![Control {
            name: "counts of characters",
            traced: counted(&drawn.batch)?,
            rows: features::inputs(),
        }])
    }
}

/// How often each character stands in each example, as the gradient of a linear model of these counts.
fn counted(batch: &SkillsBatch) -> Result<Traced, TrainError> {
    let tokens = batch.tokens();
    let [n, t] = tokens.dims();
    let mut counts = vec![0.0f32; n * Alphabet::SIZE];
    for (example, ids) in features::ids(tokens)?.chunks(t.max(1)).enumerate() {
        let characters = ids.iter().filter(|&&id| id != Alphabet::PAD as usize);
        for id in characters.filter(|&&id| id < Alphabet::SIZE) {
            counts[example * Alphabet::SIZE + id] += 1.0;
        }
    }
    features::traced(counts, Alphabet::SIZE, &tokens.device())
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use gradual::train::Task as _;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn the_control_counts_characters() {
        let task = Task::new(&SkillsConfig::default(), 0).unwrap();
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let drawn = task.draw(20, &mut random, &Device::flex()).unwrap();
        let rows = counted(&drawn.batch).unwrap().gradients.rows();
        assert_eq!(rows.dims(), [20, Alphabet::SIZE]);
        let rows: Vec<f32> = rows.into_data().try_to_vec().unwrap();
        let rows: Vec<&[f32]> = rows.chunks(Alphabet::SIZE).collect();
        assert!(rows.iter().all(|row| row[Alphabet::PAD as usize] == 0.0));
        let plus = Alphabet.id('+').unwrap() as usize;
        let add = Skill::Add.group();
        for (row, label) in rows.iter().zip(&drawn.labels) {
            assert_eq!(row[plus], f32::from(u8::from(*label == add)), "{label:?}");
        }
    }
}
