//! The lines of `quality.jsonl`.

use std::collections::HashSet;
use std::fmt::Display;

use gradual::runs::{Record, RunsError};
use serde::{Deserialize, Serialize};

/// Most ways of grouping at one step.
const MOST_ROWS: usize = 2_000;

/// What was found at one step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Line {
    pub(super) schema: u32,
    /// Optimizer steps taken before.
    pub(super) step: u64,
    /// Examples that were grouped.
    pub(super) examples: u64,
    /// Number of tasks (or skills) and of codes that announce them.
    pub(super) tasks: u64,
    pub(super) codes: u64,
    /// Held-out accuracy, mean over tasks.
    pub(super) mean_accuracy: f64,
    /// Tasks that are past half of their rise.
    pub(super) learned: u64,
    /// Names of the capabilities where rows say which of them share a group.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) names: Vec<String>,
    pub(super) rows: Vec<RowLine>,
    pub(super) how_many: Vec<Answer>,
    /// Empty where each task has one code.
    pub(super) aliases: Vec<AliasLine>,
}

impl Record for Line {
    const NAME: &'static str = "quality";

    fn schema(&self) -> u32 {
        self.schema
    }

    /// Steps increase; there are rows, each once; shares are from 0 to 1, indices from −1 to 1, and every number is finite.
    fn check(&self, before: Option<&Self>) -> Result<(), RunsError> {
        if let Some(before) = before
            && before.step >= self.step
        {
            return Err(fault(
                "step",
                self.step,
                format!("more than the {} before it", before.step),
            ));
        }
        within("mean_accuracy", Some(self.mean_accuracy), 0.0)?;
        if !(1..=MOST_ROWS).contains(&self.rows.len()) {
            let expected = format!("1 to {MOST_ROWS} of them");
            return Err(fault("rows", self.rows.len(), expected));
        }
        let mut seen = HashSet::new();
        for row in &self.rows {
            let parts = (&row.grouping, &row.metric, &row.part, &row.layers);
            if !seen.insert((parts, &row.against)) {
                return Err(fault("rows", &row.grouping, "each grouping of a view once"));
            }
        }
        for row in &self.rows {
            within("adjusted_rand", row.adjusted_rand, -1.0)?;
            within("mutual_information", row.mutual_information, 0.0)?;
            within("purity", row.purity, 0.0)?;
            within("purity_by_chance", row.purity_by_chance, 0.0)?;
            within("homogeneity", row.homogeneity, 0.0)?;
            if let Some(slope) = row.weight_mass_slope.filter(|slope| !slope.is_finite()) {
                return Err(fault("weight_mass_slope", slope, "a finite number"));
            }
        }
        Ok(())
    }
}

/// Refuses a number beyond `least` and 1, but for rounding.
fn within(entry: &str, got: Option<f64>, least: f64) -> Result<(), RunsError> {
    const ROUNDING: f64 = 1e-9;
    match got {
        Some(got) if !(least - ROUNDING..=1.0 + ROUNDING).contains(&got) => {
            Err(fault(entry, got, format!("a number from {least} to 1")))
        }
        _ => Ok(()),
    }
}

fn fault(entry: &str, got: impl Display, expected: impl Display) -> RunsError {
    RunsError::Value {
        record: Line::NAME,
        entry: entry.to_owned(),
        got: got.to_string(),
        expected: expected.to_string(),
    }
}

/// How well one grouping did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct RowLine {
    pub(super) grouping: String,
    pub(super) metric: String,
    pub(super) part: String,
    pub(super) layers: String,
    /// What groups were compared with: `tasks`, `codes` or `skills`.
    pub(super) against: String,
    /// Whether the number of groups was told; in old lines it always was.
    #[serde(default = "always")]
    pub(super) told: bool,
    /// Number of groups asked for or, where none was told, found; and of those that are not empty.
    pub(super) groups: u64,
    pub(super) found: u64,
    pub(super) adjusted_rand: Option<f64>,
    pub(super) mutual_information: Option<f64>,
    pub(super) purity: Option<f64>,
    pub(super) purity_by_chance: Option<f64>,
    pub(super) homogeneity: Option<f64>,
    /// Of the tasks' coefficient mass under the sum of squares.
    pub(super) weight_mass_slope: Option<f64>,
    /// Examples of each capability (inner) in each group (outer), where capabilities have names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) contingency: Vec<Vec<u64>>,
}

fn always() -> bool {
    true
}

/// What one rule says of the number of groups.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Answer {
    /// What it looked at; empty in old lines, where there is but one answer of each rule.
    #[serde(default)]
    pub(super) seen: String,
    pub(super) rule: String,
    pub(super) groups: u64,
}

/// Whether the aliases of a task are alike, in one metric and part of the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct AliasLine {
    pub(super) metric: String,
    pub(super) part: String,
    pub(super) layers: String,
    /// Over all tasks.
    pub(super) all: Joined,
    /// Over the learned tasks alone, where there are two or more.
    pub(super) learned: Option<Joined>,
}

/// How far aliases are joined, 0 to 1 by expectation; see [`super::aliases`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Joined {
    pub(super) squared: Option<f64>,
    pub(super) squared_partners: Option<f64>,
    pub(super) signed: Option<f64>,
    pub(super) signed_partners: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> Line {
        let row = RowLine {
            grouping: String::from("k-means"),
            metric: String::from("raw"),
            part: String::from("inputs"),
            layers: String::from("first layer"),
            against: String::from("tasks"),
            told: true,
            groups: 3,
            found: 3,
            adjusted_rand: Some(-0.2),
            mutual_information: Some(0.0),
            purity: Some(1.0 + 1e-12),
            purity_by_chance: Some(0.4),
            homogeneity: None,
            weight_mass_slope: Some(-1.5),
            contingency: Vec::new(),
        };
        Line {
            schema: 1,
            step: 10,
            examples: 30,
            tasks: 3,
            codes: 3,
            mean_accuracy: 0.5,
            learned: 0,
            names: Vec::new(),
            rows: vec![row],
            how_many: Vec::new(),
            aliases: Vec::new(),
        }
    }

    #[test]
    fn numbers_out_of_their_range_are_named() {
        line().check(None).unwrap();
        assert!(line().check(Some(&line())).is_err(), "steps increase");
        let said = |change: fn(&mut Line)| {
            let mut line = line();
            change(&mut line);
            line.check(None).unwrap_err().to_string()
        };
        for (message, entry) in [
            (
                said(|line| line.rows[0].adjusted_rand = Some(7.5)),
                "adjusted_rand",
            ),
            (said(|line| line.rows[0].purity = Some(-0.1)), "purity"),
            (
                said(|line| line.rows[0].homogeneity = Some(f64::NAN)),
                "homogeneity",
            ),
            (
                said(|line| line.rows[0].weight_mass_slope = Some(f64::INFINITY)),
                "weight_mass_slope",
            ),
            (said(|line| line.mean_accuracy = -5.0), "mean_accuracy"),
        ] {
            assert!(message.contains(entry), "{message}");
        }
    }
}
