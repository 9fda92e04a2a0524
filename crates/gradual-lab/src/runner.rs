//! Runs of an experiment, several at a time.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;

use anyhow::{Context as _, anyhow, bail};
use gradual::group::GroupError;
use gradual::runs::files::CURVES;
use gradual::runs::{Place, RunConfig, SCHEMA, Stamp, aside};
use gradual::train::{End, FolderState, Interrupt, Keep, Progress, Resumed, RunFolder, TrainError};
use gradual_backends::backend::Backend;
use indicatif::MultiProgress;
use serde_json::{Value, json};

use crate::arm::Arm;
use crate::environment::environment;
use crate::experiment::Experiment;
use crate::training::{Finished, Run, num_groups};

/// Everything that the runs of one experiment share.
pub(crate) struct Plan<'a> {
    pub(crate) experiment: &'a Experiment,
    /// With complete recipes.
    pub(crate) arms: Vec<Arm>,
    pub(crate) seeds: u64,
    pub(crate) steps: u64,
    pub(crate) draw: usize,
    pub(crate) evaluate_every: u64,
    pub(crate) jobs: usize,
    pub(crate) fresh: bool,
    /// Steps between checkpoints; a twentieth of the run if not said.
    pub(crate) checkpoint_every: Option<u64>,
    /// Those of the task.
    pub(crate) settings: Value,
    pub(crate) backend: Backend,
    /// `runs/<experiment>`.
    pub(crate) folder: PathBuf,
}

/// A run that is still to be done.
struct Job<'a> {
    arm: &'a Arm,
    seed: u64,
    config: RunConfig,
    folder: PathBuf,
}

/// What came of the runs of a plan.
#[derive(Default)]
pub(crate) struct Outcome {
    /// What went wrong, run by run.
    pub(crate) failures: Vec<anyhow::Error>,
    /// Runs that were stopped or not begun because of an interrupt.
    pub(crate) interrupted: usize,
}

impl Plan<'_> {
    /// Refuses arms that can't group draws of the size that was asked for, before any of the others runs.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        self.check_sizes()?;
        let capabilities = self.experiment.task.capabilities()?;
        let groups = num_groups(&capabilities);
        let frequencies: Vec<f64> = capabilities.iter().map(|each| each.frequency).collect();
        for arm in &self.arms {
            let steps = self.steps * u64::from(arm.recipe.slowdown);
            let sampler = arm.recipe.sampler(&frequencies, steps).map(drop);
            sampler
                .and_then(|()| arm.recipe.optimizer().map(drop))
                .with_context(|| format!("arm {}", arm.name))?;
        }
        let mut refused = Vec::new();
        let mut least = 0;
        for arm in &self.arms {
            let checked = arm
                .objective(groups, 0)
                .and_then(|objective| Ok(objective.check(self.draw)?));
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
            refused.push((arm.name.as_str(), error.to_string()));
        }
        if refused.is_empty() {
            return Ok(());
        }
        let names = || self.arms.iter().map(|arm| arm.name.as_str());
        let others: Vec<&str> = names()
            .filter(|name| refused.iter().all(|(other, _)| other != name))
            .collect();
        let without = match others.as_slice() {
            [] => String::new(),
            others => format!(", or leave them out with --arms {}", others.join(",")),
        };
        let said = refused
            .iter()
            .map(|(arm, said)| format!("arm {arm}: {said}"));
        bail!(
            "{}; nothing was run: give --draw {least}{without}",
            said.collect::<Vec<_>>().join("; ")
        )
    }

    /// Refuses numbers that no machine has room or time for.
    fn check_sizes(&self) -> anyhow::Result<()> {
        for (what, number, most) in [
            ("seeds", self.seeds, 1_000_000),
            ("steps", self.steps, 1_000_000_000),
            ("draw", self.draw as u64, 1_000_000_000),
        ] {
            if number > most {
                bail!("{what} = {number}, but it is at most {most}");
            }
        }
        Ok(())
    }

    /// Runs whatever is not done yet.
    ///
    /// Every worker has a thread pool of its own, so that runs side by side do not share one.
    pub(crate) fn run(&self, interrupt: &Interrupt) -> anyhow::Result<Outcome> {
        let jobs = self.open()?;
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let workers = self.jobs.min(jobs.len()).max(1);
        let threads = (cores / workers).max(1);
        let queue = Mutex::new(jobs);
        let outcome = Mutex::new(Outcome::default());
        let bars = MultiProgress::new();
        let work = || {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            let pool = match pool {
                Ok(pool) => pool,
                Err(error) => return lock(&outcome).failures.push(error.into()),
            };
            loop {
                let next = lock(&queue).pop_front();
                let Some(job) = next else { break };
                if interrupt.asked() {
                    lock(&outcome).interrupted += 1;
                    continue;
                }
                match pool.install(|| self.contained(&job, &bars, interrupt)) {
                    Ok(End::Interrupted) => lock(&outcome).interrupted += 1,
                    Ok(End::Completed | End::Stopped(_)) => {}
                    Err(error) => {
                        let name = format!("arm {}, seed {}", job.arm.name, job.seed);
                        lock(&outcome).failures.push(error.context(name));
                    }
                }
            }
        };
        thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(work);
            }
        });
        Ok(outcome
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// The runs that are not done, after checking that none of the folders holds another run.
    fn open(&self) -> anyhow::Result<VecDeque<Job<'_>>> {
        let mut jobs = VecDeque::new();
        let mut done = 0;
        for seed in 0..self.seeds {
            for arm in &self.arms {
                let folder = self.folder.join(&arm.name).join(format!("seed-{seed}"));
                let config = RunConfig {
                    schema: SCHEMA,
                    experiment: self.experiment.name.clone(),
                    arm: arm.name.clone(),
                    seed,
                    steps: self.steps * u64::from(arm.recipe.slowdown),
                    draw: self.draw as u64,
                    backend: self.backend.name.to_owned(),
                    task: self.settings.clone(),
                    recipe: arm.settings()?,
                    settings: json!({ "evaluate_every": self.evaluate_every }),
                };
                let state = match self.fresh {
                    true => FolderState::Empty,
                    false => RunFolder::state(&folder, &config)?,
                };
                match state {
                    FolderState::Done => done += 1,
                    _ => jobs.push_back(Job {
                        arm,
                        seed,
                        config,
                        folder,
                    }),
                }
            }
        }
        if done > 0 {
            eprintln!("{done} runs are done already; --fresh runs them again");
        }
        Ok(jobs)
    }

    /// One run. A panic fails this run alone; other runs continue.
    fn contained(
        &self,
        job: &Job<'_>,
        bars: &MultiProgress,
        interrupt: &Interrupt,
    ) -> anyhow::Result<End> {
        // Whatever a panic leaves half done is dropped with the run.
        let run = AssertUnwindSafe(|| self.one(job, bars, interrupt));
        catch_unwind(run).unwrap_or_else(|panic| {
            let message = panic.downcast_ref::<String>().map(String::as_str);
            let message = message.or_else(|| panic.downcast_ref::<&str>().copied());
            Err(anyhow!(
                "panicked: {}",
                message.unwrap_or("without a message")
            ))
        })
    }

    fn one(
        &self,
        job: &Job<'_>,
        bars: &MultiProgress,
        interrupt: &Interrupt,
    ) -> anyhow::Result<End> {
        let name = format!("{} seed {}", job.arm.name, job.seed);
        let say = |text: String| {
            // A closed standard error is no reason to end a run.
            let _ = bars.println(&text).and_then(|()| match bars.is_hidden() {
                true => writeln!(io::stderr(), "{text}"),
                false => Ok(()),
            });
        };
        let environment = environment(&self.backend);
        let begun_here = !job.folder.exists();
        let journals = self.experiment.task.journals();
        let resumed: Resumed = match self.fresh {
            true => {
                let place = Place::new(&self.folder, &job.arm.name, job.seed)?;
                aside(&self.folder, &place, &Stamp::now())?;
                RunFolder::create(&job.folder, &job.config, &environment, journals)?.into()
            }
            false => RunFolder::resume(&job.folder, &job.config, &environment, journals)?,
        };
        for mended in &resumed.mended {
            say(format!("{name}: {mended}"));
        }
        for damaged in &resumed.damaged {
            say(format!(
                "{name}: checkpoint {damaged}; going on from an older one"
            ));
        }
        if let Some(snapshot) = &resumed.snapshot {
            say(format!("{name}: going on from step {}", snapshot.step));
        }
        let every = self
            .checkpoint_every
            .unwrap_or(job.config.steps / 20)
            .max(1);
        let run = Run {
            arm: job.arm,
            seed: job.seed,
            steps: job.config.steps,
            draw: self.draw,
            evaluate_every: self.evaluate_every,
            device: &self.backend.device,
            interrupt,
            folder: resumed.folder.with_checkpoints(every, Keep::default()),
            snapshot: resumed.snapshot,
            progress: Progress::new(&name, job.config.steps, bars),
        };
        let trained = self.experiment.task.train(run);
        if trained.is_err() && begun_here {
            remove_unbegun(&job.folder);
        }
        let Finished { end, step } = trained?;
        match &end {
            End::Completed => {}
            End::Stopped(reason) => say(format!("{name}: stopped after step {step}: {reason}")),
            End::Interrupted => say(format!("{name}: interrupted after step {step}")),
        }
        Ok(end)
    }
}

/// Removes the folder of a run that failed before its first step, so that it is not in the way of a mended recipe. It
/// holds nothing that the same command would not write again.
fn remove_unbegun(folder: &Path) {
    let curves = std::fs::read_to_string(folder.join(CURVES)).unwrap_or_default();
    if curves.lines().count() <= 1 && std::fs::remove_dir_all(folder).is_ok() {
        // That of the arm goes with its last run.
        let _ = folder.parent().map(std::fs::remove_dir);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
