//! `cargo xtask test`: all tests, documentation examples included; or the conformance suite of a backend.

use std::ffi::OsString;

use clap::Args;

use crate::backend::Backends;
use crate::cargo;

/// What to test and how.
#[derive(Debug, Args)]
pub(crate) struct Test {
    /// Run the conformance suite on these backends instead, NAME or NAME:INDEX separated by commas
    #[arg(long, value_name = "A,B", conflicts_with_all = ["arguments", "program_arguments"])]
    backend: Option<String>,
    /// Where a page with the table of the suite goes
    #[arg(long, value_name = "FILE", requires = "backend")]
    page: Option<OsString>,
    /// Arguments of `cargo test`: the name of a test, -p CRATE, --doc
    #[arg(allow_hyphen_values = true)]
    arguments: Vec<String>,
    /// Arguments of the test programs
    #[arg(last = true)]
    program_arguments: Vec<String>,
}

impl Test {
    /// All tests of the workspace, compiled with `backends` and with checks of our own arithmetic; they run on the
    /// default backend.
    pub(crate) fn everything(backends: &Backends) -> anyhow::Result<()> {
        let mut command = cargo::checked_tests();
        command.arg("--workspace").args(backends.cargo_arguments());
        cargo::run(command.envs(backends.environment()))
    }

    /// The conformance suite on `backends`, by the lab that [`everything`](Self::everything) has built.
    pub(crate) fn conformance(backends: &Backends) -> anyhow::Result<()> {
        backends.run_tested_lab(vec!["conformance".into()])
    }

    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let Some(names) = &self.backend else {
            return cargo::run(&mut cargo::cargo(self.cargo_arguments()));
        };
        let mut arguments = vec![OsString::from("conformance")];
        if let Some(page) = &self.page {
            arguments.extend(["--page".into(), page.clone()]);
        }
        match Backends::choose(Some(names))?.become_lab(arguments)? {}
    }

    /// Tests run in release: Burn, which is most of the build, is then compiled once for runs and tests,
    /// and tests that train something end soon.
    pub(crate) fn cargo_arguments(&self) -> Vec<String> {
        let mut arguments = vec!["test".to_owned(), "--release".to_owned()];
        let selects = self.arguments.iter().any(|a| selects_package(a));
        if !selects {
            // Cargo would quietly test everything, were both given.
            arguments.push("--workspace".to_owned());
        }
        arguments.extend_from_slice(&self.arguments);
        if !self.program_arguments.is_empty() {
            arguments.push("--".to_owned());
            arguments.extend_from_slice(&self.program_arguments);
        }
        arguments
    }
}

/// Whether an argument of `cargo test` is `-p CRATE` or `--package CRATE`, in one word or two.
fn selects_package(argument: &str) -> bool {
    argument.starts_with("-p") || argument.starts_with("--package")
}
