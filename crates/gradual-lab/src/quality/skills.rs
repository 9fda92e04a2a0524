//! The experiment on text skills, layer by layer of the decoder.

use gradual::grad::Part::{Gradients, Inputs, OutputGradients};
use gradual::prelude::*;
use gradual::train::{Drawn, TrainError};
use gradual_tasks::skills::{Alphabet, Skill, SkillError};
use gradual_tasks::{Skills as Task, SkillsBatch, SkillsConfig};

use super::cut::Cut;
use super::features;
use super::look::{KRONECKER, Layers, Look, RAW, WHITE};
use super::subject::{Control, Known, Subject};

/// The skills, and the decoder that learns them.
pub(crate) struct Decoder {
    task: Task,
    blocks: usize,
    examples: usize,
}

impl Decoder {
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

impl Subject for Decoder {
    type Task = Task;

    const NAME: &'static str = "text skills";

    fn task(&self) -> &Task {
        &self.task
    }

    fn num_examples(&self) -> usize {
        self.examples
    }

    fn rows(&self) -> Vec<(Look, Vec<Cut>)> {
        rows(self.blocks)
    }

    fn estimated(&self, look: &Look) -> bool {
        look.whitening != RAW && look.part == Gradients
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
            rows: characters(),
        }])
    }
}

/// How often each character stands in each example, as the gradient of a linear model of these counts.
fn counted(batch: &SkillsBatch) -> Result<Traced, TrainError> {
    let tokens = batch.tokens();
    let [n, t] = tokens.dims();
    let data = tokens.clone().into_data().convert::<i64>();
    let ids: Vec<i64> = data.try_to_vec().map_err(|problem| TrainError::Read {
        operation: "grouping quality: tokens",
        problem: format!("{problem:?}"),
    })?;
    let mut counts = vec![0.0f32; n * Alphabet::SIZE];
    for (example, ids) in ids.chunks(t.max(1)).enumerate() {
        let characters = ids.iter().filter_map(|&id| usize::try_from(id).ok());
        for id in characters.filter(|&id| id != Alphabet::PAD as usize && id < Alphabet::SIZE) {
            counts[example * Alphabet::SIZE + id] += 1.0;
        }
    }
    features::traced(counts, Alphabet::SIZE, &tokens.device())
}

/// How counts of characters are looked at and cut.
fn characters() -> Vec<(Look, Vec<Cut>)> {
    let cuts = vec![
        Cut::KMeans,
        Cut::Spectral(Similarity::Squared),
        Cut::Spectral(Similarity::Angular),
        Cut::Eigengap,
        Cut::Diffusion,
    ];
    [RAW, WHITE, KRONECKER]
        .map(|whitening| {
            (
                Look::new(whitening, Inputs, &features::layers()),
                cuts.clone(),
            )
        })
        .into()
}

/// The weights of the decoder one by one, from its inputs on.
///
/// Embedding and read-out are one weight, whose gradient is the sum over both uses. The positions
/// show what reaches the embedding, the last norm what reaches the read-out.
fn weights(blocks: usize) -> Vec<Layers> {
    let mut weights = vec![
        Layers::of("embedding and read-out", ["embedding.weight".to_owned()]),
        Layers::of("positions", ["positions".to_owned()]),
    ];
    for block in 0..blocks {
        for weight in ["query", "key", "value", "output"] {
            let path = format!("blocks.{block}.attention.{weight}.weight");
            weights.push(Layers::of(format!("{weight} {}", block + 1), [path]));
        }
        for weight in ["up", "down"] {
            let path = format!("blocks.{block}.{weight}.weight");
            weights.push(Layers::of(format!("{weight} {}", block + 1), [path]));
        }
    }
    weights.push(Layers::of("last norm", ["norm.*".to_owned()]));
    weights
}

/// Weights that belong together.
fn parts(blocks: usize) -> Vec<Layers> {
    let of = |block| {
        let attention = Layers::of(
            format!("attention {}", block + 1),
            [format!("blocks.{block}.attention.*.weight")],
        );
        let forward = Layers::of(
            format!("feed-forward {}", block + 1),
            ["up", "down"].map(|weight| format!("blocks.{block}.{weight}.weight")),
        );
        [attention, forward]
    };
    (0..blocks).flat_map(of).collect()
}

/// All rows for a decoder with so many blocks: looks, and how each is cut.
fn rows(blocks: usize) -> Vec<(Look, Vec<Cut>)> {
    use Similarity::{Angular, Squared};
    let squared = || vec![Cut::Spectral(Squared)];
    let whitened = || {
        vec![
            Cut::Spectral(Squared),
            Cut::Spectral(Angular),
            Cut::Singular,
            Cut::Eigengap,
            Cut::Diffusion,
        ]
    };
    let raw = vec![Cut::KMeans, Cut::Spectral(Squared), Cut::Singular];
    let mut rows = Vec::new();
    for layers in weights(blocks).into_iter().chain([Layers::all()]) {
        let look = |whitening| Look::new(whitening, Gradients, &layers);
        rows.push((look(RAW), raw.clone()));
        rows.push((look(WHITE), whitened()));
        rows.push((look(KRONECKER), whitened()));
    }
    for layers in parts(blocks) {
        for whitening in [WHITE, KRONECKER] {
            rows.push((Look::new(whitening, Gradients, &layers), squared()));
        }
    }
    let sides = |layers: &Layers| layers.globs[0].starts_with("blocks");
    for layers in weights(blocks).iter().filter(|layers| sides(layers)) {
        // Query, key and value have the same inputs.
        let same = ["key", "value"]
            .iter()
            .any(|name| layers.name.starts_with(name));
        for whitening in [WHITE, KRONECKER] {
            if !same {
                rows.push((Look::new(whitening, Inputs, layers), squared()));
            }
            rows.push((Look::new(whitening, OutputGradients, layers), squared()));
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use gradual::train::Task as _;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn every_weight_is_there_and_every_row_has_a_name_of_its_own() {
        let config = SkillsConfig {
            width: 8,
            hidden: 8,
            layers: 2,
            ..SkillsConfig::default()
        };
        let task = Task::new(&config, 0).unwrap();
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let model = task.model(&mut random, &Device::flex().autodiff());
        let drawn = task.draw(12, &mut random, &Device::flex()).unwrap();
        let traced = trace(&model, |m| task.losses(m, &drawn.batch)).unwrap();
        let mut names = Vec::new();
        for (look, cuts) in rows(2) {
            let mut metric = look.metric().unwrap();
            metric.observe(&traced.gradients).unwrap();
            let norms = metric.apply(&traced.gradients).unwrap().norms();
            assert!(norms.sum().into_scalar::<f32>() > 0.0, "{}", look.name());
            names.extend(
                cuts.iter()
                    .map(|cut| format!("{} {}", cut.name(), look.name())),
            );
        }
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), all);
    }

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
