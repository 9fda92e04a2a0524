//! Which capabilities share a group.
//!
//! Groups of two seeds have no names in common, so their contents can't be averaged. The chance that
//! an example of capability a and one of b stand in one group can: P_ab = Σ_g n_ga n_gb / (n_a n_b)
//! for n_ga examples of a in group g, and Σ_g n_ga (n_ga − 1) / (n_a (n_a − 1)) for two examples of a.

use gradual::measure::statistics::mean;
use gradual_report::{HeatMap, Sheet};

use super::super::line::{Line, RowLine};
use super::{name, values};

/// Adds what the best groups of gradients hold, step by step.
pub(super) fn add<'a>(sheet: &mut Sheet, steps: impl Iterator<Item = (u64, &'a Vec<Line>)>) {
    sheet.heading("Which of them share a group");
    sheet.text(
        "At each step the row of gradients with the largest adjusted Rand index, best of many and so \
         a little too good. In the map: the chance that an example of the row and one of the column \
         share a group, mean over seeds. In the table: examples in each group, first seed.",
    );
    for (step, lines) in steps {
        let Some((best, names)) = best(lines) else {
            continue;
        };
        let tables: Vec<&[Vec<u64>]> = lines
            .iter()
            .filter_map(|line| line.rows.iter().find(|row| super::same(row, best)))
            .map(|row| row.contingency.as_slice())
            .collect();
        let index = mean(&values(lines, best, |row| row.adjusted_rand)).unwrap_or(0.0);
        sheet.figure(&HeatMap {
            name: format!("shared-{step}"),
            title: format!(
                "Sharing a group at step {step}: {} ({index:.2})",
                name(best)
            ),
            x_label: "with an example of".to_owned(),
            columns: names.to_vec(),
            rows: names.iter().cloned().zip(sharing(&tables)).collect(),
        });
        let mut heads = vec!["group"];
        heads.extend(names.iter().map(String::as_str));
        let groups = tables.first().into_iter().flat_map(|table| table.iter());
        let cells = groups.enumerate().map(|(group, counts)| {
            let counts = counts.iter().map(u64::to_string);
            std::iter::once(group.to_string()).chain(counts).collect()
        });
        sheet.table(&heads, cells.collect());
    }
}

/// The row of gradients that is nearest to the truth, over the seeds.
fn best(lines: &[Line]) -> Option<(&RowLine, &[String])> {
    let first = lines.first()?;
    let rows = first.rows.iter();
    let rows =
        rows.filter(|row| row.part == "gradients" && row.told && !row.contingency.is_empty());
    let index = |row: &RowLine| mean(&values(lines, row, |row| row.adjusted_rand)).unwrap_or(-1.0);
    let best = rows.max_by(|a, b| index(a).total_cmp(&index(b)))?;
    Some((best, &first.names))
}

/// P, the mean over contingency tables (groups of capabilities); none where a capability has no two
/// examples.
fn sharing(tables: &[&[Vec<u64>]]) -> Vec<Vec<Option<f64>>> {
    let labels = tables.first().and_then(|table| table.first());
    let labels = labels.map_or(0, Vec::len);
    let share = |table: &[Vec<u64>], a: usize, b: usize| {
        let own = u64::from(a == b);
        let size = |label: usize| table.iter().map(|group| group[label]).sum::<u64>();
        let pairs: u64 = table
            .iter()
            .map(|group| group[a] * group[b].saturating_sub(own))
            .sum();
        let all = size(a) * size(b).saturating_sub(own);
        (all > 0).then(|| pairs as f64 / all as f64)
    };
    let cell = |a, b| {
        let found: Vec<f64> = tables
            .iter()
            .filter_map(|table| share(table, a, b))
            .collect();
        mean(&found)
    };
    (0..labels)
        .map(|a| (0..labels).map(|b| cell(a, b)).collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::sharing;

    /// Two groups: all of a with half of b, and the other half of b alone.
    #[test]
    fn chances_by_hand() {
        let table = [vec![3, 2], vec![0, 2]];
        let found = sharing(&[&table]);
        assert_eq!(found[0], [Some(1.0), Some(0.5)]);
        // Of the 12 ordered pairs of b, two in either group.
        assert_eq!(found[1], [Some(0.5), Some(4.0 / 12.0)]);
        let apart = [vec![3, 0], vec![0, 4]];
        let both = sharing(&[&table, &apart]);
        assert_eq!(both[0], [Some(1.0), Some(0.25)]);
        let single = [vec![1, 4]];
        assert_eq!(sharing(&[&single])[0][0], None);
    }
}
