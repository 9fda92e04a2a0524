//! The program `gradual`: groups, coefficients, emergence metrics and reports for files that any framework wrote.
//!
//! A command is a file: [`group`], [`coefficients`], [`measure`], and those of [`gradual_report::command`]. [`input`] reads
//! what they are given, [`draw`] makes a draw of it, [`output`] writes what they found.

mod coefficients;
mod draw;
mod group;
mod input;
mod list;
mod measure;
mod numbers;
mod output;

use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};
use gradual::runs::message;
use gradual::runs::process::outlive_file_limits;
use gradual::runs::streams::{say, tell};
use gradual::runs::threads;
use gradual_report::command;

/// Groups, coefficients, emergence metrics and reports for files that any framework wrote.
#[derive(Debug, Parser)]
#[command(
    name = "gradual",
    version,
    after_help = "Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 130 interrupted."
)]
struct Cli {
    /// Print what --grouping, --wrapper, --composition, --composition-wrapper and --scale take
    #[arg(long)]
    list: bool,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Group the examples of a draw by their gradients, or by what else is known of them
    Group(group::Arguments),
    /// Compose the losses of a draw into one value, with a coefficient for each example
    Coefficients(coefficients::Arguments),
    /// Emergence metrics of learning curves
    Measure(measure::Arguments),
    /// Write the report of experiments
    Report(command::report::Arguments),
    /// Follow an experiment in the browser while it runs
    Watch(command::watch::Arguments),
    /// Print a script that completes these commands in a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

fn main() -> ExitCode {
    outlive_file_limits();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if error.use_stderr() => {
            tell(error.render().to_string().trim_end());
            return ExitCode::from(2);
        }
        Err(help) => return ended(print(help.render().to_string().trim_end())),
    };
    match (cli.list, cli.command) {
        (true, _) => ended(print(list::list().trim_end())),
        (_, Some(Command::Group(arguments))) => computed(|| arguments.run()),
        (_, Some(Command::Coefficients(arguments))) => computed(|| arguments.run()),
        (_, Some(Command::Measure(arguments))) => computed(|| arguments.run()),
        (_, Some(Command::Report(arguments))) => arguments.run(),
        (_, Some(Command::Watch(arguments))) => arguments.run(),
        (_, Some(Command::Completions { shell })) => ended(completions(shell)),
        (false, None) => {
            tell(Cli::command().render_help().to_string().trim_end());
            ExitCode::from(2)
        }
    }
}

fn completions(shell: clap_complete::Shell) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "gradual", &mut script);
    print(String::from_utf8(script)?.trim_end())
}

fn print(text: &str) -> anyhow::Result<()> {
    Ok(say(text)?)
}

fn computed(run: impl FnOnce() -> anyhow::Result<()>) -> ExitCode {
    threads::prepare();
    ended(run())
}

fn ended(outcome: anyhow::Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(format_args!("error: {}", message(error.as_ref())));
            ExitCode::FAILURE
        }
    }
}
