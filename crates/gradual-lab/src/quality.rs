//! Which groupings of which gradients find the capabilities, before, during and after they emerge.

mod addition;
mod aliases;
mod cut;
mod decoder;
mod digits;
mod features;
mod kernel;
mod line;
mod look;
mod measure;
mod mlp;
mod parity;
mod report;
mod skills;
mod subject;
mod subpopulations;
mod trajectory;

pub(crate) use addition::Addition;
pub(crate) use digits::Digits;
pub(crate) use parity::Parity;
pub(crate) use skills::Skills;
pub(crate) use subpopulations::Subpopulations;

use std::cell::Cell;
use std::path::Path;

use gradual::runs::Record;
use gradual::runs::streams::tell;
use gradual::train::{Capability, End, Interrupt, Task as _};
use serde::Serialize;
use serde_json::Value;

use crate::training::{AnyTask, Finished, Run, Setting, Written, trained, trainer, written_down};
use measure::Measure;
use subject::Subject;
use trajectory::Trajectories;

/// Evaluations beside the run folder's usual ones, a line for each step that is looked at.
const FILE: &str = "quality.jsonl";

/// The arm along which groups are looked at. The others show what training on groups gives.
pub(crate) const LOOKED_AT: &str = "erm";

/// When groups are looked at along a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Quality {
    /// Examples that are grouped.
    pub(crate) examples: usize,
    /// The steps after which they are, beside the last.
    pub(crate) steps: Vec<u64>,
}

/// A task whose examples are grouped in many ways along a run, and held against its capabilities.
pub(crate) struct Watched<C, F> {
    config: C,
    quality: Quality,
    make: F,
}

impl<C, F> Watched<C, F> {
    /// The subjects that `make` makes of the configuration, a seed, and the number of examples that are grouped.
    pub(crate) fn new(config: C, quality: Quality, make: F) -> Self {
        Self {
            config,
            quality,
            make,
        }
    }
}

impl<C, F> Watched<C, F> {
    fn subject<S, E>(&self, seed: u64) -> anyhow::Result<S>
    where
        F: Fn(&C, u64, usize) -> Result<S, E>,
        E: Into<anyhow::Error>,
    {
        (self.make)(&self.config, seed, self.quality.examples).map_err(Into::into)
    }
}

impl<C, F, S, E> AnyTask for Watched<C, F>
where
    C: Serialize + Send + Sync,
    F: Fn(&C, u64, usize) -> Result<S, E> + Send + Sync,
    S: Subject,
    E: Into<anyhow::Error>,
{
    fn settings(&self) -> anyhow::Result<Value> {
        let mut settings = serde_json::to_value(&self.config)?;
        if let Some(fields) = settings.as_object_mut() {
            fields.insert(
                String::from("quality"),
                serde_json::to_value(&self.quality)?,
            );
        }
        Ok(settings)
    }

    fn capabilities(&self) -> anyhow::Result<Vec<Capability>> {
        Ok(self.subject(0)?.task().capabilities().to_vec())
    }

    fn try_first_step(&self, setting: Setting<'_>) -> anyhow::Result<()> {
        let subject = self.subject(setting.seed)?;
        if setting.arm.name == LOOKED_AT {
            let after = |step: &&u64| **step > setting.steps;
            if let Some(step) = self.quality.steps.iter().find(after) {
                tell(format_args!(
                    "note: quality.steps names step {step}, and the run ends after {}",
                    setting.steps
                ));
            }
            let interrupt = Interrupt::default();
            Measure::new(&subject, setting.seed, setting.device, &interrupt).check_size()?;
        }
        Ok(trainer(subject.task(), None, setting)?.try_first_step()?)
    }

    fn journals(&self) -> &[&str] {
        &[FILE, trajectory::FILE]
    }

    fn train(&self, run: Run<'_>) -> anyhow::Result<Finished> {
        let setting = run.setting;
        let subject = self.subject(setting.seed)?;
        if setting.arm.name != LOOKED_AT {
            return trained(subject.task(), None, run);
        }
        let mut journal = run.folder.journal(FILE)?;
        let losses = run.folder.journal(trajectory::FILE)?;
        let mut losses = Trajectories::new(run.folder.path(), losses)?;
        let interrupt = run.interrupt;
        let measure = Measure::new(&subject, setting.seed, setting.device, interrupt);
        let reached = Cell::new(0);
        let (last, every) = (setting.steps, setting.evaluate_every);
        let trainer = trainer(subject.task(), None, setting)?;
        let watched = written_down(trainer, run).watch(|step, model| {
            reached.set(step);
            let looked_at = step == last || self.quality.steps.contains(&step);
            if looked_at || step.is_multiple_of(every) {
                losses.add(step, measure.losses(model)?)?;
            }
            match looked_at {
                true => Ok(journal.append(measure.at(step, model, &losses)?.to_line()?)?),
                false => Ok(()),
            }
        });
        match watched.run() {
            // It goes on from the checkpoint before, and looks again.
            Err(_) if measure.was_given_up() => Ok(Finished {
                end: End::Interrupted,
                step: reached.get(),
            }),
            ended => Ok(ended?.into()),
        }
    }

    fn report(&self, folder: &Path, interrupt: &Interrupt) -> anyhow::Result<Written> {
        report::write(folder, FILE, S::NAME, interrupt)
    }
}
