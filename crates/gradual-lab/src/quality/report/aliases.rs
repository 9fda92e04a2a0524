//! Whether the aliases of a task look alike.

use gradual::measure::statistics::mean;
use gradual_report::{HeatMap, Sheet};

use super::super::line::{AliasLine, Joined, Line};
use super::Runs;
use super::families::slug;

/// A number of the aliases.
type Share = (&'static str, fn(&Joined) -> Option<f64>);

/// The share joined by signed cosines is left to `quality.jsonl`: a quotient of two small numbers.
const SHARES: [Share; 3] = [
    ("joined, squared", |joined| joined.squared),
    ("partners, squared", |joined| joined.squared_partners),
    ("partners, signed", |joined| joined.signed_partners),
];

impl Runs {
    pub(super) fn add_aliases(&self, sheet: &mut Sheet, heads: &[&str]) {
        let line = self.first();
        sheet.heading("Do aliases look alike?");
        sheet.text(&format!(
            "Joined: 0 where another code of the same task is as unlike as another task, 1 where the \
             codes of a task can't be told apart. Partners: the share of codes whose nearest other code \
             belongs to the same task; by chance {:.3}. Of squared cosines, by which groups are formed, \
             and of signed ones, that is of mean gradients.",
            (line.codes / line.tasks.max(1) - 1) as f64 / (line.codes.max(2) - 1) as f64
        ));
        type Tasks = (&'static str, fn(&AliasLine) -> Option<Joined>);
        let over: [Tasks; 2] = [
            ("all tasks", |line| Some(line.all)),
            ("learned tasks only", |line| line.learned),
        ];
        for (tasks, of_tasks) in over {
            for (share, of) in SHARES {
                sheet.heading(&format!("Aliases {share}: {tasks}"));
                let number = |one: &AliasLine, line: &Line| {
                    let found = line.aliases.iter().find(|other| seen(other) == seen(one));
                    of(&of_tasks(found?)?)
                };
                let row = |one: &AliasLine| {
                    let cell = |lines: &Vec<Line>| {
                        let found = lines.iter().filter_map(|line| number(one, line));
                        mean(&found.collect::<Vec<_>>())
                    };
                    (seen(one), self.steps.values().map(cell).collect())
                };
                sheet.figure(&HeatMap {
                    name: format!("aliases-{}", slug(&format!("{share} {tasks}"))),
                    title: format!("Aliases {share}: {tasks}"),
                    x_label: "step".to_owned(),
                    columns: self.steps.keys().map(u64::to_string).collect(),
                    rows: line.aliases.iter().map(row).collect(),
                });
                let cells = |one: &AliasLine| self.of_lines(&seen(one), |line| number(one, line));
                sheet.table(heads, line.aliases.iter().map(cells).collect());
            }
        }
    }
}

fn seen(line: &AliasLine) -> String {
    format!("{} {}, {}", line.metric, line.part, line.layers)
}
