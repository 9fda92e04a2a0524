//! Which experiments are timed, and a table of rows for one of them.

use std::fmt::Write as _;
use std::path::Path;

use gradual::runs::files::replace;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// An arm of a built-in experiment.
#[derive(Debug, Clone, Copy)]
pub(super) struct WholeCase {
    pub(super) experiment: &'static str,
    pub(super) arm: &'static str,
    /// As many as the experiment itself has.
    pub(super) steps: u64,
    /// Whether it reads the table that both sides are given.
    pub(super) has_data: bool,
}

const fn case(
    experiment: &'static str,
    arm: &'static str,
    steps: u64,
    has_data: bool,
) -> WholeCase {
    WholeCase {
        experiment,
        arm,
        steps,
        has_data,
    }
}

pub(super) const CASES: [WholeCase; 6] = [
    case("sparse-parity", "erm", 9_000, false),
    case("sparse-parity", "grouped", 9_000, false),
    case("skills", "erm", 4_000, false),
    case("skills", "grouped", 4_000, false),
    case("table", "erm", 2_000, true),
    case("table", "grouped", 2_000, true),
];

/// Rows, measurements in a row, and groups, as many as red-wine quality has.
const ROWS: usize = 1_599;
const NUMBERS: usize = 11;
const GROUPS: usize = 6;

/// Writes rows whose label is the sign of a sum of some measurements, other ones in each group; half of them are in the
/// first group, a quarter in the second, and so on.
pub(super) fn write_table(path: &Path) -> anyhow::Result<()> {
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let names: Vec<String> = (0..NUMBERS).map(|at| format!("x{at}")).collect();
    let mut text = format!("{},label,group\n", names.join(","));
    for row in 0..ROWS {
        let numbers: Vec<f64> = (0..NUMBERS)
            .map(|_| random.random_range(-1.0..1.0))
            .collect();
        let group = ((row + 1).trailing_zeros() as usize).min(GROUPS - 1);
        let sum = numbers[group] + numbers[group + 1] + numbers[(group + 5) % NUMBERS];
        for number in &numbers {
            let _ = write!(text, "{number:.4},");
        }
        let _ = writeln!(text, "{},{group}", u8::from(sum > 0.0));
    }
    Ok(replace(path, text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_in_groups_that_halve() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("table.csv");
        write_table(&path).unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        let rows: Vec<Vec<&str>> = text
            .lines()
            .skip(1)
            .map(|line| line.split(',').collect())
            .collect();
        assert_eq!(rows.len(), ROWS);
        assert!(rows.iter().all(|row| row.len() == NUMBERS + 2));
        let of = |group: &str| {
            rows.iter()
                .filter(|row| row[NUMBERS + 1] == group)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            ["0", "1", "2", "3", "4", "5"].map(|group| of(group).len()),
            [800, 400, 200, 100, 50, 49]
        );
        // Both labels in each.
        for group in ["0", "1", "2", "3", "4", "5"] {
            let ones = of(group).iter().filter(|row| row[NUMBERS] == "1").count();
            assert!(ones * 4 > of(group).len() && ones * 4 < 3 * of(group).len());
        }
    }
}
