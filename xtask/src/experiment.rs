//! `cargo xtask experiment`: builds the lab for a backend and hands the command over to it.

use std::ffi::OsString;

use clap::Args;

use crate::backend::Backends;

/// What runs when no name is given.
const DEFAULT_EXPERIMENT: &str = "sparse-parity";

/// Flags of the lab, passed on unread.
///
/// The lab knows its experiments, checks names and numbers, and explains what is wrong. So values stay text
/// here, also such as `--seeds -1`.
#[derive(Debug, Args)]
pub(crate) struct Experiment {
    /// The experiment [default: sparse-parity]; --list shows all
    name: Option<OsString>,
    /// Run these arms only, separated by commas
    #[arg(long, value_name = "A,B")]
    arms: Option<OsString>,
    /// How many seeds to run of each arm
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    seeds: Option<OsString>,
    /// How many optimizer steps a run takes
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    steps: Option<OsString>,
    /// How many examples a step draws
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    draw: Option<OsString>,
    /// How many runs go on at the same time
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    jobs: Option<OsString>,
    /// Where the run folders go
    #[arg(long, value_name = "DIR")]
    out: Option<OsString>,
    /// A CSV file of your own
    #[arg(long, value_name = "FILE")]
    data: Option<OsString>,
    /// The column of --data to predict
    #[arg(long, value_name = "COL")]
    label: Option<OsString>,
    /// The column of --data that names the group of a row
    #[arg(long, value_name = "COL")]
    group: Option<OsString>,
    /// How many codes announce each task of sparse parity
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    aliases: Option<OsString>,
    /// How many hidden layers the model of sparse parity has
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    depth: Option<OsString>,
    /// A short version that shows that everything works
    #[arg(long)]
    quick: bool,
    /// Start again instead of going on with unfinished runs
    #[arg(long)]
    fresh: bool,
    /// How many steps lie between checkpoints
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    checkpoint_every: Option<OsString>,
    /// List the experiments and their arms
    #[arg(long)]
    list: bool,
    /// The backend to run on, NAME or NAME:INDEX for one of its devices: a feature of gradual-lab
    #[arg(long, value_name = "NAME")]
    backend: Option<String>,
}

impl Experiment {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        match Backends::choose_one(self.backend())?.become_lab(self.lab_arguments())? {}
    }

    pub(crate) fn backend(&self) -> Option<&str> {
        self.backend.as_deref()
    }

    /// The command line of the lab.
    pub(crate) fn lab_arguments(&self) -> Vec<OsString> {
        let mut arguments = vec![OsString::from("experiment")];
        match &self.name {
            Some(name) => arguments.push(name.clone()),
            // A list needs no experiment, and which one a file of one's own goes with is for the lab to say.
            None if self.list || self.data.is_some() => {}
            None => arguments.push(DEFAULT_EXPERIMENT.into()),
        }
        let values = [
            ("arms", &self.arms),
            ("seeds", &self.seeds),
            ("steps", &self.steps),
            ("draw", &self.draw),
            ("jobs", &self.jobs),
            ("out", &self.out),
            ("data", &self.data),
            ("label", &self.label),
            ("group", &self.group),
            ("aliases", &self.aliases),
            ("depth", &self.depth),
            ("checkpoint-every", &self.checkpoint_every),
        ];
        for (flag, value) in values {
            if let Some(value) = value {
                // One argument, not two: a value that starts with a hyphen stays a value.
                let mut argument = OsString::from(format!("--{flag}="));
                argument.push(value);
                arguments.push(argument);
            }
        }
        let switches = [
            ("--quick", self.quick),
            ("--fresh", self.fresh),
            ("--list", self.list),
        ];
        for (flag, on) in switches {
            if on {
                arguments.push(flag.into());
            }
        }
        arguments
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        experiment: Experiment,
    }

    fn lab_arguments(line: &[&str]) -> Vec<OsString> {
        let line = ["xtask"].iter().chain(line);
        Line::try_parse_from(line)
            .unwrap()
            .experiment
            .lab_arguments()
    }

    #[test]
    fn sparse_parity_is_the_default() {
        assert_eq!(lab_arguments(&[]), ["experiment", "sparse-parity"]);
        assert_eq!(lab_arguments(&["--list"]), ["experiment", "--list"]);
        assert_eq!(
            lab_arguments(&["--data", "a.csv"]),
            ["experiment", "--data=a.csv"]
        );
    }

    #[test]
    fn all_flags_of_the_lab_are_passed_and_the_backend_is_not() {
        let values = [
            "--arms=erm,grouped",
            "--seeds=3",
            "--steps=10",
            "--draw=many",
            "--jobs=2",
            "--out=some dir",
            "--data=a.csv",
            "--label=y",
            "--group=g",
            "--aliases=2",
            "--depth=-1",
            "--checkpoint-every=5",
            "--quick",
            "--fresh",
            "--list",
        ];
        let mut line = vec!["no-such-experiment"];
        line.extend(values);
        let mut expected = vec!["experiment", "no-such-experiment"];
        expected.extend(values);
        line.push("--backend=flex");
        assert_eq!(lab_arguments(&line), expected);
    }
}
