//! Before, during and after emergence: what each view shows at its best.

use std::collections::BTreeMap;

use gradual::measure::statistics::mean;
use gradual_report::Sheet;

use super::super::line::{Line, RowLine};
use super::{Runs, name, said, values};

/// A step that stands for a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stage {
    pub(super) name: &'static str,
    pub(super) step: u64,
}

/// The stages that the steps show: the last step before anything is learned by any seed, the one at which about half is,
/// and the last one where three quarters or more are.
pub(super) fn stages(steps: &BTreeMap<u64, Vec<Line>>) -> Vec<Stage> {
    let share = |lines: &Vec<Line>| {
        let shares = lines
            .iter()
            .map(|line| line.learned as f64 / line.tasks.max(1) as f64);
        mean(&shares.collect::<Vec<_>>()).unwrap_or(0.0)
    };
    let unlearned = |lines: &Vec<Line>| lines.iter().all(|line| line.learned == 0);
    let mut stages = Vec::new();
    let before = steps.iter().rev().find(|(_, lines)| unlearned(lines));
    if let Some((&step, _)) = before {
        stages.push(Stage {
            name: "before",
            step,
        });
    }
    let after = steps
        .iter()
        .next_back()
        .filter(|(_, lines)| share(lines) >= 0.75);
    let between = steps.iter().filter(|(step, lines)| {
        let last = after.is_some_and(|(after, _)| after == *step);
        !last && share(lines) > 0.0 && before.is_none_or(|(before, _)| before < *step)
    });
    let from_half = |lines: &Vec<Line>| (share(lines) - 0.5).abs();
    let during = between.min_by(|(_, a), (_, b)| from_half(a).total_cmp(&from_half(b)));
    if let Some((&step, _)) = during {
        stages.push(Stage {
            name: "during",
            step,
        });
    }
    if let Some((&step, _)) = after {
        stages.push(Stage {
            name: "after",
            step,
        });
    }
    stages
}

/// What is looked at. The inputs of a layer behind the first are activations.
pub(super) fn view(row: &RowLine) -> &str {
    match row.part.as_str() {
        "inputs" if row.layers == "first layer" => "inputs",
        "inputs" => "activations",
        "" => "references",
        part => part,
    }
}

impl Runs {
    /// The best row of each view at each stage, with the number of groups told and not told.
    pub(super) fn add_stages(&self, sheet: &mut Sheet) {
        let stages = stages(&self.steps);
        let against = self.first().rows.first().map_or("", |row| &row.against);
        sheet.heading("Before, during and after emergence");
        sheet.text(&format!(
            "The adjusted Rand index against the {against} of the best row of each view (of soft groups, its soft form), with \
             what the row is. The best of many rows is a little too good. Before: the last step at which nothing is \
             learned; during: that at which about half is; after: the last step, if three quarters are."
        ));
        let heads: Vec<String> = stages
            .iter()
            .map(|stage| format!("{} (step {})", stage.name, stage.step))
            .collect();
        let mut all = vec!["view", "number"];
        all.extend(heads.iter().map(String::as_str));
        let mut views: Vec<&str> = Vec::new();
        let rows: Vec<&RowLine> = self
            .first()
            .rows
            .iter()
            .filter(|row| row.against == against)
            .collect();
        for row in &rows {
            let view = view(row);
            if view != "references" && !views.contains(&view) {
                views.push(view);
            }
        }
        let mut cells = Vec::new();
        for of in views {
            for told in [true, false] {
                let own = rows
                    .iter()
                    .filter(|row| view(row) == of && row.told == told);
                let own: Vec<&&RowLine> = own.collect();
                if own.is_empty() {
                    continue;
                }
                let number = if told { "told" } else { "found" };
                let best = stages
                    .iter()
                    .map(|stage| best(&own, &self.steps[&stage.step]));
                cells.push(
                    [of.to_owned(), number.to_owned()]
                        .into_iter()
                        .chain(best)
                        .collect(),
                );
            }
        }
        sheet.table(&all, cells);
    }
}

/// The largest mean index of some rows, and whose it is.
fn best(rows: &[&&RowLine], lines: &[Line]) -> String {
    let index = |row: &RowLine| values(lines, row, |row| row.adjusted_rand);
    let indices = rows.iter().map(|row| (index(row), row));
    let means = indices.filter_map(|(found, row)| Some((mean(&found)?, found, row)));
    match means.max_by(|a, b| a.0.total_cmp(&b.0)) {
        None => "–".to_owned(),
        Some((_, found, row)) => format!("{}: {}", said(&found), name(row)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(step: u64, learned: u64) -> Line {
        let line = format!(
            r#"{{"schema":1,"step":{step},"examples":9,"tasks":8,"codes":8,"mean_accuracy":0.5,
                "learned":{learned},"rows":[],"how_many":[],"aliases":[]}}"#
        );
        serde_json::from_str(&line).unwrap()
    }

    fn of(learned: &[(u64, &[u64])]) -> Vec<(&'static str, u64)> {
        let steps = learned
            .iter()
            .map(|&(step, seeds)| (step, seeds.iter().map(|&of| line(step, of)).collect()));
        let found = stages(&steps.collect());
        found.iter().map(|stage| (stage.name, stage.step)).collect()
    }

    #[test]
    fn stages_are_told_by_what_is_learned() {
        let run: [(u64, &[u64]); 5] = [
            (0, &[0, 0]),
            (10, &[0, 0]),
            (20, &[1, 0]),
            (30, &[5, 4]),
            (40, &[8, 7]),
        ];
        assert_eq!(of(&run), [("before", 10), ("during", 30), ("after", 40)]);
        assert_eq!(of(&run[..3]), [("before", 10), ("during", 20)]);
        assert_eq!(of(&run[..1]), [("before", 0)]);
        assert_eq!(of(&run[3..]), [("during", 30), ("after", 40)]);
    }
}
