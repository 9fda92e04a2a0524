//! What an experiment is.

use std::path::{Path, PathBuf};

use anyhow::bail;
use burn::optim::{AdamConfig, ModuleOptimizer};
use burn::tensor::Device;
use gradual::measure::Claim;
use gradual::runs::ArmRecord;
use gradual::train::{
    End, Ended, Interrupt, NotFinite, Objective, Progress, RunFolder, Sampler, Snapshot, Task,
    TaskMixture, TrainError, Trainer, TrainerConfig,
};
use serde_json::Value;

use crate::arms;

/// One choice of grouping and composition within an experiment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arm {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
}

impl Arm {
    pub(crate) fn record(self) -> ArmRecord {
        ArmRecord {
            name: self.name.to_owned(),
            about: self.about.to_owned(),
            control: arms::control(self.name).map(str::to_owned),
        }
    }
}

/// How long and how large, by default.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) seeds: u64,
    pub(crate) steps: u64,
    pub(crate) draw: usize,
}

/// What a person asked for beyond the experiment's name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    pub(crate) quick: bool,
    pub(crate) data: Option<Data>,
    pub(crate) aliases: Option<usize>,
    pub(crate) depth: Option<usize>,
}

impl Options {
    /// Refuses what an experiment whose task is not sparse parity can't follow.
    pub(crate) fn without_parity(&self, experiment: &str) -> anyhow::Result<()> {
        let given = [("--aliases", self.aliases), ("--depth", self.depth)];
        match given.into_iter().find(|(_, value)| value.is_some()) {
            Some((flag, _)) => bail!(
                "experiment {experiment} has no {flag}; it goes with `sparse-parity` and \
                 `grouping-quality`"
            ),
            None => Ok(()),
        }
    }
}

/// A user's own table.
#[derive(Debug, Clone)]
pub(crate) struct Data {
    pub(crate) file: PathBuf,
    pub(crate) label: String,
    pub(crate) group: String,
}

/// An experiment: a task, arms that learn it, and claims about them.
pub(crate) trait Experiment: Sync {
    /// Its name on the command line.
    fn name(&self) -> &'static str;
    /// Its title in the report.
    fn title(&self) -> &'static str;
    /// One line for the list.
    fn about(&self) -> &'static str;
    /// What it tests.
    fn claim(&self) -> &'static str;
    /// The arm that others are compared with.
    fn baseline(&self) -> &'static str;
    /// The arms that run when none is named, in the order of the report.
    fn arms(&self) -> Vec<Arm>;
    /// The arms that run only when named.
    fn more_arms(&self) -> Vec<Arm> {
        Vec::new()
    }
    /// The claims, as data.
    fn claims(&self) -> Vec<Claim>;
    /// Its size when no flag says otherwise.
    fn size(&self, options: &Options) -> Size;
    /// Everything else that its numbers depend on.
    fn settings(&self, options: &Options) -> anyhow::Result<Value>;
    /// Whether `arm` can group draws of `draw` examples, as far as can be known before it runs.
    fn check(&self, arm: &str, draw: usize, options: &Options) -> anyhow::Result<()> {
        let _ = (arm, draw, options);
        Ok(())
    }
    /// One run, written down in `book`.
    fn run(&self, run: &Run<'_>, book: Book) -> anyhow::Result<Finished>;
    /// Writes the report of the runs in `folder`.
    fn report(&self, folder: &Path) -> anyhow::Result<Written> {
        Ok(Written {
            page: gradual_report::report(folder)?,
            text: None,
        })
    }
}

/// A report.
#[derive(Debug)]
pub(crate) struct Written {
    /// Its page.
    pub(crate) page: PathBuf,
    /// What to print of it beside the path of the page.
    pub(crate) text: Option<String>,
}

/// One run of one arm.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run<'a> {
    pub(crate) arm: &'static str,
    pub(crate) seed: u64,
    pub(crate) steps: u64,
    pub(crate) draw: usize,
    pub(crate) options: &'a Options,
    pub(crate) device: &'a Device,
    pub(crate) interrupt: &'a Interrupt,
}

/// Where a run is written down, shown, and goes on from.
#[derive(Debug)]
pub(crate) struct Book {
    pub(crate) folder: RunFolder,
    pub(crate) snapshot: Option<Snapshot>,
    pub(crate) progress: Progress,
}

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) end: End,
    pub(crate) step: u64,
}

impl<M> From<Ended<M>> for Finished {
    fn from(ended: Ended<M>) -> Self {
        Self {
            end: ended.end,
            step: ended.step,
        }
    }
}

impl Run<'_> {
    /// A trainer of this run, which draws what `sampler` says (by default what the task gives), at `rate` or
    /// the slower one of the arm.
    pub(crate) fn trainer<'t, T: Task>(
        &self,
        task: &'t T,
        objective: Objective,
        sampler: Option<Box<dyn Sampler>>,
        (rate, every): (f64, u64),
        book: Book,
    ) -> Trainer<'t, T> {
        let config = TrainerConfig {
            steps: self.steps,
            draw: self.draw,
            parts: 1,
            every,
            seed: self.seed,
            not_finite: NotFinite::Stop,
            verify: true,
        };
        Trainer::new(task, objective, adam(), self.device, config)
            .with_rate(rate / f64::from(arms::slowdown(self.arm)))
            .with_boxed_sampler(sampler.unwrap_or_else(|| Box::new(TaskMixture)))
            .interrupted_by(self.interrupt)
            .observe(book.folder)
            .observe(book.progress)
            .resume(book.snapshot)
    }

    /// Trains a model of `task` under `objective`.
    pub(crate) fn train<T: Task>(
        &self,
        task: &T,
        objective: Objective,
        sampler: Option<Box<dyn Sampler>>,
        pace: (f64, u64),
        book: Book,
    ) -> Result<Finished, TrainError> {
        let trainer = self.trainer(task, objective, sampler, pace, book);
        Ok(trainer.run()?.into())
    }
}

/// Adam with the constants of its paper (Kingma & Ba 2015).
pub(crate) fn adam() -> ModuleOptimizer {
    AdamConfig::new().with_epsilon(1e-8).init()
}

/// All arms, those that run only when named last.
fn all_arms(experiment: &dyn Experiment) -> impl Iterator<Item = Arm> {
    let (arms, more) = (experiment.arms(), experiment.more_arms());
    arms.into_iter().chain(more)
}

/// The arms that were asked for by name, or those that run without being asked for.
pub(crate) fn choose_arms(
    experiment: &dyn Experiment,
    names: &[String],
) -> anyhow::Result<Vec<Arm>> {
    if names.is_empty() {
        return Ok(experiment.arms());
    }
    let known: Vec<&str> = all_arms(experiment).map(|arm| arm.name).collect();
    if let Some(unknown) = names.iter().find(|name| !known.contains(&name.as_str())) {
        let name = experiment.name();
        bail!(
            "experiment {name} has no arm '{unknown}'; its arms are {}",
            known.join(", ")
        );
    }
    let wanted = |arm: &Arm| names.iter().any(|name| name == arm.name);
    Ok(all_arms(experiment).filter(wanted).collect())
}
