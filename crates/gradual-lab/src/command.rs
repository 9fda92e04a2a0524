//! The command `experiment`.

use std::fmt;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use gradual::runs::files::replace;
use gradual::runs::{ExperimentRecord, Record, SCHEMA};
use gradual::train::Interrupt;
use gradual_backends::backend::Backend;

use crate::experiment::{Arm, Data, Options, Written, choose_arms};
use crate::experiments;
use crate::runner::{Outcome, Plan};

/// Exit code of a command that was interrupted, as shells have it.
pub const INTERRUPTED: u8 = 130;

/// What can be asked for.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The experiment [default: sparse-parity]
    name: Option<String>,
    /// Run these arms only, separated by commas; --list shows them
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    arms: Vec<String>,
    /// Seeds per arm
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    seeds: Option<u64>,
    /// Optimizer steps per run
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    steps: Option<u64>,
    /// Examples per step
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    draw: Option<u64>,
    /// Runs at the same time [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    jobs: Option<u64>,
    /// Where the run folders go
    #[arg(long, value_name = "DIR", default_value = "runs")]
    out: PathBuf,
    /// A CSV file of numbers with a header, for the experiment `table`
    #[arg(long, value_name = "FILE", requires_all = ["label", "group"])]
    data: Option<PathBuf>,
    /// The column of --data to predict
    #[arg(long, value_name = "COL", requires = "data")]
    label: Option<String>,
    /// The column of --data that names the group of a row
    #[arg(long, value_name = "COL", requires = "data")]
    group: Option<String>,
    /// Codes that announce each task of sparse parity [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    aliases: Option<u64>,
    /// Hidden layers of the model of sparse parity [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    depth: Option<u64>,
    /// A short version that shows that everything works
    #[arg(long)]
    quick: bool,
    /// Start over: runs that are done are run again, and unfinished ones do not go on
    #[arg(long)]
    fresh: bool,
    /// Steps between checkpoints, from which a stopped run goes on [default: a twentieth of a run]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    checkpoint_every: Option<u64>,
    /// List the experiments
    #[arg(long)]
    list: bool,
    /// One of the backends that are compiled in, NAME or NAME:INDEX for one of its devices
    #[arg(long, value_name = "NAME")]
    backend: Option<String>,
}

impl Arguments {
    /// Runs the experiment, writes its report and prints the path of its page.
    ///
    /// # Errors
    ///
    /// Where a name or a value is wrong, a run fails, or a file can't be written; [`Interrupted`] where somebody
    /// stopped it.
    pub fn run(self) -> anyhow::Result<()> {
        if self.list {
            list();
            return Ok(());
        }
        let backend = Backend::choose(self.backend.as_deref())?;
        let default = if self.data.is_some() {
            "table"
        } else {
            "sparse-parity"
        };
        let experiment = experiments::find(self.name.as_deref().unwrap_or(default))?;
        let data = match (self.data, self.label, self.group) {
            (Some(file), Some(label), Some(group)) => Some(Data { file, label, group }),
            _ => None,
        };
        let options = Options {
            quick: self.quick,
            data,
            aliases: self.aliases.map(|aliases| aliases as usize),
            depth: self.depth.map(|depth| depth as usize),
        };
        let size = experiment.size(&options);
        let name = experiment.name();
        // The short version keeps out of the way of the long one.
        let folder = if options.quick {
            format!("{name}-quick")
        } else {
            name.to_owned()
        };
        let plan = Plan {
            experiment,
            arms: choose_arms(experiment, &self.arms)?,
            seeds: self.seeds.unwrap_or(size.seeds),
            steps: self.steps.unwrap_or(size.steps),
            draw: self.draw.map_or(size.draw, |draw| draw as usize),
            jobs: self.jobs.map_or_else(cores, |jobs| jobs as usize),
            fresh: self.fresh,
            checkpoint_every: self.checkpoint_every,
            settings: experiment.settings(&options)?,
            options,
            backend,
            folder: self.out.join(folder),
        };
        plan.check()?;
        execute(&plan)
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Runs, reports, and says where the report is.
fn execute(plan: &Plan<'_>) -> anyhow::Result<()> {
    std::fs::create_dir_all(&plan.folder)
        .with_context(|| format!("could not create {}", plan.folder.display()))?;
    let interrupt = on_signals()?;
    let Outcome {
        failures,
        interrupted,
    } = plan.run(&interrupt)?;
    let record = record(plan);
    replace(
        &plan.folder.join("experiment.json"),
        &(record.to_line()? + "\n"),
    )?;
    let report = plan.experiment.report(&plan.folder);
    for failure in &failures {
        eprintln!("error: {}", gradual::runs::message(failure.as_ref()));
    }
    if !failures.is_empty() || interrupted > 0 {
        if let Ok(Written { page, .. }) = report {
            eprintln!("the report of what there is: {}", page.display());
        }
        if interrupted > 0 {
            return Err(Interrupted { runs: interrupted }.into());
        }
        bail!("{} of the runs failed", failures.len());
    }
    let Written { page, text } = report?;
    if let Some(text) = text {
        println!("{text}");
    }
    println!("{}", page.display());
    Ok(())
}

/// Somebody stopped the command; what is open goes on when it is given again.
#[derive(Debug)]
pub struct Interrupted {
    runs: usize,
}

impl std::error::Error for Interrupted {}

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let runs = match self.runs {
            1 => String::from("1 run is"),
            runs => format!("{runs} runs are"),
        };
        write!(
            f,
            "interrupted: {runs} open; the same command goes on with them"
        )
    }
}

/// The wish to stop, which an interrupt (Ctrl-C) or a termination signal makes. A second one ends the
/// program at once; what was written by then stays whole.
fn on_signals() -> anyhow::Result<Interrupt> {
    let interrupt = Interrupt::default();
    let asked = interrupt.clone();
    ctrlc::set_handler(move || {
        if asked.asked() {
            std::process::exit(INTERRUPTED.into());
        }
        asked.ask();
        eprintln!("stopping after the next step; once more stops at once");
    })
    .context("could not listen to signals")?;
    Ok(interrupt)
}

fn record(plan: &Plan<'_>) -> ExperimentRecord {
    let experiment = plan.experiment;
    // An arm that runs only when named is part of the report once it has been.
    let named = experiment.more_arms().into_iter();
    let named = named.filter(|arm| plan.folder.join(arm.name).is_dir());
    let arms = experiment.arms().into_iter().chain(named);
    let arguments: Vec<String> = std::env::args().skip(2).collect();
    ExperimentRecord {
        schema: SCHEMA,
        name: experiment.name().to_owned(),
        title: experiment.title().to_owned(),
        claim: experiment.claim().to_owned(),
        baseline: experiment.baseline().to_owned(),
        arms: arms.map(Arm::record).collect(),
        claims: experiment.claims(),
        command: format!("cargo xtask experiment {}", arguments.join(" ")),
    }
}

fn list() {
    for experiment in experiments::ALL {
        println!("{:24} {}", experiment.name(), experiment.about());
        for arm in experiment.arms() {
            println!("  {:22} {}", arm.name, arm.about);
        }
        for arm in experiment.more_arms() {
            println!(
                "  {:22} {} (only when named in --arms)",
                arm.name, arm.about
            );
        }
    }
}
