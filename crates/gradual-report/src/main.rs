//! Writes the report of experiments and prints the path of its page.

use std::process::ExitCode;

use gradual_report::command::{parse, report};

fn main() -> ExitCode {
    gradual_runs::process::outlive_file_limits();
    match parse::<report::Arguments>("gradual-report") {
        Ok(arguments) => arguments.run(),
        Err(ended) => ended,
    }
}
