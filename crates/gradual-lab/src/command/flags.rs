//! The flags of the command.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, FromArgMatches as _};

use crate::experiment;
use crate::kinds::{KINDS, Kind};

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
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) seeds: Option<u64>,
    /// Optimizer steps per run
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) steps: Option<u64>,
    /// Examples per step
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) draw: Option<u64>,
    /// Runs at the same time [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
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
    /// Steps between checkpoints, from which a stopped run resumes [default: a twentieth of a run]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) checkpoint_every: Option<u64>,
    /// One of the backends that are compiled in, NAME or NAME:INDEX for one of its devices
    #[arg(long, value_name = "NAME")]
    pub(crate) backend: Option<String>,
}

impl Asked {
    /// Nothing but where the runs go.
    pub(crate) fn in_folder(out: &Path) -> Self {
        Self {
            arms: Vec::new(),
            arm: Vec::new(),
            seeds: None,
            steps: None,
            draw: None,
            jobs: None,
            out: Some(out.to_owned()),
            quick: false,
            fresh: false,
            checkpoint_every: None,
            backend: None,
        }
    }
}

/// Which experiment.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// One of the experiments of --list, or a file FILE.toml [default: sparse-parity]
    #[arg(value_name = "NAME|FILE")]
    name: Option<String>,
    /// List the experiments, their arms, and what recipes can be made of
    #[arg(long)]
    pub(super) list: bool,
    /// Print the file of an experiment, to start one's own from
    #[arg(long, value_name = "NAME")]
    pub(super) show: Option<String>,
}

impl Which {
    /// The name of the experiment's file, and its content.
    pub(super) fn file(&self, matches: &ArgMatches) -> anyhow::Result<(String, String)> {
        // A table of one's own needs no word more.
        let default = KINDS
            .into_iter()
            .find(|kind| given(*kind, matches).is_some_and(|flag| flag == "data"));
        let name = self.name.as_deref().or(default.map(|kind| kind.name()));
        let name = name.unwrap_or(experiment::FILES[0].0);
        let path = Path::new(name);
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            let text =
                std::fs::read_to_string(path).with_context(|| format!("could not read {name}"))?;
            return Ok((name.to_owned(), text));
        }
        Ok((name.to_owned(), experiment::find(name)?.to_owned()))
    }
}

/// Reads the arguments of the command, or ends the program with a message as clap does.
pub(super) fn parse(arguments: Vec<OsString>) -> ArgMatches {
    let mut command = Asked::augment_args(Which::augment_args(Command::new("experiment")));
    for kind in KINDS {
        command = kind.with_flags(command);
    }
    // The flags bring descriptions of their own, so that this comes last.
    let command = command
        .bin_name("cargo xtask experiment")
        .about("Run an experiment, and write its run folders and its report");
    command.get_matches_from(std::iter::once(OsString::from("experiment")).chain(arguments))
}

/// Reads the flags of the program of an experiment of one's own.
pub(super) fn parse_own(out: &Path) -> Asked {
    let matches = Asked::augment_args(Command::new("study"))
        .about("Run a study, and write its run folders and its report")
        .mut_arg("quick", |arg| arg.hide(true))
        .get_matches();
    let asked = Asked::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
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

/// A flag of a kind of task that was given, if any was.
fn given(kind: &dyn Kind, matches: &ArgMatches) -> Option<String> {
    let flags = kind.with_flags(Command::new("flags"));
    let mut ids = flags.get_arguments().map(|flag| flag.get_id().to_string());
    ids.find(|id| matches.value_source(id) == Some(ValueSource::CommandLine))
}

/// Refuses flags of another kind of task than the experiment's.
pub(super) fn refuse_flags_of_others(
    file: &str,
    text: &str,
    matches: &ArgMatches,
) -> anyhow::Result<()> {
    let own = experiment::kind(file, text)?;
    for kind in KINDS.into_iter().filter(|kind| Some(kind.name()) != own) {
        if let Some(flag) = given(kind, matches) {
            bail!(
                "experiment {file} has no --{flag}; it goes with experiments on the task {}",
                kind.name()
            );
        }
    }
    Ok(())
}
