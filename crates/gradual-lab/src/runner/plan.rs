//! What is to be run, checked before anything is.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use anyhow::{Context as _, anyhow, bail};
use gradual::group::GroupError;
use gradual::train::{Interrupt, TrainError};
use gradual_backends::backend::Backend;
use serde_json::Value;

use crate::arm::Arm;
use crate::experiment::Experiment;
use crate::training::{Setting, num_groups};

/// Largest number of each. Each is more than any machine has time or room for, and small enough to be counted with.
const SEEDS: u64 = 10_000;
const STEPS: u64 = 1_000_000_000;
const DRAW: usize = 1_000_000;
const EVALUATIONS: u64 = 1_000_000;
/// Of examples whose gradients are compared: the inner products of so many take 4 GiB in single precision.
const COMPARED: usize = 32_768;

/// Everything that the runs of one experiment share.
pub(crate) struct Plan<'a> {
    pub(crate) experiment: &'a Experiment,
    /// With complete recipes.
    pub(crate) arms: Vec<Arm>,
    /// Of the arms that have no number of their own.
    pub(crate) seeds: u64,
    pub(crate) steps: u64,
    pub(crate) draw: usize,
    pub(crate) evaluate_every: u64,
    pub(crate) jobs: usize,
    pub(crate) fresh: bool,
    /// Steps between checkpoints; a twentieth of the run if not said.
    pub(crate) checkpoint_every: Option<u64>,
    /// Whether event files are written.
    pub(crate) tensorboard: bool,
    /// Those of the task.
    pub(crate) settings: Value,
    pub(crate) backend: Backend,
    /// `runs/<experiment>`.
    pub(crate) folder: PathBuf,
}

impl Plan<'_> {
    /// Seeds of this arm.
    pub(super) fn seeds(&self, arm: &Arm) -> u64 {
        arm.seeds.map_or(self.seeds, u64::from)
    }

    /// Optimizer steps of a run of this arm.
    pub(super) fn steps(&self, arm: &Arm) -> u64 {
        self.steps * u64::from(arm.recipe.slowdown)
    }

    /// Examples per step of this arm.
    pub(super) fn draw(&self, arm: &Arm) -> usize {
        arm.recipe
            .draw
            .map_or(self.draw, |draw| draw.get() as usize)
    }

    /// What an arm does in each of its phases, and the steps that a sampler counts there.
    fn phases(&self, arm: &Arm) -> impl Iterator<Item = (Arm, u64)> + use<> {
        let whole = self.steps(arm);
        let second = arm.recipe.second_phase(whole);
        let left = second.map(|(after, _)| whole - after);
        arm.phases().zip(std::iter::once(whole).chain(left))
    }

    /// What this arm learns with this seed.
    pub(super) fn setting<'a>(&'a self, arm: &'a Arm, seed: u64) -> Setting<'a> {
        Setting {
            arm,
            seed,
            steps: self.steps(arm),
            draw: self.draw(arm),
            evaluate_every: self.evaluate_every,
            device: &self.backend.device,
        }
    }

    /// Refuses arms that can't group draws of the size that was asked for, before any of the others runs.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        self.check_sizes()?;
        let capabilities = self.experiment.task.capabilities()?;
        let groups = num_groups(&capabilities);
        let frequencies: Vec<f64> = capabilities.iter().map(|each| each.frequency).collect();
        let phases: Vec<(Arm, u64)> = self.arms.iter().flat_map(|arm| self.phases(arm)).collect();
        for (arm, steps) in &phases {
            if !self.experiment.task.has_known_groups() && arm.needs_known_groups()? {
                bail!(
                    "arm {}: it needs groups, and no example is labelled with one; nothing was run: leave it out with \
                     --arms, give the data groups, or say how many it finds, as in k = 8",
                    arm.name
                );
            }
            let sampler = arm.recipe.sampler(&frequencies, *steps).map(drop);
            let lens = || match arm.recipe.lens(groups, 0)? {
                Some(lens) => Ok(lens.check()?),
                None => Ok(()),
            };
            sampler
                .and_then(|()| arm.recipe.optimizer().map(drop))
                .and_then(|()| lens())
                .with_context(|| format!("arm {}", arm.name))?;
        }
        let mut refused = Vec::new();
        let mut least = 0;
        for (arm, _) in &phases {
            let checked = arm.objective(groups, 0).and_then(|objective| {
                let draw = self.draw(arm);
                if objective.needs_gradients() && draw > COMPARED {
                    bail!(
                        "draw = {draw}, but gradients are compared of at most {COMPARED} examples"
                    );
                }
                Ok(objective.check(draw)?)
            });
            let Err(error) = checked else {
                continue;
            };
            // Whatever else is wrong is no matter of the draw.
            let Some(TrainError::Group(GroupError::TooManyGroups { groups, .. })) =
                error.downcast_ref()
            else {
                return Err(error.context(format!("arm {}", arm.name)));
            };
            least = least.max(*groups);
            refused.push((arm, error.to_string()));
        }
        if refused.is_empty() {
            return Ok(());
        }
        let fits = |arm: &&Arm| refused.iter().all(|(other, _)| other.name != arm.name);
        let others: Vec<&str> = (self.arms.iter().filter(fits))
            .map(|arm| arm.name.as_str())
            .collect();
        let without = match others.as_slice() {
            [] => String::new(),
            others => format!(", or leave them out with --arms {}", others.join(",")),
        };
        // Where standing examples are too few, the draw makes no difference.
        let draw_helps = refused.iter().all(|(arm, _)| {
            let objective = arm.objective(groups, 0);
            objective.is_ok_and(|objective| objective.check(least).is_ok())
        });
        let way_out = match draw_helps {
            true => format!("give --draw {least}"),
            false => String::from("change these arms"),
        };
        let said = refused
            .iter()
            .map(|(arm, said)| format!("arm {}: {said}", arm.name));
        bail!(
            "{}; nothing was run: {way_out}{without}",
            said.collect::<Vec<_>>().join("; ")
        )
    }

    /// Refuses numbers that no machine has room or time for.
    fn check_sizes(&self) -> anyhow::Result<()> {
        for (what, number, most) in [
            ("seeds", self.seeds, SEEDS),
            ("steps", self.steps, STEPS),
            ("draw", self.draw as u64, DRAW as u64),
        ] {
            if number > most {
                bail!("{what} = {number}, but it is at most {most}");
            }
        }
        for arm in &self.arms {
            let seeds = self.seeds(arm);
            if seeds > SEEDS {
                bail!(
                    "arm {}: seeds = {seeds}, but it is at most {SEEDS}",
                    arm.name
                );
            }
            let draw = self.draw(arm);
            if draw > DRAW {
                bail!("arm {}: draw = {draw}, but it is at most {DRAW}", arm.name);
            }
            let steps = self.steps(arm);
            if let Some((after, _)) = arm.recipe.second_phase(steps)
                && (after == 0 || after >= steps)
            {
                bail!(
                    "arm {}: its second phase would begin after {after} of {steps} steps; give more --steps, or another \
                     share to then.after",
                    arm.name
                );
            }
            if steps > STEPS {
                bail!(
                    "arm {}: slowdown = {} makes {steps} of {} steps, but a run has at most {STEPS}",
                    arm.name,
                    arm.recipe.slowdown,
                    self.steps
                );
            }
            let evaluations = steps / self.evaluate_every.max(1);
            if evaluations > EVALUATIONS {
                bail!(
                    "arm {}: {evaluations} evaluations, one every {} of {steps} steps, but a run has at most {EVALUATIONS}",
                    arm.name,
                    self.evaluate_every
                );
            }
        }
        Ok(())
    }

    /// Takes the first step of each of these arms and throws it away: what a recipe and the model have wrong with one
    /// another, such as layers that no parameter matches, is then known before another arm trains for hours.
    /// An interrupt ends it; the runs then say that they are open.
    pub(super) fn try_first_steps(
        &self,
        arms: &[&Arm],
        interrupt: &Interrupt,
    ) -> anyhow::Result<()> {
        let arms = arms.iter().take_while(|_| !interrupt.asked());
        let failed = arms.filter_map(|arm| {
            // One with two phases tries both, and one that waits before it groups what comes after, too.
            let steps = arm.phases().flat_map(|phase| {
                let at_once = phase.recipe.at_once();
                let at_once = at_once.map(|recipe| phase.with_recipe(recipe));
                // A search takes long at its first step.
                let first = (!phase.recipe.searches()).then_some(phase);
                first.into_iter().chain(at_once)
            });
            let steps: Vec<Arm> = steps.collect();
            let tried = AssertUnwindSafe(|| {
                steps.iter().try_for_each(|arm| {
                    let setting = self.setting(arm, 0);
                    self.experiment.task.try_first_step(setting)
                })
            });
            let error = catch_unwind(tried).unwrap_or_else(|panic| Err(panicked(&*panic)));
            error.err().map(|error| (arm.name.as_str(), error))
        });
        let mut failed: Vec<(&str, anyhow::Error)> = failed.collect();
        if failed.len() <= 1 {
            return match failed.pop() {
                None => Ok(()),
                Some((arm, error)) => Err(error.context(format!("nothing was run: arm {arm}"))),
            };
        }
        let said = failed
            .iter()
            .map(|(arm, error)| format!("arm {arm}: {error:#}"));
        bail!("nothing was run: {}", said.collect::<Vec<_>>().join("; "))
    }
}

/// The error that a panic is.
pub(super) fn panicked(panic: &(dyn std::any::Any + Send)) -> anyhow::Error {
    let message = panic.downcast_ref::<String>().map(String::as_str);
    let message = message.or_else(|| panic.downcast_ref::<&str>().copied());
    anyhow!("panicked: {}", message.unwrap_or("without a message"))
}
