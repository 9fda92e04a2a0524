//! `cargo xtask report`: writes a report again, with a program that is built without Burn.

use std::ffi::{OsStr, OsString};

use clap::Args;

use crate::program;

/// Passed on to the program `gradual-report`, which checks and explains.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Report {
    /// Folders of experiments, such as runs/sparse-parity, and options of gradual-report: --format
    /// html,csv,parquet, --tensorboard, --out DIR, --claims FILE; --help tells all
    #[arg(
        required = true,
        allow_hyphen_values = true,
        trailing_var_arg = true,
        value_name = "DIR"
    )]
    arguments: Vec<OsString>,
}

impl Report {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let report = program::build("gradual-report", &self.features(), &Vec::new())?;
        match program::become_program(report, &self.arguments, &Vec::new())? {}
    }

    /// What is passed on.
    #[cfg(test)]
    pub(crate) fn arguments(&self) -> &[OsString] {
        &self.arguments
    }

    /// Parquet takes longer to build than all the rest, so it is built in only where it is asked for.
    pub(crate) fn features(&self) -> Vec<String> {
        let asked = |argument: &OsString| mentions(argument, "parquet");
        let formats = |argument: &OsString| mentions(argument, "--format");
        let wanted = self.arguments.iter().any(formats) && self.arguments.iter().any(asked);
        if wanted {
            vec!["--features=parquet".to_owned()]
        } else {
            Vec::new()
        }
    }
}

fn mentions(argument: &OsStr, word: &str) -> bool {
    argument.to_string_lossy().contains(word)
}
