//! The command `experiment`.

mod flags;
mod list;

pub(crate) use flags::Asked;

use std::ffi::OsString;
use std::fmt;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{Args, FromArgMatches as _};
use gradual::runs::files::{self, EXPERIMENT, replace};
use gradual::runs::{ArmRecord, ExperimentRecord, Record, SCHEMA, message};
use gradual::train::Interrupt;
use gradual_backends::backend::Backend;

use crate::experiment::{self, Experiment};
use crate::runner::{Outcome, Plan};
use crate::training::Written;
use flags::Which;

/// Exit code of a command that was interrupted, as shells have it.
pub const INTERRUPTED: u8 = 130;

/// Everything after the word `experiment`; its flags depend on the experiment.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub struct Arguments {
    /// The experiment and its flags; --help lists them
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "ARGUMENTS"
    )]
    rest: Vec<OsString>,
}

impl Arguments {
    /// Runs the experiment, writes its report and prints the path of its page.
    ///
    /// # Errors
    ///
    /// Where a name or a value is wrong, a run fails, or a file can't be written; [`Interrupted`] where somebody
    /// stopped it.
    pub fn run(self) -> anyhow::Result<()> {
        let matches = flags::parse(self.rest);
        let (which, asked) = (
            Which::from_arg_matches(&matches)?,
            Asked::from_arg_matches(&matches)?,
        );
        if which.list {
            return say(&list::list()?);
        }
        if let Some(name) = &which.show {
            return say(experiment::find(name)?);
        }
        let (file, text) = which.file(&matches)?;
        let flags = experiment::Asked {
            quick: asked.quick,
            flags: Some(&matches),
        };
        flags::refuse_flags_of_others(&file, &text, &matches)?;
        let experiment = Experiment::read(&file, &text, &flags, None)?;
        finish(experiment, &asked)
    }
}

/// Runs the experiment, listening to signals, and prints the path of the report.
fn finish(experiment: Experiment, asked: &Asked) -> anyhow::Result<()> {
    let written = run_until(experiment, asked, &on_signals()?)?;
    if let Some(text) = written.text {
        println!("{text}");
    }
    println!("{}", written.page.display());
    Ok(())
}

/// Runs the experiment to its end.
pub(crate) fn run(experiment: Experiment, asked: &Asked) -> anyhow::Result<Written> {
    run_until(experiment, asked, &Interrupt::default())
}

/// The program of an experiment of one's own, whose runs go into a folder in `out` unless a flag says otherwise.
pub(crate) fn main_of(
    out: &Path,
    experiment: impl FnOnce() -> anyhow::Result<Experiment>,
) -> ExitCode {
    let asked = flags::parse_own(out);
    ended(experiment().and_then(|experiment| finish(experiment, &asked)))
}

/// Says what went wrong, if anything did, as an exit code.
pub fn ended(outcome: anyhow::Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", message(error.as_ref()));
            match error.is::<Interrupted>() {
                true => ExitCode::from(INTERRUPTED),
                false => ExitCode::FAILURE,
            }
        }
    }
}

/// Runs whatever is not done, and writes the report.
fn run_until(
    mut experiment: Experiment,
    asked: &Asked,
    interrupt: &Interrupt,
) -> anyhow::Result<Written> {
    let backend = Backend::choose(asked.backend.as_deref())?;
    let described = asked.arm.iter().map(|text| experiment.add(text));
    let described: Vec<String> = described.collect::<anyhow::Result<_>>()?;
    // An arm that the command line describes runs beside those that it names, or that run by default.
    let mut names = asked.arms.clone();
    if names.is_empty() && !described.is_empty() {
        names = experiment.arms.clone();
    }
    names.extend(described);
    let size = experiment.size;
    let steps = asked.steps.unwrap_or(size.steps);
    let plan = Plan {
        arms: experiment.choose(&names)?,
        seeds: asked.seeds.unwrap_or(size.seeds),
        steps,
        draw: asked.draw.map_or(size.draw, |draw| draw as usize),
        evaluate_every: size.evaluate_every.unwrap_or((steps / 100).max(1)),
        jobs: asked.jobs.map_or_else(cores, |jobs| jobs as usize),
        fresh: asked.fresh,
        checkpoint_every: asked.checkpoint_every,
        settings: experiment.task.settings()?,
        backend,
        folder: experiment.folder(
            asked.out.as_deref().unwrap_or(Path::new("runs")),
            asked.quick,
        ),
        experiment: &experiment,
    };
    plan.check()?;
    std::fs::create_dir_all(&plan.folder)
        .with_context(|| format!("could not create {}", plan.folder.display()))?;
    let Outcome {
        failures,
        interrupted,
    } = plan.run(interrupt)?;
    let record = record(&plan)?;
    replace(&plan.folder.join(EXPERIMENT), record.to_line()? + "\n")?;
    let report = experiment.task.report(&plan.folder);
    for failure in &failures {
        eprintln!("error: {}", message(failure.as_ref()));
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
    report
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The command was interrupted; unfinished runs resume when it is given again.
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

/// The request to stop that an interrupt (Ctrl-C) or a termination signal makes. A second one ends the
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

fn record(plan: &Plan<'_>) -> anyhow::Result<ExperimentRecord> {
    let experiment = plan.experiment;
    // An arm that runs only when named is part of the report once it has been.
    let mut names = experiment.names();
    names.retain(|name| experiment.arms.contains(name) || plan.folder.join(name).is_dir());
    let mut arms: Vec<ArmRecord> = experiment
        .choose(&names)?
        .iter()
        .map(crate::arm::Arm::record)
        .collect();
    // So are arms of earlier command lines, which no file knows.
    let before = files::read::<ExperimentRecord>(&plan.folder.join(EXPERIMENT));
    for arm in before.into_iter().flat_map(|record| record.arms) {
        let there = plan.folder.join(&arm.name).is_dir();
        if there && arms.iter().all(|other| other.name != arm.name) {
            arms.push(arm);
        }
    }
    let arguments: Vec<String> = std::env::args().skip(2).map(quoted).collect();
    Ok(ExperimentRecord {
        schema: SCHEMA,
        name: experiment.name.clone(),
        title: experiment.title.clone(),
        claim: experiment.hypothesis.clone(),
        baseline: experiment.baseline.clone(),
        arms,
        claims: experiment.claims.clone(),
        commands: vec![format!("cargo xtask experiment {}", arguments.join(" ")).into()],
    })
}

/// An argument as a shell takes it.
fn quoted(argument: String) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./=,:+".contains(letter);
    match argument.chars().all(plain) && !argument.is_empty() {
        true => argument,
        false => format!("'{}'", argument.replace('\'', r"'\''")),
    }
}

/// Prints a text; whoever reads it may stop before its end.
fn say(text: &str) -> anyhow::Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context("could not print"),
    }
}
