//! `cargo xtask test`: all tests, documentation examples included.

use clap::Args;

use crate::backend::Backend;
use crate::cargo;

/// What to test and how.
#[derive(Debug, Args)]
pub(crate) struct Test {
    /// The backend to build the lab with: a feature of gradual-lab
    #[arg(long, value_name = "NAME")]
    backend: Option<String>,
    /// Arguments of `cargo test`, after --backend: the name of a test, -p CRATE, --doc
    #[arg(allow_hyphen_values = true)]
    arguments: Vec<String>,
    /// Arguments of the test programs
    #[arg(last = true)]
    program_arguments: Vec<String>,
}

impl Test {
    /// All tests of the workspace with the default backend.
    pub(crate) fn everything() -> Self {
        Self {
            backend: None,
            arguments: Vec::new(),
            program_arguments: Vec::new(),
        }
    }

    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let backend = Backend::choose(self.backend.as_deref())?;
        let arguments = self.cargo_arguments(&backend.cargo_arguments());
        cargo::run(&mut cargo::cargo(arguments))
    }

    /// Tests run in release: Burn, which is most of the build, is then compiled once for runs and tests,
    /// and tests that train something end soon.
    pub(crate) fn cargo_arguments(&self, backend: &[String]) -> Vec<String> {
        let mut arguments = vec!["test".to_owned(), "--release".to_owned()];
        let selects = self.arguments.iter().any(|a| selects_package(a));
        if !selects {
            // Cargo would quietly test everything, were both given.
            arguments.push("--workspace".to_owned());
        }
        // Cargo refuses features of a crate that is not among the selected ones.
        if !selects || self.arguments.iter().any(|a| a.contains("gradual-lab")) {
            arguments.extend_from_slice(backend);
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
