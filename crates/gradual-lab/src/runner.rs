//! Runs of an experiment, several at a time.

#[cfg(test)]
mod fuzz;
mod plan;
mod queue;
mod share;

pub(crate) use plan::Plan;
pub(crate) use queue::Job;
pub(crate) use share::Share;

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::thread;

use gradual::runs::RunsError;
use gradual::runs::files::LOOKS;
use gradual::runs::streams::{printable, tell};
use gradual::runs::threads::{self, within};
use gradual::train::{End, Interrupt, Keep, Progress, RunFolder, TrainError};
use gradual_report::EventFile;
use indicatif::MultiProgress;

use crate::environment::environment;
use crate::training::{Finished, Run};
use plan::panicked;

/// What came of the runs of a plan.
#[derive(Default)]
pub(crate) struct Outcome {
    /// What went wrong, run by run.
    pub(crate) failures: Vec<anyhow::Error>,
    /// Runs that were stopped or not begun because of an interrupt.
    pub(crate) interrupted: usize,
}

impl Outcome {
    /// Whether none of so many runs could begin, because another program had begun runs of another kind. Where the same command is given
    /// twice at once, its runs are held by the other program, and of the same kind.
    pub(crate) fn is_turned_away(&self, runs: usize) -> bool {
        let failures = || self.failures.iter().filter_map(of_folder);
        let is_other = |error: &RunsError| {
            matches!(
                error,
                RunsError::Incomparable { .. } | RunsError::Configuration { .. }
            )
        };
        let is_held = |error: &RunsError| matches!(error, RunsError::Locked { .. });
        failures()
            .filter(|error| is_other(error) || is_held(error))
            .count()
            == runs
            && failures().any(is_other)
    }

    /// Whether all that was to be run is done.
    pub(crate) fn is_whole(&self) -> bool {
        self.failures.is_empty() && self.interrupted == 0
    }
}

impl Plan<'_> {
    /// Runs these.
    ///
    /// Every worker has a thread pool of its own, so that runs side by side do not share one.
    pub(crate) fn run(&self, jobs: VecDeque<Job<'_>>, interrupt: &Interrupt) -> Outcome {
        let workers = self.jobs.min(jobs.len()).max(1);
        let threads = threads::asked().unwrap_or_else(|| (threads::cores() / workers).max(1));
        let queue = Mutex::new(jobs);
        let outcome = Mutex::new(Outcome::default());
        let bars = MultiProgress::new();
        let work = || {
            loop {
                let next = lock(&queue).pop_front();
                let Some(job) = next else { break };
                if interrupt.asked() {
                    lock(&outcome).interrupted += 1;
                    continue;
                }
                match self.contained(&job, &bars, interrupt) {
                    Ok(End::Interrupted) => lock(&outcome).interrupted += 1,
                    Ok(End::Completed | End::Stopped(_)) => {}
                    Err(error) => {
                        let name = format!("arm {}, seed {}", job.arm.name, job.seed);
                        lock(&outcome).failures.push(error.context(name));
                    }
                }
            }
        };
        // This thread is one of the workers, so that there is one where the system gives no more threads.
        thread::scope(|scope| {
            for _ in 1..workers {
                let spawned = thread::Builder::new().spawn_scoped(scope, || within(threads, work));
                if let Err(error) = spawned {
                    tell(format_args!(
                        "note: fewer runs at once than asked for: {error}"
                    ));
                    break;
                }
            }
            within(threads, work);
        });
        outcome
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
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
        catch_unwind(run).unwrap_or_else(|panic| Err(panicked(&*panic)))
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
            match bars.is_hidden() {
                true => tell(text),
                false => drop(bars.println(printable(&text))),
            }
        };
        let environment = environment(&self.backend);
        let mut journals = self.experiment.task.journals().to_vec();
        if job.arm.searches() {
            journals.push(LOOKS);
        }
        // Before its folder is made, so that none is left where it is refused, and after, for two that begin at once.
        self.check_beside(job)?;
        let resumed = RunFolder::resume(&job.place.folder, &job.config, &environment, &journals)?;
        self.check_beside(job)?;
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
        let events = match self.tensorboard {
            true => Some(EventFile::begin(&self.folder, &job.place)?),
            false => None,
        };
        let run = Run {
            setting: self.setting(job.arm, job.seed),
            interrupt,
            folder: resumed.folder.with_checkpoints(every, Keep::default()),
            snapshot: resumed.snapshot,
            progress: Progress::new(&name, job.config.steps, bars),
            is_first: job.seed == self.first_seed,
            events,
        };
        let Finished { end, step } = self.experiment.task.train(run)?;
        match &end {
            End::Completed => {}
            End::Stopped(reason) => say(format!("{name}: stopped after step {step}: {reason}")),
            End::Interrupted => say(format!("{name}: interrupted after step {step}")),
        }
        Ok(end)
    }
}

/// What is wrong with a folder, if that is what a run failed for.
fn of_folder(failure: &anyhow::Error) -> Option<&RunsError> {
    match failure.downcast_ref() {
        Some(TrainError::Runs(error)) => Some(error),
        _ => failure.downcast_ref(),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
