//! `gradual measure`.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use gradual::measure::RunSummary;
use gradual::runs::streams::tell;
use gradual_report::csv_cell;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::input::curves;
use crate::output::{Output, Tabular};

const EXAMPLES: &str = "Examples:
  gradual measure curves.csv
  gradual measure curves.csv --chance 0.1 --format csv
  gradual measure runs/mine/erm/seed-0/curves.jsonl

A table has a row for each step and capability (columns step, capability, accuracy, and where known loss, chance,
frequency, probability, progress), or a row for each step (a column step, and one of accuracies for each capability).";

/// Prints when and how suddenly each capability arises, and how far apart they do.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Learning curves of one run: .csv, or the curves.jsonl of a run folder
    #[arg(value_name = "FILE")]
    curves: PathBuf,
    /// Accuracy of guessing, where the table does not hold it: from 0 to below 1 [default: 0]
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true)]
    chance: Option<f64>,
    #[command(flatten)]
    output: Output,
}

/// Numbers of a run and of its capabilities.
#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Measured(Map<String, Value>);

impl Arguments {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        self.output.check()?;
        let curves = curves::read(&self.curves, self.chance.unwrap_or(0.0))?;
        if self.chance.is_none() && !curves.has_chances {
            tell(
                "note: the accuracy of guessing is taken to be 0; where it is not, give --chance, or a column \"chance\" beside a column \"capability\"",
            );
        }
        let failed = || format!("{}", self.curves.display());
        let summary = RunSummary::from_evaluations(&curves.evaluations).with_context(failed)?;
        let Value::Object(mut measured) = serde_json::to_value(&summary)? else {
            anyhow::bail!("the numbers of a run are no object");
        };
        for (path, known) in [
            ("examples_to_90", curves.has_examples),
            ("examples_to_99", curves.has_examples),
            ("gradients_to_99", curves.has_examples),
            ("seconds_to_90", false),
            ("seconds_to_99", false),
            ("gini", curves.has_losses),
            ("by_frequency", curves.has_frequencies),
            ("final_loss", curves.has_losses),
        ] {
            if !known {
                measured.remove(path);
            }
        }
        if !curves.has_losses
            && let Some(Value::Object(capabilities)) = measured.get_mut("capabilities")
        {
            for one in capabilities.values_mut().filter_map(Value::as_object_mut) {
                one.remove("final_loss");
            }
        }
        self.output.write(&Measured(measured))
    }
}

/// A row for each number; those of the whole run have no capability.
impl Tabular for Measured {
    fn columns(&self) -> Vec<&'static str> {
        vec!["capability", "metric", "value"]
    }

    fn rows(&self) -> Vec<Vec<String>> {
        let mut rows = Vec::new();
        for (name, value) in &self.0 {
            match (name.as_str(), value) {
                ("capabilities", Value::Object(capabilities)) => {
                    for (capability, value) in capabilities {
                        flat(&mut rows, capability, "", value);
                    }
                }
                _ => flat(&mut rows, "", name, value),
            }
        }
        rows
    }
}

fn flat(rows: &mut Vec<Vec<String>>, capability: &str, name: &str, value: &Value) {
    let inner = |key: &str| match name {
        "" => key.to_owned(),
        _ => format!("{name}.{key}"),
    };
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                flat(rows, capability, &inner(key), value);
            }
        }
        Value::Array(values) => {
            for (at, value) in values.iter().enumerate() {
                flat(rows, capability, &inner(&at.to_string()), value);
            }
        }
        _ => {
            let value = match value {
                Value::Null => String::new(),
                Value::String(text) => csv_cell(text),
                other => other.to_string(),
            };
            rows.push(vec![csv_cell(capability), name.to_owned(), value]);
        }
    }
}
