//! The table of whole experiments, for people and for spreadsheets.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context;
use gradual::runs::files::replace;
use gradual::runs::streams::say;

use super::Timed;
use crate::measured::Measured;

const OURS: &str = "gradual";

/// The rounds of one side of one arm.
struct Row<'a> {
    first: &'a Timed,
    seconds: Measured,
    command: Measured,
    accuracy: Measured,
    /// How many times the seconds of ours, round by round.
    ratio: Measured,
}

fn rows(all: &[Timed]) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    for first in all.iter().filter(|one| one.round == 0) {
        let of = |side: &'_ str| {
            let same = |one: &&Timed| one.experiment == first.experiment && one.arm == first.arm;
            let side = side.to_owned();
            all.iter()
                .filter(same)
                .filter(move |one| one.side == side)
                .collect::<Vec<_>>()
        };
        let (own, ours) = (of(&first.side), of(OURS));
        let every = |number: &dyn Fn(&Timed) -> f64| Measured {
            seconds: own.iter().map(|one| number(one)).collect(),
            ..Measured::default()
        };
        let ours_of = |round: usize| ours.iter().find(|one| one.round == round);
        rows.push(Row {
            first,
            seconds: every(&|one| one.seconds),
            command: every(&|one| one.command_seconds),
            accuracy: every(&|one| one.accuracy),
            ratio: every(&|one| ours_of(one.round).map_or(f64::NAN, |o| one.seconds / o.seconds)),
        });
    }
    rows
}

/// Median and range, `2.00 (1.91–2.35)`; the median alone where it is the only one.
fn ranged(measured: &Measured, digits: usize) -> String {
    let at = |share| measured.quantile(share).unwrap_or(f64::NAN);
    match measured.seconds.len() {
        0 | 1 => format!("{:.digits$}", at(0.5)),
        _ => format!(
            "{:.digits$} ({:.digits$}–{:.digits$})",
            at(0.5),
            at(0.0),
            at(1.0)
        ),
    }
}

fn markdown(all: &[Timed]) -> String {
    let mut text = String::from(
        "| experiment | arm | steps | side | run, s (range) | steps/s | × ours (range) | command, s | accuracy |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    for row in rows(all) {
        let median = row.seconds.median().unwrap_or(f64::NAN);
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {:.0} | {} | {} | {:.3} |",
            row.first.experiment,
            row.first.arm,
            row.first.steps,
            row.first.side,
            ranged(&row.seconds, 2),
            row.first.steps as f64 / median,
            ranged(&row.ratio, 2),
            ranged(&row.command, 2),
            row.accuracy.median().unwrap_or(f64::NAN),
        );
    }
    text
}

fn csv(all: &[Timed]) -> String {
    let mut text =
        String::from("experiment,arm,steps,side,round,seconds,command_seconds,accuracy\n");
    for one in all {
        let _ = writeln!(
            text,
            "{},{},{},{},{},{:.3},{:.3},{:.4}",
            one.experiment,
            one.arm,
            one.steps,
            one.side,
            one.round,
            one.seconds,
            one.command_seconds,
            one.accuracy
        );
    }
    text
}

/// Writes `whole.csv` and `whole.md` into the folder `out`.
pub(super) fn write(out: &Path, all: &[Timed]) -> anyhow::Result<()> {
    std::fs::create_dir_all(out).with_context(|| out.display().to_string())?;
    replace(&out.join("whole.csv"), csv(all))?;
    Ok(replace(&out.join("whole.md"), markdown(all))?)
}

/// Prints the table, and where it is.
pub(super) fn show(out: &Path, all: &[Timed]) -> anyhow::Result<()> {
    say(markdown(all))?;
    Ok(say(out.join("whole.md").display())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timed(side: &str, round: usize, seconds: f64) -> Timed {
        Timed {
            experiment: "skills".to_owned(),
            arm: "erm".to_owned(),
            steps: 100,
            side: side.to_owned(),
            round,
            seconds,
            command_seconds: seconds + 1.0,
            accuracy: 0.5,
        }
    }

    #[test]
    fn ratios_are_by_round() {
        let all = [
            timed(OURS, 0, 1.0),
            timed("jax", 0, 3.0),
            timed(OURS, 1, 4.0),
            timed("jax", 1, 4.0),
            timed(OURS, 2, 2.0),
            timed("jax", 2, 4.0),
        ];
        let text = markdown(&all);
        let lines: Vec<&str> = text.lines().skip(2).collect();
        assert_eq!(
            lines,
            [
                "| skills | erm | 100 | gradual | 2.00 (1.00–4.00) | 50 | 1.00 (1.00–1.00) | 3.00 (2.00–5.00) | 0.500 |",
                "| skills | erm | 100 | jax | 4.00 (3.00–4.00) | 25 | 2.00 (1.00–3.00) | 5.00 (4.00–5.00) | 0.500 |",
            ]
        );
        assert_eq!(csv(&all).lines().count(), 7);
    }
}
