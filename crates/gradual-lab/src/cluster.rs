//! The command `cluster`: an experiment's runs as a job of a scheduler that exists.
//!
//! The runs of an experiment need nothing of each other. A scheduler starts one task for each, all write into one shared folder,
//! and whoever is last collects them. The command prints the job, and starts nothing: a Slurm array, an indexed job of
//! Kubernetes, or a line for GNU parallel. Time and memory are those of finished runs of the same experiment, with a margin.

mod cost;
mod kubernetes;
mod local;
mod slurm;

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use gradual::runs::streams::tell;

use crate::bounds;
use crate::command::{Planned, is_pipe, plan_of, print, quoted};
use cost::Cost;

/// Most minutes and mebibytes of a task.
const MINUTES: u64 = 1_000_000;
const MEBIBYTES: u64 = 100_000_000;

/// Print an experiment's runs as a job of a scheduler
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub struct Arguments {
    #[command(flatten)]
    job: Job,
    /// The experiment and its flags, as `cargo xtask experiment` takes them
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "EXPERIMENT AND ITS FLAGS"
    )]
    rest: Vec<OsString>,
}

const AFTER: &str = "\
Flags of the job stand before the experiment, its own flags behind it. One run is measured first:
  cargo xtask experiment skills --out /shared/runs --jobs 1 --only 0
  cargo xtask cluster slurm skills --out /shared/runs > skills.sbatch
  sbatch skills.sbatch
  cargo xtask experiment skills --out /shared/runs --jobs 1 --collect";

/// What the job is to be.
#[derive(Debug, Args)]
struct Job {
    /// The scheduler
    #[arg(value_enum)]
    scheduler: Scheduler,
    /// Minutes that a task may take [default: half more than the longest of the runs that are done]
    #[arg(long, value_name = "N", value_parser = bounds::flag::<MINUTES>)]
    time: Option<u64>,
    /// Mebibytes of memory that a task gets [default: a quarter more than the runs that are done took]
    #[arg(long, value_name = "N", value_parser = bounds::flag::<MEBIBYTES>)]
    memory: Option<u64>,
    /// Threads of a task
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = bounds::flag::<1024>)]
    threads: u64,
    /// Tasks at the same time [default: as many as there is room for; locally one per core]
    #[arg(long, value_name = "N", value_parser = bounds::flag::<{ bounds::SEEDS }>)]
    parallel: Option<u64>,
    /// Kubernetes: the image, in which the program `gradual-lab` is
    #[arg(long, value_name = "IMAGE")]
    image: Option<String>,
    /// Kubernetes: the persistent volume claim whose volume is mounted at --out
    #[arg(long, value_name = "NAME")]
    claim: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Scheduler {
    /// A job array, for sbatch
    Slurm,
    /// An indexed job, for kubectl
    Kubernetes,
    /// A line for GNU parallel on this machine
    Local,
}

/// What every scheduler has to be told.
struct Task {
    /// The name of the experiment's folder.
    name: String,
    /// The numbers of the runs that are not done.
    open: Vec<u64>,
    /// All runs.
    count: u64,
    cost: Cost,
    threads: u64,
    parallel: Option<u64>,
    /// The program, and the folder that relative paths start from.
    program: PathBuf,
    folder: PathBuf,
    /// Where the folder of the experiment stands, as it was given.
    out: PathBuf,
    /// The arguments of `experiment`.
    arguments: Vec<OsString>,
    /// The commit that the program was built from, where that is known.
    commit: Option<String>,
}

impl Arguments {
    /// Prints the job.
    ///
    /// # Errors
    ///
    /// Where the experiment or one of its flags is wrong; where nothing is known of time or memory; where no run is open.
    pub fn run(mut self) -> anyhow::Result<()> {
        for argument in &self.rest {
            if *argument == "--" {
                bail!("leave out '--': the flags of the experiment stand behind its name");
            }
            if is_pipe(argument) {
                bail!(
                    "{}: a task of a scheduler has no standard input and no pipe of this shell: give it a file",
                    argument.display()
                );
            }
        }
        // Every task is one run, and its threads are counted once.
        let has_jobs = self.rest.iter().any(|argument| {
            let text = argument.to_string_lossy();
            text == "--jobs" || text.starts_with("--jobs=")
        });
        if !has_jobs {
            self.rest.extend(["--jobs", "1"].map(OsString::from));
        }
        let job = self.job;
        let rest = self.rest;
        let task = Task::new(&job, plan_of(&rest)?, rest)?;
        print(match job.scheduler {
            Scheduler::Slurm => {
                if let Some(note) = slurm::too_many(&task) {
                    tell(format_args!("note: {note}"));
                }
                slurm::script(&task)
            }
            Scheduler::Kubernetes => {
                let image = job.image.as_deref().context(
                    "kubernetes needs --image: the image in which the program `gradual-lab` is",
                )?;
                let claim = job.claim.as_deref().context(
                        "kubernetes needs --claim: the persistent volume claim whose volume is mounted at --out",
                    )?;
                kubernetes::job(&task, image, claim)?
            }
            Scheduler::Local => local::line(&task),
        })
    }
}

impl Task {
    fn new(job: &Job, plan: Planned, arguments: Vec<OsString>) -> anyhow::Result<Self> {
        if plan.open.is_empty() {
            bail!(
                "all {} runs in {} are done: --collect writes their report",
                plan.count,
                plan.folder.display()
            );
        }
        let cost = Cost::new(job.time, job.memory, &plan)?;
        let folder = std::env::current_dir().context("could not tell the current folder")?;
        Ok(Self {
            name: plan.name,
            open: plan.open,
            count: plan.count,
            cost,
            threads: job.threads,
            parallel: job.parallel,
            program: std::env::current_exe().context("could not tell where this program is")?,
            folder,
            out: plan.out,
            arguments,
            commit: std::env::var("GRADUAL_COMMIT")
                .ok()
                .filter(|commit| !commit.is_empty()),
        })
    }

    /// The arguments, quoted for a shell.
    fn quoted(&self) -> String {
        let words: Vec<String> = self.arguments.iter().map(|word| quoted(word)).collect();
        words.join(" ")
    }

    /// The open runs as a scheduler writes them: `0-3,7`.
    fn ranges(&self) -> String {
        let mut ranges: Vec<(u64, u64)> = Vec::new();
        for &number in &self.open {
            match ranges.last_mut() {
                Some((_, last)) if *last + 1 == number => *last = number,
                _ => ranges.push((number, number)),
            }
        }
        let ranges = ranges.into_iter().map(|(first, last)| match first == last {
            true => first.to_string(),
            false => format!("{first}-{last}"),
        });
        ranges.collect::<Vec<_>>().join(",")
    }

    /// The command that makes the report of all runs.
    fn collect(&self, program: &str) -> String {
        format!("{program} experiment {} --collect", self.quoted())
    }
}
