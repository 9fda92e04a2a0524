//! The flags of the command.

use std::ffi::OsString;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches as _};

use super::ALL;
use super::part::Part;
use crate::bounds;
use crate::experiment;
use crate::kinds::{KINDS, Kind};

/// Longer files are taken for a mistake.
const LONGEST: u64 = 1 << 20;

/// What stands below the flags in the help.
const AFTER: &str = "\
The flags of the task depend on the experiment: NAME --help shows those of NAME.

Examples:
  cargo xtask experiment --quick                               a short version, in minutes
  cargo xtask experiment skills --arms erm,grouped --seeds 1   two arms of another experiment
  cargo xtask experiment table --data FILE.csv --label COL --group COL
  cargo xtask experiment --arms erm,mine --arm 'mine=like:grouped,composition:power(p=4)'
  cargo xtask experiment --show skills > mine.toml             a file to start from
  cargo xtask experiment mine.toml
  cargo xtask experiment all --quick                           every experiment that tests claims, and a page of them

  cargo xtask experiment skills --plan                         its runs, numbered, a line of JSON each
  cargo xtask experiment skills --shard 0/4                    the first of four shares of them; then --collect

The same command resumes what was stopped. Exit codes: 0 done, 1 an error, 2 a wrong flag, 130 interrupted.";

/// The flags of every experiment.
#[derive(Debug, Clone, Args)]
pub(crate) struct Asked {
    /// Run these arms only, separated by commas; --list shows them
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    pub(crate) arms: Vec<String>,
    /// One arm more: 'NAME=like:ARM,grouping:spectral(k=8),composition:power(p=4)'; may be given several times
    #[arg(long, value_name = "NAME=RECIPE")]
    pub(crate) arm: Vec<String>,
    /// Seeds per arm
    #[arg(long, value_name = "N", value_parser = bounds::flag::<{ bounds::SEEDS }>)]
    pub(crate) seeds: Option<u64>,
    /// The first seed, which the others follow [default: 0]
    #[arg(long, value_name = "N", value_parser = bounds::first_seed_flag)]
    pub(crate) first_seed: Option<u64>,
    /// Optimizer steps per run
    #[arg(long, value_name = "N", value_parser = bounds::flag::<{ bounds::STEPS }>)]
    pub(crate) steps: Option<u64>,
    /// Examples per step
    #[arg(long, value_name = "N", value_parser = bounds::flag::<{ bounds::DRAW }>)]
    pub(crate) draw: Option<u64>,
    /// Runs at the same time [default: one per core]
    #[arg(long, value_name = "N", value_parser = bounds::flag::<{ bounds::SEEDS }>)]
    pub(crate) jobs: Option<u64>,
    /// Where the run folders go [default: runs]
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// A short version that shows that everything works
    #[arg(long)]
    pub(crate) quick: bool,
    /// Start over: finished runs are run again, and unfinished ones are not resumed
    #[arg(long)]
    pub(crate) fresh: bool,
    /// Steps between evaluations of all capabilities [default: the experiment's, or a hundredth of a run]
    #[arg(long, value_name = "N", value_parser = bounds::flag::<{ bounds::STEPS }>)]
    pub(crate) evaluate_every: Option<u64>,
    /// Steps between checkpoints, from which a stopped run resumes [default: a twentieth of a run]
    #[arg(long, value_name = "N", value_parser = bounds::flag::<{ bounds::STEPS }>)]
    pub(crate) checkpoint_every: Option<u64>,
    /// Write event files for TensorBoard while the runs go on, to the folder `tensorboard` beside them
    #[arg(long)]
    pub(crate) tensorboard: bool,
    /// One of the backends that are compiled in, NAME or NAME:INDEX for one of its devices
    #[arg(long, value_name = "NAME")]
    pub(crate) backend: Option<String>,
    #[command(flatten)]
    pub(crate) part: Part,
    /// Print a line of JSON for scripts: the folder, the page of the report, the verdicts; with --list, the lists
    #[arg(long)]
    pub(crate) json: bool,
}

impl Asked {
    /// Nothing but where the runs go.
    pub(crate) fn in_folder(out: &Path) -> Self {
        Self {
            arms: Vec::new(),
            arm: Vec::new(),
            seeds: None,
            first_seed: None,
            steps: None,
            draw: None,
            jobs: None,
            out: Some(out.to_owned()),
            quick: false,
            fresh: false,
            evaluate_every: None,
            checkpoint_every: None,
            tensorboard: false,
            backend: None,
            part: Part::default(),
            json: false,
        }
    }
}

/// Which experiment.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// One of the experiments of --list, a file FILE.toml, or all: every built-in experiment that tests claims
    /// [default: sparse-parity]
    #[arg(value_name = "NAME|FILE")]
    name: Option<String>,
    /// The same experiment on another task: grouping-quality --task skills is grouping-quality-skills
    #[arg(long, value_name = "TASK")]
    task: Option<String>,
    /// List the experiments, their arms, and what recipes can be made of
    #[arg(long)]
    pub(super) list: bool,
    /// Print the file of an experiment, to start one's own from
    #[arg(long, value_name = "NAME")]
    pub(super) show: Option<String>,
}

impl Which {
    /// Whether every experiment that tests claims is asked for.
    pub(super) fn is_all(&self) -> bool {
        self.name.as_deref() == Some(ALL)
    }

    /// Refuses a flag that is of one experiment.
    pub(super) fn check_all(&self) -> anyhow::Result<()> {
        match &self.task {
            Some(task) => {
                bail!("--task {task} is of one experiment: name it in the place of {ALL}")
            }
            None => Ok(()),
        }
    }

    /// The name of the experiment's file, and its content. Data of one's own need no word more: lines of JSON are text,
    /// folders and IDX files are images, everything else is a table.
    fn file(&self, data: Option<&str>) -> anyhow::Result<(String, String)> {
        let default = match data {
            Some(file) if is_lines_of_json(file) => "text",
            Some(file) if are_images(Path::new(file)) => "images",
            Some(_) => "table",
            None => experiment::FILES[0].0,
        };
        let name = self.name.as_deref().unwrap_or(default);
        if let Some(task) = &self.task {
            let name = experiment::on_task(name, task)?;
            let text = experiment::find(&name)?.to_owned();
            return Ok((name, text));
        }
        let path = Path::new(name);
        if path
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("toml"))
        {
            return Ok((name.to_owned(), read(path)?));
        }
        Ok((name.to_owned(), experiment::find(name)?.to_owned()))
    }
}

/// Whether data is a folder, or called as IDX files of images are.
fn are_images(data: &Path) -> bool {
    let name = data.file_name().and_then(|name| name.to_str());
    data.is_dir() || name.is_some_and(|name| name.contains("images-idx"))
}

/// Whether a file of data is called so.
fn is_lines_of_json(file: &str) -> bool {
    let extension = Path::new(file).extension();
    extension.is_some_and(|extension| {
        ["jsonl", "ndjson"]
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
    })
}

/// The text of an experiment's file.
fn read(path: &Path) -> anyhow::Result<String> {
    let could_not = || format!("could not read {}", path.display());
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).with_context(could_not)?;
    file.take(LONGEST + 1)
        .read_to_end(&mut bytes)
        .with_context(could_not)?;
    if bytes.len() as u64 > LONGEST {
        bail!(
            "{}: an experiment's file has at most {LONGEST} bytes",
            path.display()
        );
    }
    String::from_utf8(bytes).with_context(|| format!("{}: it is no UTF-8 text", path.display()))
}

/// What the command line says.
pub(super) struct Parsed {
    pub(super) matches: ArgMatches,
    /// The name of the experiment's file, and its content; empty where another thing is asked for.
    pub(super) file: String,
    pub(super) text: String,
}

/// Reads the arguments of the command, or ends the program with a message as clap does.
///
/// Which flags there are depends on the experiment, so that its name is looked for first.
pub(super) fn parse(arguments: &[OsString]) -> anyhow::Result<Parsed> {
    let words = || std::iter::once(OsString::from("experiment")).chain(arguments.iter().cloned());
    // Values that are wrong are said below, with the flags of the experiment.
    let any_value = |flag: Arg| {
        let names = ["name", "show", "data", "task"].contains(&flag.get_id().as_str());
        match flag.get_action().takes_values() && !names {
            true => flag.value_parser(clap::value_parser!(OsString)),
            false => flag,
        }
    };
    let first = with_flags_of_all(command())
        .mut_args(any_value)
        .ignore_errors(true)
        // One that is given twice as the last word would take all others along.
        .args_override_self(true)
        .disable_help_flag(true)
        .arg(
            Arg::new("help")
                .short('h')
                .long("help")
                .action(ArgAction::SetTrue),
        )
        .get_matches_from(words());
    let (mut file, mut text, mut kind) = (String::new(), String::new(), None);
    // What can't be read here, such as a name that is no text, is said below.
    if let Ok(which) = Which::from_arg_matches(&first)
        && !which.list
        && which.show.is_none()
        && !which.is_all()
    {
        let given = first.value_source("data") == Some(ValueSource::CommandLine);
        let data = first.try_get_one::<String>("data").ok().flatten();
        (file, text) = which.file(data.map(String::as_str).filter(|_| given))?;
        kind = experiment::kind(&file, &text)?;
    }
    let mut own = command();
    if let Some(kind) = kind {
        own = kind.with_flags(own);
    }
    // The flags bring descriptions of their own, so that this comes last.
    let own = own
        .bin_name("cargo xtask experiment")
        .about("Run an experiment, and write its run folders and its report")
        .after_help(AFTER);
    let matches = own.try_get_matches_from(words()).or_else(|error| {
        if let Some((flag, other)) = flag_of_another(&error, kind) {
            if file.is_empty() && !Which::from_arg_matches(&first).is_ok_and(|which| which.is_all())
            {
                bail!("{flag} is of one experiment, and --list and --show run none: leave it out");
            }
            let file = if file.is_empty() { ALL } else { &file };
            bail!(
                "experiment {file} has no {flag}; it goes with experiments on the task {}",
                other.name()
            );
        }
        if error.kind() == ErrorKind::InvalidUtf8
            && let Some(argument) = arguments
                .iter()
                .find(|argument| argument.to_str().is_none())
        {
            let said = format!("{} is no UTF-8 text\n", argument.display());
            super::leave(&clap::Error::raw(ErrorKind::InvalidUtf8, said));
        }
        super::leave(&error)
    })?;
    Ok(Parsed {
        matches,
        file,
        text,
    })
}

/// A command with the flags of every kind of task. Those of one name are one.
fn with_flags_of_all(command: Command) -> Command {
    KINDS.into_iter().fold(command, |command, kind| {
        let own = kind.with_flags(Command::new(kind.name()));
        own.get_arguments().fold(command, |command, flag| {
            let is_known = command
                .get_arguments()
                .any(|known| known.get_id() == flag.get_id());
            match is_known {
                true => command,
                false => command.arg(flag),
            }
        })
    })
}

/// The flags that every experiment has.
fn command() -> Command {
    Asked::augment_args(Which::augment_args(Command::new("experiment")))
}

/// The flag that is unknown, and the kind of task that has it, if one has.
fn flag_of_another(
    error: &clap::Error,
    own: Option<&'static dyn Kind>,
) -> Option<(String, &'static dyn Kind)> {
    if error.kind() != ErrorKind::UnknownArgument {
        return None;
    }
    let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg) else {
        return None;
    };
    let name = flag.trim_start_matches('-');
    let has = |kind: &&'static dyn Kind| {
        let flags = kind.with_flags(Command::new("flags"));
        flags
            .get_arguments()
            .any(|arg| arg.get_long() == Some(name))
    };
    let others = KINDS
        .into_iter()
        .filter(|kind| own.is_none_or(|own| own.name() != kind.name()));
    others
        .filter(has)
        .map(|kind| (format!("--{name}"), kind))
        .next()
}

/// Reads the flags of the program of an experiment of one's own.
pub(super) fn parse_own(out: &Path) -> Asked {
    let matches = Asked::augment_args(Command::new("study"))
        .about("Run a study, and write its run folders and its report")
        .mut_arg("quick", |arg| arg.hide(true))
        .try_get_matches();
    let asked = matches.and_then(|matches| Asked::from_arg_matches(&matches));
    let asked = asked.unwrap_or_else(|error| super::leave(&error));
    if asked.quick {
        let said = "a study has no short version; give --steps, --seeds or --draw";
        Command::new("study")
            .error(ErrorKind::UnknownArgument, said)
            .exit();
    }
    Asked {
        out: asked.out.or_else(|| Some(out.to_owned())),
        ..asked
    }
}
