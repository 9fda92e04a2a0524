//! One draw of examples at one step: every row, the number of groups, and the aliases.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use gradual::grad::ExampleGradients;
use gradual::group::{
    adjusted_rand, homogeneity, normalised_mutual_information, purity, weight_mass_slope,
};
use gradual::measure::SCHEMA;
use gradual::prelude::*;
use gradual::train::{Task as _, TrainError};
use gradual_tasks::{Mlp, SparseParity as Task, SparseParityConfig};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::aliases::joined;
use super::line::{AliasLine, Answer, Line, RowLine};
use super::rows::{Look, first_whitened, rows};
use crate::experiment::Run;

/// The stream of random numbers of the draws: the trainer uses those before.
const STREAM: u64 = 4;
/// Runs of k-means for each number of groups that the silhouette tries.
const SILHOUETTE_RESTARTS: usize = 2;

/// All that stays the same over the steps of one run.
pub(super) struct Quality<'a> {
    task: &'a Task,
    config: &'a SparseParityConfig,
    examples: usize,
    seed: u64,
    device: Device,
}

/// A draw under the model of one step.
struct Seen {
    traced: Traced,
    tasks: Vec<Option<usize>>,
    codes: Vec<usize>,
    /// Which tasks are past half of their rise.
    learned: Vec<bool>,
}

impl<'a> Quality<'a> {
    pub(super) fn new(
        task: &'a Task,
        config: &'a SparseParityConfig,
        examples: usize,
        run: &Run<'_>,
    ) -> Self {
        Self {
            task,
            config,
            examples,
            seed: run.seed,
            device: run.device.clone(),
        }
    }

    /// Groups the examples under `model`, as it is after `step` steps.
    pub(super) fn at(&self, step: u64, model: &Mlp) -> Result<Line, TrainError> {
        let scores = self.task.evaluate(&model.valid(), &self.device)?;
        let learned: Vec<bool> = scores.iter().map(|score| score.accuracy > 0.75).collect();
        // The same examples at every step, so that only the model changes.
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(STREAM);
        let drawn = self.task.draw(self.examples, &mut random, &self.device);
        let seen = Seen {
            traced: trace(model, |m| self.task.losses(m, &drawn.batch))?,
            tasks: drawn.labels,
            codes: drawn.batch.codes().to_vec(),
            learned,
        };

        let hidden = self.config.depth;
        let (mut lines, mut aliases, mut how_many) = (Vec::new(), Vec::new(), Vec::new());
        for (look, cuts) in rows(hidden) {
            let mut metric = look.metric()?;
            metric.observe(&seen.traced.gradients)?;
            let shown = metric.apply(&seen.traced.gradients)?;
            let draw = Draw::new(&seen.traced.losses).with_gradients(&shown);
            for (against, labels, groups) in self.known(&seen) {
                for &cut in &cuts {
                    let found = cut.cut(&draw, groups, self.seed)?;
                    lines.push(RowLine {
                        grouping: cut.name().to_owned(),
                        metric: look.metric_name(),
                        part: look.part_name(),
                        layers: look.layers_name(),
                        ..self.row(&seen, found, against, &labels, groups)?
                    });
                }
            }
            if self.config.aliases > 1 {
                aliases.push(self.aliases(look, &seen, &shown)?);
            }
            if look == first_whitened(hidden) {
                how_many = self.how_many(&draw)?;
            }
        }
        lines.extend(self.references(&seen)?);
        let mean = scores.iter().map(|score| score.accuracy).sum::<f64>() / scores.len() as f64;
        Ok(Line {
            schema: SCHEMA,
            step,
            examples: self.examples as u64,
            tasks: self.config.tasks as u64,
            codes: (self.config.tasks * self.config.aliases) as u64,
            mean_accuracy: mean,
            learned: seen.learned.iter().filter(|&&learned| learned).count() as u64,
            rows: lines,
            how_many,
            aliases,
        })
    }

    /// What groups are compared with: name, label of each example, number of groups.
    fn known(&self, seen: &Seen) -> Vec<(&'static str, Vec<Option<usize>>, usize)> {
        let SparseParityConfig { tasks, aliases, .. } = *self.config;
        let mut known = vec![("tasks", seen.tasks.clone(), tasks)];
        if aliases > 1 {
            let codes = seen.codes.iter().copied().map(Some).collect();
            known.push(("codes", codes, tasks * aliases));
        }
        known
    }

    /// The measures of found groups, without the names of what found them.
    fn row(
        &self,
        seen: &Seen,
        found: Vec<Option<usize>>,
        against: &str,
        labels: &[Option<usize>],
        groups: usize,
    ) -> Result<RowLine, TrainError> {
        let purity = purity(&found, labels);
        let mut row = RowLine {
            grouping: String::new(),
            metric: String::new(),
            part: String::new(),
            layers: String::new(),
            against: against.to_owned(),
            groups: groups as u64,
            found: 0,
            adjusted_rand: adjusted_rand(&found, labels),
            mutual_information: normalised_mutual_information(&found, labels),
            purity: purity.map(|purity| purity.purity),
            purity_by_chance: purity.map(|purity| purity.chance),
            homogeneity: homogeneity(&found, labels),
            weight_mass_slope: None,
        };
        let hard = Groups::hard(found, groups, Average::Mean, &self.device)?;
        row.found = hard.sizes().iter().filter(|&&size| size > 0.0).count() as u64;
        row.weight_mass_slope = self.slope(seen, &hard)?;
        Ok(row)
    }

    /// Where the weight of a step would go, task by task.
    fn slope(&self, seen: &Seen, groups: &Groups) -> Result<Option<f64>, TrainError> {
        let composed = SumOfSquares.compose(&seen.traced.losses, groups)?;
        let coefficients = host(&composed.coefficients)?;
        let mut mass = vec![0.0; self.config.tasks];
        let mut frequency = vec![0.0; self.config.tasks];
        for (task, &coefficient) in seen.tasks.iter().zip(&coefficients) {
            if let Some(task) = *task {
                mass[task] += f64::from(coefficient).abs();
                frequency[task] += 1.0;
            }
        }
        Ok(weight_mass_slope(&mass, &frequency))
    }

    /// The true groups and random ones: between them everything else lies.
    fn references(&self, seen: &Seen) -> Result<Vec<RowLine>, TrainError> {
        let mut lines = Vec::new();
        let draw = Draw::new(&seen.traced.losses).with_labels(&seen.tasks);
        for (against, labels, groups) in self.known(seen) {
            let random = RandomGroups::new(groups, self.seed).group(&draw)?;
            let random = random.assignment().map(<[_]>::to_vec).unwrap_or_default();
            for (name, found) in [
                ("the true groups", labels.clone()),
                ("random groups", random),
            ] {
                lines.push(RowLine {
                    grouping: name.to_owned(),
                    ..self.row(seen, found, against, &labels, groups)?
                });
            }
        }
        Ok(lines)
    }

    fn aliases(
        &self,
        look: Look,
        seen: &Seen,
        shown: &ExampleGradients,
    ) -> Result<AliasLine, TrainError> {
        let cosines = host(&shown.cosine())?;
        let of = |wanted: &dyn Fn(usize) -> bool| {
            joined(&cosines, &seen.codes, self.config.aliases, wanted)
        };
        let learned = seen.learned.iter().filter(|&&learned| learned).count();
        Ok(AliasLine {
            metric: look.metric_name(),
            part: look.part_name(),
            layers: look.layers_name(),
            all: of(&|_| true),
            learned: (learned > 1).then(|| of(&|task| seen.learned[task])),
        })
    }

    /// What each rule says of the number of groups in squared cosines.
    fn how_many(&self, draw: &Draw<'_>) -> Result<Vec<Answer>, TrainError> {
        // Room for more than there are.
        let most = (self.config.tasks * self.config.aliases * 3 / 2).max(32);
        let spectral = |rule| Spectral::new(rule, self.seed).with_at_most(most);
        let answer = |rule: &str, groups: usize| Answer {
            rule: rule.to_owned(),
            groups: groups as u64,
        };
        let cheap = spectral(HowMany::Eigengap).group(draw)?;
        let cheap = cheap.estimates().iter();
        let mut answers: Vec<Answer> = cheap.map(|&(rule, said)| answer(rule, said)).collect();
        let mut silhouette = spectral(HowMany::Silhouette).with_restarts(SILHOUETTE_RESTARTS);
        let said = silhouette.group(draw)?.count();
        answers.push(answer(HowMany::Silhouette.name(), said));
        Ok(answers)
    }
}

/// The entries of a tensor, row-major.
fn host<const D: usize>(tensor: &Tensor<D>) -> Result<Vec<f32>, TrainError> {
    let data = tensor.clone().into_data().convert::<f32>();
    data.try_to_vec().map_err(|problem| TrainError::Read {
        operation: "grouping quality",
        problem: format!("{problem:?}"),
    })
}
