//! `cargo xtask report`: writes a report again, with a program that is built without Burn.

use std::convert::Infallible;
use std::ffi::OsString;

use clap::Args;

use crate::shell;

/// Arguments of `gradual-report`.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Report {
    /// Passed on to gradual-report, whose help --help shows: folders such as runs/sparse-parity, and options
    #[arg(
        required = true,
        allow_hyphen_values = true,
        trailing_var_arg = true,
        value_name = "ARGUMENT"
    )]
    arguments: Vec<OsString>,
}

impl Report {
    pub(crate) fn run(self) -> anyhow::Result<Infallible> {
        let sh = shell::shell()?;
        let run = shell::cargo(&sh, &["run", "--release", "--package", "gradual-report"])
            .arg("--manifest-path")
            .arg(shell::root().join("Cargo.toml"))
            .args(self.features())
            .arg("--")
            .args(&self.arguments);
        shell::become_program(run)
    }

    /// Parquet takes longer to build than all the rest, so it is built in only where it is asked for.
    fn features(&self) -> Option<&'static str> {
        let mentions = |word: &str| {
            let mut arguments = self.arguments.iter();
            arguments.any(|argument| argument.to_string_lossy().contains(word))
        };
        (mentions("--format") && mentions("parquet")).then_some("--features=parquet")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parquet_is_built_in_when_asked_for() {
        for (line, asked) in [
            ("runs/a runs/b --out there --tensorboard", false),
            ("--claims docs/claims.md runs/parquet", false),
            ("--format html,parquet runs/a", true),
            ("runs/a --format=parquet", true),
        ] {
            let arguments = line.split(' ').map(OsString::from).collect();
            let features = Report { arguments }.features();
            assert_eq!(features.is_some(), asked, "{line}");
        }
    }
}
