//! What is to be run, checked before anything is.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use anyhow::{Context as _, anyhow, bail};
use gradual::group::GroupError;
use gradual::measure::{CapabilityRecord, Evaluation};
use gradual::runs::{Record as _, SCHEMA};
use gradual::train::{Capability, Interrupt, TrainError};
use gradual_backends::backend::Backend;
use serde_json::Value;

use super::share::Share;
use crate::arm::Arm;
use crate::bounds::{DRAW, SEEDS, STEPS};
use crate::experiment::Experiment;
use crate::training::{Setting, num_groups};

/// Most evaluations of a run, which is more than any machine has time for.
const EVALUATIONS: u64 = 1_000_000;
/// Most runs of an experiment: more than a report has room for.
const RUNS: u64 = 20_000;
/// Of examples whose gradients are compared: the inner products of so many take 4 GiB in single precision.
const COMPARED: usize = 32_768;

/// Everything that the runs of one experiment share.
pub(crate) struct Plan<'a> {
    pub(crate) experiment: &'a Experiment,
    /// With complete recipes.
    pub(crate) arms: Vec<Arm>,
    /// Of the arms that have no number of their own.
    pub(crate) seeds: u64,
    /// Of all arms.
    pub(crate) first_seed: u64,
    pub(crate) steps: u64,
    pub(crate) draw: usize,
    pub(crate) evaluate_every: u64,
    pub(crate) jobs: usize,
    pub(crate) fresh: bool,
    /// Which of the runs are this program's.
    pub(crate) share: Share,
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
    pub(crate) fn seeds(&self, arm: &Arm) -> u64 {
        arm.seeds.map_or(self.seeds, u64::from)
    }

    /// Optimizer steps of a run of this arm.
    pub(crate) fn steps(&self, arm: &Arm) -> u64 {
        self.steps * u64::from(arm.recipe.slowdown)
    }

    /// Examples per step of this arm.
    pub(super) fn draw(&self, arm: &Arm) -> usize {
        arm.recipe
            .draw
            .map_or(self.draw, |draw| draw.get() as usize)
    }

    /// What an arm does in each of its phases.
    fn phases(&self, arm: &Arm) -> impl Iterator<Item = Phase> + use<> {
        let whole = self.steps(arm);
        let second = arm.recipe.second_phase(whole);
        let second = second.map(|(after, _)| (whole - after, true));
        let phases = std::iter::once((whole, false)).chain(second);
        (arm.phases().zip(phases)).map(|(arm, (steps, second))| Phase { arm, steps, second })
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
        self.check_place()?;
        self.check_protocol()?;
        let capabilities = self.experiment.task.capabilities()?;
        check_evaluation(&capabilities)?;
        let groups = num_groups(&capabilities);
        let frequencies: Vec<f64> = capabilities.iter().map(|each| each.frequency).collect();
        let phases: Vec<Phase> = self.arms.iter().flat_map(|arm| self.phases(arm)).collect();
        for phase in &phases {
            let Phase { arm, steps, .. } = phase;
            if !self.experiment.task.has_known_groups() && arm.needs_known_groups()? {
                bail!(
                    "{}: it needs groups, and no example is labelled with one; nothing was run: leave it out with \
                     --arms, give the data groups, or say how many it finds, as in k = 8",
                    phase.name()
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
                .with_context(|| phase.name())?;
        }
        let mut refused = Vec::new();
        let mut least = 0;
        for phase in &phases {
            let arm = &phase.arm;
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
                return Err(error.context(phase.name()));
            };
            least = least.max(*groups);
            refused.push((phase, error.to_string()));
        }
        if refused.is_empty() {
            return Ok(());
        }
        let fits = |arm: &&Arm| refused.iter().all(|(other, _)| other.arm.name != arm.name);
        let others: Vec<&str> = (self.arms.iter().filter(fits))
            .map(|arm| arm.name.as_str())
            .collect();
        let without = match others.as_slice() {
            [] => String::new(),
            others => format!(", or leave them out with --arms {}", others.join(",")),
        };
        // The draw makes no difference where the arm has one of its own, nor where that is not all.
        let draw_helps = refused.iter().all(|(phase, _)| {
            if phase.arm.recipe.draw.is_some() {
                return false;
            }
            let objective = phase.arm.objective(groups, 0);
            objective.is_ok_and(|objective| objective.check(least).is_ok())
        });
        let way_out = match draw_helps {
            true => format!("give --draw {least}"),
            false => String::from("change these arms"),
        };
        let said = refused
            .iter()
            .map(|(phase, said)| format!("{}: {said}", phase.name()));
        bail!(
            "{}; nothing was run: {way_out}{without}",
            said.collect::<Vec<_>>().join("; ")
        )
    }

    /// Refuses a link in the place of the experiment's folder, and a folder in which runs would be read as data the next time.
    fn check_place(&self) -> anyhow::Result<()> {
        if self.folder.is_symlink() {
            bail!(
                "{} is a link, and links in a folder of runs are not followed: remove it, or give the folder that it leads to as --out",
                self.folder.display()
            );
        }
        let Some(data) = self.experiment.task.data_folder() else {
            return Ok(());
        };
        let data = data
            .canonicalize()
            .with_context(|| format!("{}", data.display()))?;
        let folder = std::path::absolute(&self.folder)
            .with_context(|| format!("{}", self.folder.display()))?;
        let there = folder
            .ancestors()
            .find_map(|above| above.canonicalize().ok());
        match there.is_some_and(|there| there.starts_with(&data)) {
            false => Ok(()),
            true => bail!(
                "the runs would lie in {}, which is in the folder of the data, {}, and be read as data: give another --out",
                self.folder.display(),
                data.display()
            ),
        }
    }

    /// Refuses a protocol without the arm that it looks along, of which there may be runs from before.
    fn check_protocol(&self) -> anyhow::Result<()> {
        let baseline = &self.experiment.baseline;
        let is_there = self.arms.iter().any(|arm| arm.name == *baseline)
            || self.folder.join(baseline).is_dir();
        match self.experiment.open || is_there {
            true => Ok(()),
            false => bail!(
                "{}: its table is made along the runs of the arm {baseline}, and there are none: give it among --arms, or leave \
                 --arms out",
                self.experiment.name
            ),
        }
    }

    /// Refuses numbers that no machine has room or time for.
    fn check_sizes(&self) -> anyhow::Result<()> {
        let runs = self.count();
        if runs > RUNS {
            bail!(
                "these are {runs} runs, but an experiment has at most {RUNS}: give it fewer --seeds or --arms"
            );
        }
        for (what, number, most) in [
            ("seeds", self.seeds, SEEDS),
            ("first_seed", self.first_seed, SEEDS),
            ("steps", self.steps, STEPS),
            ("draw", self.draw as u64, DRAW),
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
            if draw as u64 > DRAW {
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
                    "arm {}: {evaluations} evaluations, one every {} of {steps} steps, but a run has at most {EVALUATIONS}: give a \
                     larger --evaluate-every",
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
            let steps = self.phases(arm).flat_map(|phase| {
                let at_once = phase.arm.recipe.at_once();
                let at_once = at_once.map(|recipe| Phase {
                    arm: phase.arm.with_recipe(recipe),
                    ..phase.clone()
                });
                // A search takes long at its first step.
                let first = (!phase.arm.recipe.searches()).then_some(phase);
                first.into_iter().chain(at_once)
            });
            let steps: Vec<Phase> = steps.collect();
            let tried = AssertUnwindSafe(|| {
                steps.iter().try_for_each(|phase| {
                    let setting = self.setting(&phase.arm, 0);
                    let tried = self.experiment.task.try_first_step(setting);
                    match phase.second {
                        true => tried.context(SECOND),
                        false => tried,
                    }
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

/// Refuses capabilities of which an evaluation could not be read back.
fn check_evaluation(capabilities: &[Capability]) -> anyhow::Result<()> {
    // As long as numbers get.
    let number = -1.0 / 3.0 * 1e-300;
    let record = |capability: &Capability| CapabilityRecord {
        accuracy: number,
        loss: number,
        chance: number,
        frequency: number,
        probability: Some(number),
        progress: Some(number),
        parts: capability.parts.clone(),
    };
    let named = capabilities
        .iter()
        .map(|one| (one.name.clone(), record(one)));
    let evaluation = Evaluation {
        schema: SCHEMA,
        step: u64::MAX,
        examples: u64::MAX,
        standing_examples: Some(u64::MAX),
        gradient_evaluations: Some(u64::MAX),
        left_out: Some(u64::MAX),
        train_loss: number,
        moved: Some(number),
        compute: Some(number),
        capabilities: named.collect(),
    };
    let written = evaluation.to_line().map(drop);
    written.with_context(|| {
        format!(
            "nothing was run: there are {} capabilities",
            capabilities.len()
        )
    })
}

/// What is said of a second phase, beside the arm's name.
const SECOND: &str = "its second phase (then)";

/// What an arm does from some step on.
#[derive(Clone)]
struct Phase {
    /// The arm, with the recipe of the phase.
    arm: Arm,
    /// The steps that a sampler counts.
    steps: u64,
    /// Whether it is the second one.
    second: bool,
}

impl Phase {
    /// What messages call it.
    fn name(&self) -> String {
        match self.second {
            true => format!("arm {}: {SECOND}", self.arm.name),
            false => format!("arm {}", self.arm.name),
        }
    }
}

/// The error that a panic is.
pub(super) fn panicked(panic: &(dyn std::any::Any + Send)) -> anyhow::Error {
    let message = panic.downcast_ref::<String>().map(String::as_str);
    let message = message.or_else(|| panic.downcast_ref::<&str>().copied());
    anyhow!("panicked: {}", message.unwrap_or("without a message"))
}
