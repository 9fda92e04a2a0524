//! `cargo xtask test`: all tests, documentation examples included; or the conformance suite of a backend.

use clap::Args;

use crate::{backends, programs, shell};

/// What to test and how.
#[derive(Debug, Args)]
pub(crate) struct Test {
    /// Run the conformance suite on these backends instead, NAME or NAME:INDEX separated by commas
    #[arg(long, value_name = "A,B", conflicts_with_all = ["arguments", "program_arguments"])]
    backend: Option<String>,
    /// Where a page with the table of the suite goes
    #[arg(long, value_name = "FILE", requires = "backend")]
    page: Option<String>,
    /// Arguments of `cargo test`: the name of a test, -p CRATE, --doc
    #[arg(allow_hyphen_values = true)]
    arguments: Vec<String>,
    /// Arguments of the test programs
    #[arg(last = true)]
    program_arguments: Vec<String>,
}

impl Test {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        if let Some(text) = &self.backend {
            let page = self.page.map(|page| format!("--page={page}"));
            let arguments = [format!("--backend={text}")].into_iter().chain(page);
            let arguments: Vec<String> = arguments.collect();
            match programs::become_lab(&backends::choose(text)?, "conformance", &arguments)? {}
        }
        let sh = shell::shell()?;
        Ok(shell::cargo(&sh, &["test", "--release"])
            .args(self.cargo_arguments())
            .run()?)
    }

    /// Tests run in release: Burn, which is most of the build, is then compiled once for runs and tests, and tests
    /// that train something end soon.
    fn cargo_arguments(&self) -> Vec<String> {
        let mut arguments = self.arguments.clone();
        let selects =
            |argument: &String| argument.starts_with("-p") || argument.starts_with("--package");
        if !self.arguments.iter().any(selects) {
            // Cargo would quietly test everything, were both given.
            arguments.insert(0, "--workspace".to_owned());
        }
        if !self.program_arguments.is_empty() {
            arguments.push("--".to_owned());
            arguments.extend_from_slice(&self.program_arguments);
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
        test: Test,
    }

    #[test]
    fn arguments_go_to_cargo_and_to_the_test_program() {
        for (line, expected) in [
            (
                "--doc rises -- --nocapture",
                "--workspace --doc rises -- --nocapture",
            ),
            ("-- --nocapture", "--workspace -- --nocapture"),
            // One package leaves the others alone.
            ("-p gradual-loss", "-p gradual-loss"),
            ("rises --package=gradual-lab", "rises --package=gradual-lab"),
        ] {
            let words = ["xtask"].into_iter().chain(line.split(' '));
            let test = Line::try_parse_from(words).unwrap().test;
            assert_eq!(test.cargo_arguments().join(" "), expected);
        }
    }
}
