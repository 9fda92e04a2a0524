//! Follows experiments in the browser while they run.

use std::process::ExitCode;

use gradual_report::command::{parse, watch};

fn main() -> ExitCode {
    match parse::<watch::Arguments>("gradual-watch") {
        Ok(arguments) => arguments.run(),
        Err(ended) => ended,
    }
}
