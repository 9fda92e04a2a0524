//! All numbers of the protocol in one file for programs: `quality.json`.

use gradual::measure::statistics::{deviation, mean};
use gradual::runs::ExperimentRecord;
use serde_json::{Map, Value, json};

use super::super::line::{Line, RowLine};
use super::stages::{stages, view};
use super::{MEASURES, Runs, values};

/// Its schema. A field that is added does not change it.
const SCHEMA: u32 = 1;

impl Runs {
    pub(super) fn json(&self, record: &ExperimentRecord, task: &str) -> Value {
        let first = self.first();
        let stages: Map<String, Value> = stages(&self.steps)
            .into_iter()
            .map(|stage| (stage.name.to_owned(), json!(stage.step)))
            .collect();
        let steps = self.steps.iter().map(|(step, lines)| {
            let of = |of: fn(&Line) -> f64| summed(&lines.iter().map(of).collect::<Vec<_>>());
            json!({
                "step": step,
                "mean_accuracy": of(|line| line.mean_accuracy),
                "learned": of(|line| line.learned as f64),
            })
        });
        let how_many = self.steps.iter().flat_map(|(step, lines)| {
            first.how_many.iter().map(move |asked| {
                let answers = lines.iter().flat_map(|line| &line.how_many);
                let own = answers.filter(|one| (&one.rule, &one.seen) == (&asked.rule, &asked.seen));
                let groups: Vec<f64> = own.map(|answer| answer.groups as f64).collect();
                json!({"step": step, "seen": asked.seen, "rule": asked.rule, "groups": summed(&groups)})
            })
        });
        json!({
            "schema": SCHEMA,
            "experiment": record.name,
            "title": record.title,
            "task": task,
            "seeds": self.seeds,
            "examples": first.examples,
            "capabilities": first.tasks,
            "codes": first.codes,
            "stages": stages,
            "steps": steps.collect::<Vec<_>>(),
            "rows": first.rows.iter().map(|row| self.row(row)).collect::<Vec<_>>(),
            "how_many": how_many.collect::<Vec<_>>(),
            "training": self.trained,
        })
    }

    /// A row with its scores step by step.
    fn row(&self, row: &RowLine) -> Value {
        let scores: Map<String, Value> = self
            .steps
            .iter()
            .map(|(step, lines)| {
                let scores: Map<String, Value> = MEASURES
                    .iter()
                    .map(|(name, of)| ((*name).to_owned(), summed(&values(lines, row, *of))))
                    .chain([(
                        "groups".to_owned(),
                        summed(&values(lines, row, |row| Some(row.found as f64))),
                    )])
                    .collect();
                (step.to_string(), Value::Object(scores))
            })
            .collect();
        json!({
            "view": view(row),
            "grouping": row.grouping,
            "number": if row.told { "told" } else { "found" },
            "metric": row.metric,
            "part": row.part,
            "layers": row.layers,
            "against": row.against,
            "scores": scores,
        })
    }
}

/// Mean and deviation over seeds, and their number; nothing where there is no number.
fn summed(values: &[f64]) -> Value {
    match mean(values) {
        None => Value::Null,
        Some(mean) => json!({"mean": mean, "deviation": deviation(values), "seeds": values.len()}),
    }
}
