//! The table of ratios, for people and for spreadsheets.

use std::fmt::Write;
use std::path::Path;

use gradual::runs::files::replace;
use gradual::runs::streams::say;

use crate::measured::{Measured, best_peer, find};
use crate::targets;
use crate::write::write_raw;

/// Writes `raw.jsonl`, `ratios.csv` and `ratios.md` into the folder `out`, and prints the last.
pub(crate) fn write(out: &Path, all: &[Measured]) -> anyhow::Result<()> {
    write_raw(out, all)?;
    let markdown = format!("{}\n{}", markdown(all), targets::markdown(all));
    replace(&out.join("ratios.csv"), csv(all))?;
    replace(&out.join("ratios.md"), &markdown)?;
    say(&markdown)?;
    say(out.join("ratios.md").display())?;
    Ok(())
}

/// `value` with this many digits, or `none`.
pub(crate) fn number(value: Option<f64>, digits: usize, none: &str) -> String {
    value.map_or_else(|| none.to_owned(), |value| format!("{value:.digits$}"))
}

/// A measurement beside the others of its (model, draw).
struct Row<'a> {
    measured: &'a Measured,
    /// Times the time of our ordinary step.
    ratio: Option<f64>,
    /// Times faster than the best peer.
    best_peer: Option<f64>,
    /// Times the memory of our ordinary step.
    memory: Option<f64>,
}

fn rows(all: &[Measured]) -> impl Iterator<Item = Row<'_>> {
    all.iter().map(|measured| {
        let ordinary = find(all, &measured.model, measured.draw, "ordinary", true);
        let best = best_peer(all, &measured.model, measured.draw).filter(|_| measured.ours);
        Row {
            measured,
            ratio: ordinary.and_then(|ordinary| measured.ratio(ordinary)),
            best_peer: best.and_then(|best| best.ratio(measured)),
            memory: ordinary.and_then(|ordinary| measured.memory_ratio(ordinary)),
        }
    })
}

/// A field is empty where there is no number.
fn csv(all: &[Measured]) -> String {
    let mut text = String::from(
        "side,model,draw,method,median_ms,low_ms,high_ms,ratio_to_ordinary,best_peer_ratio,memory_mib,memory_ratio\n",
    );
    for row in rows(all) {
        let each = row.measured;
        let ms = |at| number(each.quantile(at).map(|s| s * 1e3), 3, "");
        let _ = writeln!(
            text,
            "{},{},{},{},{},{},{},{},{},{},{}",
            each.side(),
            each.model,
            each.draw,
            each.method,
            ms(0.5),
            ms(0.1),
            ms(0.9),
            number(row.ratio, 3, ""),
            number(row.best_peer, 3, ""),
            number(each.memory().map(|bytes| bytes / 1048576.0), 1, ""),
            number(row.memory, 3, ""),
        );
    }
    text
}

fn markdown(all: &[Measured]) -> String {
    let mut text = String::from(
        "| model | draw | side | step | ms (10–90 %) | × ordinary | best peer ÷ it | MiB | × ordinary |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    for row in rows(all) {
        let each = row.measured;
        let (model, draw, side, method) = (&each.model, each.draw, each.side(), &each.method);
        let _ = write!(text, "| {model} | {draw} | {side} | {method} |");
        if let Some(reason) = &each.skipped {
            let _ = writeln!(text, " {reason} | | | | |");
            continue;
        }
        let ms = |at| number(each.quantile(at).map(|s| s * 1e3), 1, "–");
        let _ = writeln!(
            text,
            " {} ({}–{}) | {} | {} | {} | {} |",
            ms(0.5),
            ms(0.1),
            ms(0.9),
            number(row.ratio, 2, "–"),
            number(row.best_peer, 1, "–"),
            number(each.memory().map(|bytes| bytes / 1048576.0), 0, "–"),
            number(row.memory, 2, "–"),
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measured::sample;

    fn all() -> [Measured; 5] {
        let skipped = Measured {
            skipped: Some("not done after 120 s".into()),
            peak_memory_bytes: None,
            ..sample(false, "jax", &[], 1)
        };
        [
            sample(false, "ghost", &[0.001], 1),
            sample(false, "vmap", &[0.08, 0.06, 0.07], 8),
            skipped,
            sample(true, "ordinary", &[0.002, 0.003], 1),
            sample(true, "exact", &[0.004, 0.009], 2),
        ]
    }

    #[test]
    fn csv_has_every_ratio() {
        assert_eq!(
            csv(&all()),
            "side,model,draw,method,median_ms,low_ms,high_ms,ratio_to_ordinary,best_peer_ratio,memory_mib,memory_ratio\n\
             peer,mlp,128,ghost,1.000,1.000,1.000,0.333,,2.0,1.000\n\
             peer,mlp,128,vmap,70.000,60.000,80.000,23.333,,16.0,8.000\n\
             peer,mlp,128,jax,,,,,,,\n\
             gradual,mlp,128,ordinary,3.000,2.000,3.000,1.000,23.333,2.0,1.000\n\
             gradual,mlp,128,exact,9.000,4.000,9.000,3.000,7.778,4.0,2.000\n"
        );
    }

    #[test]
    fn markdown_gives_the_reason_of_a_gap() {
        let text = markdown(&all());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[4],
            "| mlp | 128 | peer | jax | not done after 120 s | | | | |"
        );
        assert_eq!(
            lines[6],
            "| mlp | 128 | gradual | exact | 9.0 (4.0–9.0) | 3.00 | 7.8 | 4 | 2.00 |"
        );
        let columns = |line: &&str| line.matches('|').count();
        assert!(lines.iter().map(columns).all(|count| count == 10));
    }
}
