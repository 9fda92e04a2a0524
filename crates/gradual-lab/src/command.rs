//! The command `experiment`.

mod all;
mod flags;
mod late;
mod list;
mod part;
mod planned;
mod record;
mod result;
mod signals;

pub(crate) use flags::Asked;
pub(crate) use planned::{Measured, Planned, plan_of};
pub(crate) use record::{is_pipe, quoted};

use std::ffi::OsString;
use std::fmt;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::{ArgMatches, Args, FromArgMatches as _};
use gradual::runs::streams::{say, steers, tell};
use gradual::runs::threads;
use gradual::runs::{CommandRecord, message};
use gradual::train::Interrupt;
use gradual_backends::backend::Backend;
use gradual_report::ReportError;

use crate::arm::Arm;
use crate::experiment::{self, Experiment};
use crate::runner::{Outcome, Plan};
use crate::training::Written;
use flags::Which;

/// The name that stands for every experiment that tests claims.
pub(crate) const ALL: &str = "all";

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
        let flags::Parsed {
            matches,
            file,
            text,
        } = flags::parse(&self.rest)?;
        let (which, asked) = read(&matches)?;
        if which.list {
            return match asked.json {
                true => print_json(&list::json()?),
                false => print(list::text()?.trim_end()),
            };
        }
        if let Some(name) = &which.show {
            return print(experiment::find(name)?.trim_end());
        }
        if which.is_all() {
            which.check_all()?;
            if asked.part.is_given() {
                bail!(
                    "--plan, --only, --shard and --collect are of one experiment: name it in the place of all"
                );
            }
            return all::run(&asked, &self.rest);
        }
        // Before data are read, which may take long: who is told to end then has not failed.
        let listening = signals::listen()?;
        threads::prepare();
        let experiment = of_file(&file, &text, &matches, &asked)?;
        let command = record::command("cargo xtask experiment", &self.rest);
        // A plan has nothing to lose.
        let interrupt = match asked.part.plan {
            true => Interrupt::default(),
            false => listening.begun(),
        };
        finish(experiment, &asked, command, &interrupt)
    }
}

fn read(matches: &ArgMatches) -> anyhow::Result<(Which, Asked)> {
    Ok((
        Which::from_arg_matches(matches)?,
        Asked::from_arg_matches(matches)?,
    ))
}

fn of_file(
    file: &str,
    text: &str,
    matches: &ArgMatches,
    asked: &Asked,
) -> anyhow::Result<Experiment> {
    let flags = experiment::Asked {
        quick: asked.quick,
        flags: Some(matches),
    };
    Experiment::read(file, text, &flags, None)
}

/// Runs the experiment, or the part of it that is asked for, listening to signals, and prints the path of the report.
fn finish(
    mut experiment: Experiment,
    asked: &Asked,
    command: CommandRecord,
    interrupt: &Interrupt,
) -> anyhow::Result<()> {
    let written = match asked.part.is_given() {
        false => run_until(experiment, asked, command, interrupt)?,
        true => {
            let arms = chosen(&mut experiment, asked)?;
            let plan = planned(&experiment, arms, asked)?;
            plan.share.check(plan.count())?;
            if asked.part.plan {
                plan.check()?;
                return part::print_lines(&plan);
            }
            if !asked.part.collect {
                let outcome = train(&plan, asked, command, interrupt)?;
                let folder = plan.folder.to_string_lossy();
                return match (outcome.is_whole(), asked.json) {
                    (false, _) => ended_early(&outcome),
                    (true, true) => print_json(&serde_json::json!({ "folder": folder })),
                    (true, false) => print(plan.folder.display()),
                };
            }
            part::check_collected(&plan)?;
            // As the same command without a part would, which would have nothing to run either.
            record::check(&plan, &command)?;
            record::write(&plan, command, false, interrupt)?;
            written(&plan, interrupt)?
        }
    };
    if asked.json {
        return print_json(&result::of(&written.page)?);
    }
    if let Some(text) = written.text {
        print(&text)?;
    }
    print(written.page.display())
}

/// Runs the experiment to its end.
pub(crate) fn run(experiment: Experiment, asked: &Asked) -> anyhow::Result<Written> {
    let command = record::own_command();
    run_until(experiment, asked, command, &Interrupt::default())
}

/// The program of an experiment of one's own, whose runs go into a folder in `out` unless a flag says otherwise.
pub(crate) fn main_of(
    out: &Path,
    experiment: impl FnOnce() -> anyhow::Result<Experiment>,
) -> ExitCode {
    let asked = flags::parse_own(out);
    let outcome = signals::listen().and_then(|listening| {
        threads::prepare();
        let experiment = experiment()?;
        finish(
            experiment,
            &asked,
            record::own_command(),
            &listening.begun(),
        )
    });
    ended(outcome)
}

/// Says what went wrong, if anything did, as an exit code.
pub fn ended(outcome: anyhow::Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(format_args!("error: {}", message(error.as_ref())));
            match error.is::<Interrupted>() {
                true => ExitCode::from(INTERRUPTED),
                false => ExitCode::FAILURE,
            }
        }
    }
}

/// Ends the program with what its command line was refused for, or with the help that was asked for, which a full disk may keep
/// from being printed.
pub fn leave(said: &clap::Error) -> ! {
    if said.use_stderr() {
        said.exit()
    }
    std::process::exit(match say(said.render().to_string().trim_end()) {
        Ok(()) => 0,
        Err(error) => {
            tell(format_args!("error: could not print: {error}"));
            1
        }
    })
}

/// Runs whatever is not done, and writes the report.
fn run_until(
    mut experiment: Experiment,
    asked: &Asked,
    command: CommandRecord,
    interrupt: &Interrupt,
) -> anyhow::Result<Written> {
    let arms = chosen(&mut experiment, asked)?;
    let plan = planned(&experiment, arms, asked)?;
    let outcome = train(&plan, asked, command, interrupt)?;
    if outcome.is_whole() {
        // Who asked for an end while the last run came to its own has not asked for no report.
        let of_report = match interrupt.asked() {
            true => &Interrupt::default(),
            false => interrupt,
        };
        return written(&plan, of_report);
    }
    // Of runs that were interrupted there is a report, too: the interrupt was not its own.
    let report = experiment.task.report(&plan.folder, &Interrupt::default());
    match report {
        Ok(Written { page, .. }) => tell(format_args!(
            "the report of what there is: {}",
            page.display()
        )),
        Err(error) => tell(format_args!(
            "there is no report of what there is: {}",
            message(error.as_ref())
        )),
    }
    ended_early(&outcome)
}

/// The error of runs that are not all done.
fn ended_early<T>(outcome: &Outcome) -> anyhow::Result<T> {
    match (outcome.interrupted, outcome.failures.len()) {
        (0, 1) => bail!("1 run failed"),
        (0, runs) => bail!("{runs} runs failed"),
        (runs, _) => Err(Interrupted::with(runs).into()),
    }
}

/// The report of runs that are done.
fn written(plan: &Plan<'_>, interrupt: &Interrupt) -> anyhow::Result<Written> {
    let report = plan.experiment.task.report(&plan.folder, interrupt);
    report.map_err(|error| match error.downcast_ref() {
        Some(ReportError::Interrupted) => Interrupted::with(0).into(),
        _ => error,
    })
}

/// The arms that are asked for, those that the command line describes among them.
fn chosen(experiment: &mut Experiment, asked: &Asked) -> anyhow::Result<Vec<Arm>> {
    let described = asked.arm.iter().map(|text| experiment.add(text));
    let described: Vec<String> = described.collect::<anyhow::Result<_>>()?;
    // An arm that the command line describes runs beside those that it names, or that run by default.
    let mut names = asked.arms.clone();
    if names.is_empty() && !described.is_empty() {
        names = experiment.arms.clone();
    }
    names.extend(described);
    let mut arms = experiment.choose(&names)?;
    if asked.seeds.is_some() || asked.quick {
        // Which holds for all of them.
        arms.iter_mut().for_each(|arm| arm.seeds = None);
    }
    Ok(arms)
}

/// The runs of these arms.
fn planned<'a>(
    experiment: &'a Experiment,
    arms: Vec<Arm>,
    asked: &Asked,
) -> anyhow::Result<Plan<'a>> {
    let backend = Backend::choose(asked.backend.as_deref())?;
    let size = experiment.size;
    let steps = asked.steps.unwrap_or(size.steps);
    Ok(Plan {
        arms,
        seeds: asked.seeds.unwrap_or(size.seeds),
        first_seed: asked.first_seed.unwrap_or(size.first_seed),
        steps,
        draw: asked.draw.map_or(size.draw, |draw| draw as usize),
        evaluate_every: (asked.evaluate_every.or(size.evaluate_every))
            .unwrap_or((steps / 100).max(1)),
        jobs: asked.jobs.map_or_else(cores, |jobs| jobs as usize),
        fresh: asked.fresh,
        share: asked.part.share()?,
        checkpoint_every: asked.checkpoint_every,
        tensorboard: asked.tensorboard,
        settings: experiment.task.settings()?,
        backend,
        folder: experiment.folder(
            asked.out.as_deref().unwrap_or(Path::new("runs")),
            asked.quick,
        ),
        experiment,
    })
}

/// Runs whatever is not done of the plan, and says what went wrong.
fn train(
    plan: &Plan<'_>,
    asked: &Asked,
    command: CommandRecord,
    interrupt: &Interrupt,
) -> anyhow::Result<Outcome> {
    let experiment = plan.experiment;
    // Who names arms knows which are left out.
    let others = experiment.notes.iter().filter(|_| asked.arms.is_empty());
    let others = others.chain(&experiment.unclaimed);
    for note in experiment.task.notes().iter().chain(others) {
        tell(format_args!("note: {note}"));
    }
    plan.check()?;
    record::check(plan, &command)?;
    let running: Vec<&str> = plan.arms.iter().map(|arm| arm.name.as_str()).collect();
    // Those of arms that are not asked for stay where they are, also with --fresh.
    let has_runs = |name: &str| plan.folder.join(name).is_dir();
    if let Some(note) = experiment.unjudged(&running, has_runs) {
        tell(format_args!("note: {note}"));
    }
    // Seeds of a trial are few on purpose.
    if !asked.quick
        && let Some(note) = experiment.undecided(|name| plan.all_seeds(name))
    {
        tell(format_args!("note: {note}"));
    }
    if let Some(note) = experiment.unshared(&running, has_runs) {
        tell(format_args!("note: {note}"));
    }
    for arm in &plan.arms {
        if let Some(note) = arm.recipe.unbegun(plan.steps(arm)) {
            tell(format_args!("note: arm {}: {note}", arm.name));
        }
    }
    let queue = plan.open(interrupt)?;
    if plan.tensorboard && queue.is_empty() {
        tell(format_args!(
            "note: all runs are done, so that --tensorboard writes nothing: cargo xtask report {} --tensorboard writes event files of them",
            plan.folder.display()
        ));
    }
    let runs = queue.len();
    let before = record::write(plan, command.clone(), runs > 0, interrupt)?;
    let outcome = plan.run(queue, interrupt);
    if outcome.is_turned_away(runs) {
        record::take_back(plan, &command, before, interrupt)?;
    }
    for failure in &outcome.failures {
        tell(format_args!("error: {}", message(failure.as_ref())));
    }
    Ok(outcome)
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The command was interrupted; unfinished runs resume when it is given again.
#[derive(Debug)]
pub struct Interrupted {
    /// Those that are open.
    runs: usize,
    /// Experiments after this one that have not begun.
    not_begun: usize,
}

impl Interrupted {
    fn with(runs: usize) -> Self {
        Self { runs, not_begun: 0 }
    }
}

impl std::error::Error for Interrupted {}

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let later = match self.not_begun {
            0 => String::new(),
            1 => String::from(", and 1 experiment has not begun"),
            many => format!(", and {many} experiments have not begun"),
        };
        let (open, goes_on) = match self.runs {
            0 => (String::from("all runs are done"), "writes their report"),
            1 => (String::from("1 run is open"), "goes on with it"),
            runs => (format!("{runs} runs are open"), "goes on with them"),
        };
        write!(f, "interrupted: {open}{later}; the same command {goes_on}")
    }
}

/// Prints what the command was asked for.
pub(crate) fn print(text: impl fmt::Display) -> anyhow::Result<()> {
    say(text).context("could not print the result")
}

/// Prints JSON for programs: characters that would steer a terminal stand there by their number, which JSON reads back.
pub(crate) fn print_json(value: &serde_json::Value) -> anyhow::Result<()> {
    print(steady(&value.to_string()))
}

/// JSON without characters that would steer a terminal.
pub(crate) fn steady(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut units = [0; 2];
    for letter in text.chars() {
        match steers(letter) {
            false => safe.push(letter),
            true => {
                let units = letter.encode_utf16(&mut units).iter();
                safe.extend(units.map(|unit| format!("\\u{unit:04x}")));
            }
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::{Interrupted, steady};

    #[test]
    fn json_comes_back_and_steers_no_terminal() {
        let value = serde_json::json!({ "a\u{202e}b": ["\u{1b}[2J", "\u{e0041}", "é\n"] });
        let text = steady(&value.to_string());
        assert!(
            !text.contains('\u{202e}') && !text.contains('\u{1b}'),
            "{text}"
        );
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&text).unwrap(),
            value
        );
    }

    #[test]
    fn an_interrupt_says_what_is_open_and_what_has_not_begun() {
        let said = |runs, not_begun| Interrupted { runs, not_begun }.to_string();
        for (runs, not_begun, expected) in [
            (1, 0, "1 run is open; the same command goes on with it"),
            (3, 0, "3 runs are open; the same command goes on with them"),
            (
                1,
                11,
                "1 run is open, and 11 experiments have not begun; the same command goes on with it",
            ),
            (
                0,
                1,
                "all runs are done, and 1 experiment has not begun; the same command writes their report",
            ),
        ] {
            assert_eq!(said(runs, not_begun), format!("interrupted: {expected}"));
        }
    }
}
