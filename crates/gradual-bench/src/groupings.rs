//! What a whole step costs under each grouping of the registry, as a multiple of an ordinary step.

use std::path::Path;
use std::time::Instant;

use anyhow::Context as _;
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::Device;
use gradual::group::registry::GROUPINGS;
use gradual::group::registry::GroupingContext;
use gradual::prelude::*;
use gradual::runs::files::replace;
use gradual::runs::streams::say;
use gradual_backends::backend::Backend;
use gradual_tasks::Mlp;

use crate::model::{Model, WIDTH};
use crate::threads::on_threads;

/// Examples of a draw, and groups.
const DRAW: usize = 128;
const GROUPS: usize = 8;

/// Standing examples, where a grouping has them.
const STANDING: usize = 512;

/// One grouping as it is timed: its name, and what it is written as.
fn specs() -> Vec<(&'static str, String)> {
    let mut specs = Vec::new();
    for entry in GROUPINGS.iter() {
        let mut given = Vec::new();
        for parameter in entry.parameters {
            match (parameter.name, parameter.default()) {
                ("k", _) => given.push(format!("k = {GROUPS}")),
                ("examples", _) => given.push(format!("examples = {STANDING}")),
                // The only parameter without a default: a share of noise.
                (name, None) => given.push(format!("{name} = 0.3")),
                _ => {}
            }
        }
        specs.push((entry.name, format!("{}({})", entry.name, given.join(", "))));
    }
    specs
}

/// A model, its optimizer, and the objective that it is trained under; none for the ordinary step.
struct Learner {
    model: Mlp,
    optimizer: ModuleOptimizer,
    objective: Option<Objective>,
    seconds: f64,
}

/// Times `rounds` steps under each grouping in turn, and writes `groupings.csv` into the folder.
pub(crate) fn run(
    backend: &Backend,
    threads: usize,
    rounds: usize,
    folder: &Path,
) -> anyhow::Result<()> {
    let ratios = on_threads(threads, || measure(&backend.device, rounds))??;
    let mut csv = String::from("name,ratio\n");
    for (name, ratio) in ratios {
        csv += &format!("{name},{ratio:.1}\n");
    }
    let path = folder.join("groupings.csv");
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    replace(&path, &csv)?;
    Ok(say(csv.trim_end())?)
}

fn measure(device: &Device, rounds: usize) -> anyhow::Result<Vec<(&'static str, f64)>> {
    let specs = specs();
    let learner = |objective| Learner {
        model: Mlp::fresh(&WIDTH, &device.clone().autodiff()),
        optimizer: AdamConfig::new().init(),
        objective,
        seconds: 0.0,
    };
    let mut learners = vec![learner(None)];
    for (_, spec) in &specs {
        let context = GroupingContext {
            num_groups: GROUPS,
            seed: 0,
            metric: None,
        };
        let grouping = GROUPINGS.build(&spec.parse()?, context)?;
        learners.push(learner(Some(Objective::new(grouping, SumOfSquares))));
    }
    let draw = Mlp::draw(&WIDTH, DRAW, device);
    let standing = Mlp::draw(&WIDTH, STANDING, device);
    let labels: Vec<Option<usize>> = (0..DRAW).map(|j| Some(j % GROUPS)).collect();
    for round in 0..=rounds {
        let mut next = Vec::with_capacity(learners.len());
        for one in learners {
            next.push(one.stepped(&draw, &standing, &labels, device, round > 0)?);
        }
        learners = next;
    }
    let ordinary = learners[0].seconds;
    let names = specs.iter().map(|(name, _)| *name);
    let ratios = learners[1..].iter().map(|one| one.seconds / ordinary);
    Ok(names.zip(ratios).collect())
}

impl Learner {
    /// One step; the model is taken and not cloned, since a second owner of its weights would make Adam copy them.
    fn stepped(
        mut self,
        draw: &<Mlp as Model>::Draw,
        standing: &<Mlp as Model>::Draw,
        labels: &[Option<usize>],
        device: &Device,
        counts: bool,
    ) -> anyhow::Result<Self> {
        let started = Instant::now();
        let update = match &mut self.objective {
            None => {
                let loss = self.model.losses(draw).mean();
                GradientsParams::from_grads(loss.backward(), &self.model)
            }
            Some(objective) => {
                if objective.wants().is_some() {
                    stand(&self.model, objective, |m| m.losses(standing))?;
                }
                step(&self.model, objective, Some(labels), |m| m.losses(draw))?.update
            }
        };
        self.model = self.optimizer.step(1e-3, self.model, update);
        let synced = device.sync();
        synced.map_err(|error| anyhow::anyhow!("sync: {error:?}"))?;
        // The first round warms up.
        if counts {
            self.seconds += started.elapsed().as_secs_f64();
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_grouping_is_timed() {
        let ratios = measure(&Device::flex(), 1).unwrap();
        assert_eq!(ratios.len(), GROUPINGS.names().count());
        assert!(
            ratios
                .iter()
                .all(|(_, ratio)| ratio.is_finite() && *ratio > 0.0)
        );
    }
}
