//! Many rows, shown family by family: one way of grouping, over the layers.

use std::collections::BTreeMap;

use gradual::measure::statistics::mean;
use gradual_report::HeatMap;

use super::super::line::{Line, RowLine};
use super::{name, values};

/// More rows than this are too many for one figure.
const TALLEST: usize = 60;
/// A family of fewer layers stands with the others of its kind.
const SMALLEST: usize = 3;

/// Rows as they come, or by family where they are many; small families last.
pub(super) fn in_order(rows: Vec<&RowLine>) -> Vec<&RowLine> {
    families(&rows)
        .into_iter()
        .flat_map(|(_, rows)| rows)
        .collect()
}

/// Maps of the adjusted Rand index: one, or one for each family.
pub(super) fn figures(
    rows: &[&RowLine],
    against: &str,
    steps: &BTreeMap<u64, Vec<Line>>,
) -> Vec<HeatMap> {
    let figure = |(family, rows): (Option<String>, Vec<&RowLine>)| {
        let index = |row: &RowLine| {
            let cell = |lines: &Vec<Line>| mean(&values(lines, row, |r| r.adjusted_rand));
            steps.values().map(cell).collect()
        };
        let one = family.as_deref().is_some_and(|family| family != OTHERS);
        let label = |row: &RowLine| if one { row.layers.clone() } else { name(row) };
        let of = family.map_or_else(String::new, |family| format!(": {family}"));
        let named = format!("quality {against}{of}");
        HeatMap {
            name: slug(&named),
            title: format!("Adjusted Rand index against the {against}{of}"),
            x_label: "step".to_owned(),
            columns: steps.keys().map(u64::to_string).collect(),
            rows: rows.iter().map(|row| (label(row), index(row))).collect(),
        }
    };
    families(rows).into_iter().map(figure).collect()
}

const OTHERS: &str = "controls and references";

/// Rows of one family with its name; all together without one where they are few.
fn families<'a>(rows: &[&'a RowLine]) -> Vec<(Option<String>, Vec<&'a RowLine>)> {
    if rows.len() <= TALLEST {
        return vec![(None, rows.to_vec())];
    }
    let mut families: Vec<(Option<String>, Vec<&RowLine>)> = Vec::new();
    for &row in rows {
        let family = Some(format!("{}, {} {}", row.grouping, row.metric, row.part));
        match families.iter_mut().find(|(other, _)| *other == family) {
            Some((_, rows)) => rows.push(row),
            None => families.push((family, vec![row])),
        }
    }
    let (mut large, small): (Vec<_>, Vec<_>) = families
        .into_iter()
        .partition(|(_, rows)| rows.len() >= SMALLEST);
    let small: Vec<&RowLine> = small.into_iter().flat_map(|(_, rows)| rows).collect();
    if !small.is_empty() {
        large.push((Some(OTHERS.to_owned()), small));
    }
    large
}

/// A file's name: letters and digits with `-` between words.
pub(super) fn slug(text: &str) -> String {
    let plain = text.to_lowercase().replace('²', "2");
    let words = plain.split(|letter: char| !letter.is_ascii_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join("-")
}
