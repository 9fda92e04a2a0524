//! What the rules say of the number of groups.

use gradual_report::Sheet;

use super::super::line::Line;
use super::Runs;

impl Runs {
    pub(super) fn add_how_many(&self, sheet: &mut Sheet, heads: &[&str]) {
        let line = self.first();
        sheet.heading("How many groups");
        let codes = match line.codes == line.tasks {
            true => String::new(),
            false => format!(", announced by {} codes", line.codes),
        };
        sheet.text(&format!(
            "What the rules say of squared cosines. There are {} capabilities{codes}.",
            line.tasks
        ));
        let several = line
            .how_many
            .iter()
            .any(|a| a.seen != line.how_many[0].seen);
        let shown = line.how_many.iter().filter(|answer| {
            // Of many looks, the rules that say something; all of them are in the lines.
            !several || ["eigengap", "silhouette"].contains(&answer.rule.as_str())
        });
        let rows = shown.map(|answer| {
            let of = |line: &Line| {
                let mut answers = line.how_many.iter();
                let found = answers
                    .find(|other| (&other.rule, &other.seen) == (&answer.rule, &answer.seen));
                found.map(|answer| answer.groups as f64)
            };
            let name = [answer.rule.as_str(), &answer.seen].join(": ");
            self.of_lines(name.trim_end_matches(": "), of)
        });
        sheet.table(heads, rows.collect());
    }
}
