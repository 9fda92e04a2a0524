//! `cargo xtask report`: writes a report again, with a program that is built without Burn.

use std::ffi::OsString;

use clap::Args;

use crate::program;

/// Passed on to the program `gradual-report`, which checks and explains.
#[derive(Debug, Args)]
pub(crate) struct Report {
    /// The folder of an experiment, such as runs/sparse-parity
    dir: OsString,
    /// Further arguments of gradual-report
    #[arg(allow_hyphen_values = true, trailing_var_arg = true)]
    arguments: Vec<OsString>,
}

impl Report {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let report = program::build("gradual-report", &[])?;
        let arguments = std::iter::once(&self.dir).chain(&self.arguments);
        match program::become_program(report, arguments)? {}
    }
}
