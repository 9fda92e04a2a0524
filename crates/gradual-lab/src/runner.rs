//! Runs of an experiment, several at a time.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;

use anyhow::Context;
use gradual::measure::{RunConfig, SCHEMA};
use gradual::train::{Observer, Progress, RunFolder, State};
use indicatif::MultiProgress;
use serde_json::Value;

use crate::backend::Backend;
use crate::environment::environment;
use crate::experiment::{Arm, Experiment, Options, Run};

/// Everything that the runs of one experiment share.
pub(crate) struct Plan<'a> {
    pub(crate) experiment: &'a dyn Experiment,
    pub(crate) arms: Vec<Arm>,
    pub(crate) seeds: u64,
    pub(crate) steps: u64,
    pub(crate) draw: usize,
    pub(crate) jobs: usize,
    pub(crate) fresh: bool,
    pub(crate) options: Options,
    pub(crate) settings: Value,
    pub(crate) backend: Backend,
    /// `runs/<experiment>`.
    pub(crate) folder: PathBuf,
}

/// A run that is still to be done.
struct Job {
    arm: Arm,
    seed: u64,
    config: RunConfig,
    folder: PathBuf,
}

impl Plan<'_> {
    /// Runs whatever is not done yet, and returns what went wrong, run by run.
    ///
    /// Every worker has a thread pool of its own, so that runs side by side do not share one.
    pub(crate) fn run(&self) -> anyhow::Result<Vec<anyhow::Error>> {
        let jobs = self.open()?;
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let workers = self.jobs.min(jobs.len()).max(1);
        let threads = (cores / workers).max(1);
        let queue = Mutex::new(jobs);
        let failures = Mutex::new(Vec::new());
        let bars = MultiProgress::new();
        let work = || {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            let pool = match pool {
                Ok(pool) => pool,
                Err(error) => return lock(&failures).push(error.into()),
            };
            loop {
                let next = lock(&queue).pop_front();
                let Some(job) = next else { break };
                if let Err(error) = pool.install(|| self.one(&job, &bars)) {
                    let error = error.context(format!("arm {}, seed {}", job.arm.name, job.seed));
                    lock(&failures).push(error);
                }
            }
        };
        thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(work);
            }
        });
        Ok(failures
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// The runs that are not done, after checking that none of the folders holds another run.
    fn open(&self) -> anyhow::Result<VecDeque<Job>> {
        let mut jobs = VecDeque::new();
        let mut done = 0;
        for seed in 0..self.seeds {
            for &arm in &self.arms {
                let folder = self.folder.join(arm.name).join(format!("seed-{seed}"));
                let config = RunConfig {
                    schema: SCHEMA,
                    experiment: self.experiment.name().to_owned(),
                    arm: arm.name.to_owned(),
                    seed,
                    steps: self.steps,
                    draw: self.draw as u64,
                    backend: self.backend.name.to_owned(),
                    settings: self.settings.clone(),
                };
                let state = match self.fresh {
                    true => State::Empty,
                    false => RunFolder::state(&folder, &config)?,
                };
                match state {
                    State::Done => done += 1,
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

    fn one(&self, job: &Job, bars: &MultiProgress) -> anyhow::Result<()> {
        let name = format!("{} seed {}", job.arm.name, job.seed);
        let mut folder = RunFolder::create(&job.folder, &job.config, &environment(&self.backend))?;
        let mut progress = Progress::new(&name, self.steps, bars);
        let run = Run {
            arm: job.arm.name,
            seed: job.seed,
            steps: self.steps,
            draw: self.draw,
            options: &self.options,
            device: &self.backend.device,
            folder: &job.folder,
        };
        let observers: &mut [&mut dyn Observer] = &mut [&mut folder, &mut progress];
        self.experiment.run(&run, observers)?;
        Ok(folder.finish()?)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Writes a whole file under a temporary name and renames it.
pub(crate) fn replace(file: &Path, text: &str) -> anyhow::Result<()> {
    let mut temporary = file.as_os_str().to_owned();
    temporary.push(".tmp");
    let temporary = Path::new(&temporary);
    std::fs::write(temporary, text)
        .and_then(|()| std::fs::rename(temporary, file))
        .with_context(|| format!("could not write {}", file.display()))
}
