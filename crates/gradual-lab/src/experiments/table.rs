//! A table of numbers, a user's own or red-wine quality: real data with rare groups.

use gradual::measure::{Claim, Direction, Metric};
use gradual::train::Task as _;
use gradual_tasks::{Table as Task, TableError};
use serde_json::{Value, json};

use crate::arms::{self, ARMS, CONTROLS, MORE, claim};
use crate::experiment::{Arm, Book, Experiment, Finished, Options, Run, Size};

const RATE: f64 = 1e-3;
const EVERY: u64 = 20;

/// The weights that found groups look at.
const FIRST: &[&str] = &["layers.0.weight"];

/// The experiment `table`.
pub(crate) struct Table;

impl Table {
    fn task(options: &Options, seed: u64) -> Result<Task, TableError> {
        match &options.data {
            Some(data) => Task::open(&data.file, &data.label, &data.group, seed),
            None => Task::red_wine(seed),
        }
    }
}

impl Experiment for Table {
    fn name(&self) -> &'static str {
        "table"
    }

    fn title(&self) -> &'static str {
        "A table with rare groups"
    }

    fn about(&self) -> &'static str {
        "a CSV file with a label and a group column (default: red-wine quality): do rare groups keep up?"
    }

    fn claim(&self) -> &'static str {
        "If rows are grouped and the sum of squared group losses is minimised, the worst group \
         dominates, so rare groups are learned at rates comparable to frequent ones (after A. Jermyn, \
         2022)."
    }

    fn baseline(&self) -> &'static str {
        "erm"
    }

    fn arms(&self) -> Vec<Arm> {
        [&ARMS[..], &CONTROLS].concat()
    }

    fn more_arms(&self) -> Vec<Arm> {
        MORE.to_vec()
    }

    fn claims(&self) -> Vec<Claim> {
        vec![
            claim(
                "grouped",
                Metric::Gap,
                Direction::Lower,
                0.8,
                "With known groups, groups are closer together at equal mean skill.",
            ),
            claim(
                "grouped",
                Metric::FinalAccuracy,
                Direction::Higher,
                1.0,
                "With known groups, the mean accuracy over groups ends no lower.",
            ),
        ]
    }

    fn size(&self, options: &Options) -> Size {
        match options.quick {
            false => Size {
                seeds: 5,
                steps: 2_000,
                draw: 128,
            },
            true => Size {
                seeds: 2,
                steps: 300,
                draw: 64,
            },
        }
    }

    fn settings(&self, options: &Options) -> anyhow::Result<Value> {
        options.without_parity(self.name())?;
        // Opening the table here finds what is wrong with it before any folder is made.
        let task = Self::task(options, 0)?;
        let names: Vec<&str> = task
            .capabilities()
            .iter()
            .map(|c| c.name.as_str())
            .collect();
        Ok(json!({
            "data": options.data.as_ref().map(|data| data.file.display().to_string()),
            "label": options.data.as_ref().map(|data| &data.label),
            "group": options.data.as_ref().map(|data| &data.group),
            "capabilities": names,
            "optimizer": "adam",
            "rate": RATE,
            "evaluate_every": EVERY,
            "scale": "unit-sum",
        }))
    }

    fn check(&self, arm: &str, draw: usize, options: &Options) -> anyhow::Result<()> {
        let groups = Self::task(options, 0)?.capabilities().len();
        Ok(arms::objective(arm, groups, FIRST, 0)?.check(draw)?)
    }

    fn run(&self, run: &Run<'_>, book: Book) -> anyhow::Result<Finished> {
        let task = Self::task(run.options, run.seed)?;
        let groups = task.capabilities().len();
        let objective = arms::objective(run.arm, groups, FIRST, run.seed)?;
        let sampler = arms::sampler(run.arm, &task, run.steps)?;
        Ok(run.train(&task, objective, sampler, (RATE, EVERY), book)?)
    }
}
