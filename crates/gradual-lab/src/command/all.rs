//! `experiment all`: every built-in experiment that tests claims, one after another, and a page of them.

use std::ffi::OsString;
use std::path::Path;

use anyhow::bail;
use gradual::runs::message;
use gradual::runs::streams::tell;
use gradual::train::Interrupt;
use gradual_report::{Indexed, check_index, index};
use serde_json::{Value, json};

use super::{ALL, Asked, Interrupted, print, print_json, record, result, run_until, signals};
use crate::experiment::{self, Experiment};
use crate::training::Written;

/// The page, beside the folders of the experiments.
const PAGE: &str = "index.html";

/// Runs what is not done of each, goes on after one that fails, and prints the path of the page.
///
/// # Errors
/// Before anything runs, where something else is in the place of the page; at the end, naming the experiments that failed;
/// at once where somebody stopped it, or the page can't be written.
pub(super) fn run(asked: &Asked, rest: &[OsString]) -> anyhow::Result<()> {
    let interrupt = signals::listen()?.begun();
    let out = asked.out.as_deref().unwrap_or(Path::new("runs"));
    let page = out.join(PAGE);
    let experiments = experiment::all()?;
    check_index(&page)?;
    let mut done = Vec::new();
    let mut results = Vec::new();
    for (at, (name, text)) in (1..).zip(&experiments) {
        tell(format_args!(
            "{name}, experiment {at} of {}",
            experiments.len()
        ));
        let outcome = one(name, text, asked, rest, &interrupt);
        let failed = match &outcome {
            Ok(written) => {
                results.push(result::of(&written.page)?);
                None
            }
            Err(error) => {
                let said = message(error.as_ref());
                tell(format_args!("error: {name}: {said}"));
                results.push(json!({ "experiment": name, "error": said }));
                Some(said)
            }
        };
        done.push(Indexed {
            folder: experiment::folder_name(name, asked.quick),
            failed,
        });
        // After each, so that the page is there while the others run.
        index(&page, &done)?;
        if let Err(error) = outcome
            && let Some(&Interrupted { runs, .. }) = error.downcast_ref()
        {
            let not_begun = experiments.len() - at;
            return Err(Interrupted { runs, not_begun }.into());
        }
    }
    match asked.json {
        true => print_json(
            &json!({ "page": page.to_string_lossy(), "experiments": Value::Array(results) }),
        )?,
        false => print(page.display())?,
    }
    let failed: Vec<&str> = done
        .iter()
        .filter(|one| one.failed.is_some())
        .map(|one| one.folder.as_str())
        .collect();
    match failed.as_slice() {
        [] => Ok(()),
        failed => bail!(
            "{} of {} experiments failed: {}; the same command does what is missing",
            failed.len(),
            done.len(),
            failed.join(", ")
        ),
    }
}

/// Where the word that stands for all experiments is: not behind a flag, of which it may be the value.
fn place(arguments: &[OsString]) -> Option<usize> {
    let is_all = |at: &usize| arguments[*at] == ALL;
    let is_value = |at: usize| {
        let before = at
            .checked_sub(1)
            .map(|before| arguments[before].to_string_lossy());
        before.is_some_and(|before| before.starts_with("--") && !before.contains('='))
    };
    let mut places = (0..arguments.len()).filter(is_all);
    let last = places.clone().next_back();
    places.find(|&at| !is_value(at)).or(last)
}

fn one(
    name: &str,
    text: &str,
    asked: &Asked,
    rest: &[OsString],
    interrupt: &Interrupt,
) -> anyhow::Result<Written> {
    let flags = experiment::Asked {
        quick: asked.quick,
        flags: None,
    };
    let experiment = Experiment::read(name, text, &flags, None)?;
    // The command that makes this experiment alone.
    let mut arguments = rest.to_vec();
    if let Some(at) = place(&arguments) {
        arguments[at] = OsString::from(name);
    }
    let command = record::command("cargo xtask experiment", &arguments);
    run_until(experiment, asked, command, interrupt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_found_among_flags() {
        for (line, expected) in [
            ("all", Some(0)),
            ("--quick all", Some(1)),
            ("--out all all --quick", Some(2)),
            ("all --out all", Some(0)),
            ("--out=all all", Some(1)),
            ("--quick --out runs", None),
        ] {
            let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            assert_eq!(place(&arguments), expected, "{line}");
        }
    }
}
