//! Rows as text.

use std::fmt::Write as _;

use super::machine::Row;

/// A table for people: a row for each number of ranks and each way to coefficients.
pub(super) fn text(parameters: f64, rows: &[Row]) -> String {
    let mut text = format!(
        "{} parameters\n\n\
         | ranks | draw | coefficients from | gathered | summed | ordinary, s | grouping, s | messages, s | × mean loss | GiB a device |\n\
         |---|---|---|---|---|---|---|---|---|---|\n",
        short(parameters)
    );
    for row in rows {
        let gathered = row.bytes.losses + row.bytes.gradients;
        let _ = writeln!(
            text,
            "| {} | {} | {} | {}B | {}B | {} | {} | {} | {} | {} |",
            row.sizes.ranks,
            row.sizes.examples,
            row.way.name(),
            short(gathered),
            short(row.bytes.reduced),
            seconds(row.ordinary),
            seconds(row.grouping),
            seconds(row.messages),
            three(row.ratio),
            three(row.gibibytes),
        );
    }
    text
}

/// Three digits and a power of a thousand: 6.74 G.
fn short(number: f64) -> String {
    let names = ["", "k", "M", "G", "T", "P", "E"];
    let mut rest = number;
    let mut at = 0;
    while rest >= 999.5 && at + 1 < names.len() {
        rest /= 1_000.0;
        at += 1;
    }
    let digits = three(rest);
    match names[at] {
        "" => format!("{digits} "),
        name => format!("{digits} {name}"),
    }
}

fn seconds(seconds: f64) -> String {
    match seconds {
        0.0 => String::from("0"),
        short if short < 1e-6 => String::from("< 1e-6"),
        _ => three(seconds),
    }
}

/// Three digits.
fn three(number: f64) -> String {
    let places = match number.abs() {
        0.0 => 0,
        size => (2.0 - size.log10().floor()).max(0.0) as usize,
    };
    format!("{number:.places$}")
}
