//! A sweep as tables: for spreadsheets, and for people with the exponents.

use std::fmt::Write;

use super::series::{Along, Cost, Series, Source};
use super::sweep::{DRAW, Sweep};
use crate::fit;
use crate::model::WIDTH;
use crate::rate;
use crate::table::number;

/// One line per measurement; a field is empty where there is no number.
pub(super) fn csv(sweep: &Sweep) -> String {
    let mut text = String::from(
        "side,method,draw,width,parameters,median_ms,low_ms,high_ms,memory_mib,roofline_ms,skipped\n",
    );
    for size in &sweep.sizes {
        for each in &size.measured {
            let ms = |at| number(each.quantile(at).map(|s| s * 1e3), 3, "");
            let bound = each.ours && each.method == "exact";
            // The reason is a message of another program: it may hold anything.
            let reason = each.skipped.as_deref().unwrap_or_default();
            let reason = reason.replace('"', "\"\"");
            let quote = if reason.is_empty() { "" } else { "\"" };
            let _ = writeln!(
                text,
                "{},{},{},{},{},{},{},{},{},{},{quote}{reason}{quote}",
                each.side(),
                each.method,
                size.draw,
                size.width,
                size.parameters(),
                ms(0.5),
                ms(0.1),
                ms(0.9),
                number(each.memory().map(|bytes| bytes / 1048576.0), 1, ""),
                number(bound.then(|| sweep.roofline(size)), 3, ""),
            );
        }
    }
    text
}

/// A table of each sweep and cost, the exponents, and what was skipped with the reasons.
pub(super) fn markdown(sweep: &Sweep) -> String {
    let side = rate::SIDE;
    let mut text = format!(
        "Threads: {}. Matrix products ({side} × {side}, f32) ran at {:.0} GFLOP/s; the roofline is the exact \
         step's counted operations over that rate.\n",
        sweep.threads,
        sweep.rate / 1e9
    );
    for along in Along::ALL {
        let fixed = match along {
            Along::Draw => format!("width {WIDTH}"),
            Along::Parameters => format!("draw {DRAW}"),
        };
        for (cost, unit) in [(Cost::Time, "ms"), (Cost::Memory, "MiB")] {
            let _ = writeln!(text, "\n{unit} against {} ({fixed}):\n", along.letter());
            table(&mut text, sweep, along, cost);
        }
    }
    text.push_str(
        "\nExponents: least-squares slopes of the logarithms, over all sizes and in brackets over the three \
         largest.\n\n",
    );
    exponents(&mut text, sweep);
    reasons(&mut text, sweep);
    text
}

fn heading(series: &Series) -> String {
    match series.source {
        Source::Ours => format!("gradual {}", series.name),
        Source::Peer => format!("peer {}", series.name),
        Source::Counted => series.name.to_owned(),
    }
}

fn table(text: &mut String, sweep: &Sweep, along: Along, cost: Cost) {
    let columns = sweep.series(along, cost);
    let headings: Vec<String> = columns.iter().map(heading).collect();
    let _ = writeln!(text, "| {} | {} |", along.letter(), headings.join(" | "));
    let _ = writeln!(text, "|{}", "---|".repeat(1 + headings.len()));
    for size in sweep.along(along) {
        let x = along.of(size);
        let _ = write!(text, "| {x} |");
        for column in &columns {
            let found = column.points.iter().find(|point| point.0 == x);
            let _ = write!(text, " {} |", number(found.map(|point| point.1), 1, "–"));
        }
        text.push('\n');
    }
}

/// A row for each method, one for what the Gram matrix adds to the ordinary step, and one for its
/// operations.
fn exponents(text: &mut String, sweep: &Sweep) {
    text.push_str("| step | time, N | time, P | memory, N | memory, P |\n|---|---|---|---|---|\n");
    let cell = |points: Option<&[(f64, f64)]>| {
        let both = points.and_then(|points| fit::exponent(points).zip(fit::last_exponent(points)));
        both.map_or_else(
            || "–".to_owned(),
            |(all, last)| format!("{all:.2} ({last:.2})"),
        )
    };
    let [time, memory] = Cost::ALL.map(|cost| Along::ALL.map(|along| sweep.series(along, cost)));
    // A method may have points in one sweep alone.
    let mut names: Vec<String> = time.iter().flatten().map(heading).collect();
    names.sort();
    names.dedup();
    for name in names {
        let cells = time.iter().chain(&memory).map(|columns| {
            let found = columns.iter().find(|series| heading(series) == name);
            cell(found.map(|series| series.points.as_slice()))
        });
        let cells: Vec<String> = cells.collect();
        let _ = writeln!(text, "| {name} | {} |", cells.join(" | "));
    }
    let surplus = Along::ALL.map(|along| cell(Some(&sweep.surplus(along))));
    let _ = writeln!(
        text,
        "| gradual exact − ordinary | {} | – | – |",
        surplus.join(" | ")
    );
    let counted = Along::ALL.map(|along| cell(Some(&sweep.gram_operations(along))));
    let _ = writeln!(
        text,
        "| Gram matrix, counted | {} | – | – |",
        counted.join(" | ")
    );
}

fn reasons(text: &mut String, sweep: &Sweep) {
    for size in &sweep.sizes {
        for each in &size.measured {
            if let Some(reason) = &each.skipped {
                let (method, draw, width) = (&each.method, size.draw, size.width);
                let _ = writeln!(
                    text,
                    "\n{method} at draw {draw}, width {width} was skipped: {reason}."
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sweep::sample;
    use super::*;

    #[test]
    fn csv_has_a_line_for_every_measurement() {
        let text = csv(&sample());
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 1 + 3 * 3);
        // P = 512² + 98·512 + 32. By hand, of 311 296 weights the first layer's being 32 768:
        // 2·32·(3·311 296 − 32 768) + 32·33·(576 + 1024 + 544) = 59 935 744, at 2·10¹⁰ a second.
        assert_eq!(
            lines[1],
            "peer,vmap,32,512,312352,500.000,500.000,500.000,200.0,,"
        );
        assert_eq!(lines[4], "peer,vmap,64,512,312352,,,,,,\"too large\"");
        assert!(lines[3].starts_with("gradual,exact,32,512,312352,"));
        assert!(lines[3].ends_with(",4.0,2.997,"), "{}", lines[3]);
    }

    #[test]
    fn markdown_has_tables_exponents_and_reasons() {
        let text = markdown(&sample());
        for line in [
            "| N | gradual ordinary | gradual exact | peer vmap | roofline |",
            "| P | gradual ordinary | gradual exact | peer vmap |",
            "| 1148960 | 2.0 | 4.0 | 200.0 |",
            "| step | time, N | time, P | memory, N | memory, P |",
            "vmap at draw 64, width 512 was skipped: too large.",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} in\n{text}");
        }
        // From 32 to 64 examples n (n + 1) grows by 4160 / 1056.
        let slope = (4160.0_f64 / 1056.0).log2();
        let row = format!("| Gram matrix, counted | {slope:.2} ({slope:.2}) | – | – | – |");
        assert!(text.contains(&row), "{row} in\n{text}");
        assert!(
            text.starts_with("Threads: 1. Matrix products (1024 × 1024, f32) ran at 20 GFLOP/s")
        );
    }
}
