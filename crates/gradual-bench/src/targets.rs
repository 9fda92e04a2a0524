//! What a step should keep to, met or missed.

use std::fmt::Write;

use crate::measured::{Measured, best_peer, find};

/// A ratio that a step should keep to: model, draw, method, most times the ordinary step.
const TARGETS: [(&str, usize, &str, f64); 7] = [
    ("mlp", 128, "exact", 1.2),
    ("mlp", 1024, "exact", 2.4),
    ("mlp", 1024, "sketch", 1.6),
    ("decoder", 64, "exact", 1.4),
    ("convnet", 128, "exact", 1.6),
    ("mlp", 128, "svd", 1.4),
    ("mlp", 1024, "svd-sketch", 1.8),
];

/// How many times faster than the best peer an exact step should be: model, draw, at least.
const SPEEDUPS: [(&str, usize, f64); 2] = [("mlp", 128, 40.0), ("decoder", 64, 5.0)];

/// Times the ordinary step's memory that one more step may take: model, draw, method, at most.
const MEMORY: [(&str, usize, &str, f64); 1] = [("mlp", 1024, "exact", 1.5)];

/// Every target for which there is a measurement, as a Markdown table.
pub(crate) fn markdown(all: &[Measured]) -> String {
    let mut text = String::from("| target | limit | measured | |\n|---|---|---|---|\n");
    let mut row = |what: String, sign: char, limit: f64, found: Option<f64>| {
        let Some(found) = found else { return };
        let met = match sign {
            '≤' => found <= limit,
            _ => found >= limit,
        };
        let verdict = if met { "met" } else { "missed" };
        let _ = writeln!(text, "| {what} | {sign} {limit} | {found:.2} | {verdict} |");
    };
    let ours = |model, draw, method| find(all, model, draw, method, true);
    let pair = |model, draw, method| ours(model, draw, method).zip(ours(model, draw, "ordinary"));
    for (model, draw, method, limit) in TARGETS {
        let found = pair(model, draw, method).and_then(|(own, ordinary)| own.ratio(ordinary));
        let what = format!("{model}, draw {draw}, {method} ÷ ordinary");
        row(what, '≤', limit, found);
    }
    for (model, draw, limit) in SPEEDUPS {
        let found = best_peer(all, model, draw).zip(ours(model, draw, "exact"));
        let found = found.and_then(|(best, own)| best.ratio(own));
        let what = format!("{model}, draw {draw}, best peer ÷ exact");
        row(what, '≥', limit, found);
    }
    for (model, draw, method, limit) in MEMORY {
        let found =
            pair(model, draw, method).and_then(|(own, ordinary)| own.memory_ratio(ordinary));
        let what = format!("{model}, draw {draw}, memory of {method} ÷ ordinary");
        row(what, '≤', limit, found);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measured::sample;

    #[test]
    fn targets_say_met_or_missed_with_numbers() {
        let at = |draw, measured: Measured| Measured { draw, ..measured };
        let all = [
            sample(false, "vmap", &[45.0], 9),
            sample(true, "ordinary", &[1.0], 1),
            sample(true, "exact", &[1.25], 1),
            sample(true, "svd", &[1.3], 1),
            at(1024, sample(true, "ordinary", &[1.0], 2)),
            at(1024, sample(true, "exact", &[2.0], 3)),
        ];
        assert_eq!(
            markdown(&all),
            "| target | limit | measured | |\n\
             |---|---|---|---|\n\
             | mlp, draw 128, exact ÷ ordinary | ≤ 1.2 | 1.25 | missed |\n\
             | mlp, draw 1024, exact ÷ ordinary | ≤ 2.4 | 2.00 | met |\n\
             | mlp, draw 128, svd ÷ ordinary | ≤ 1.4 | 1.30 | met |\n\
             | mlp, draw 128, best peer ÷ exact | ≥ 40 | 36.00 | missed |\n\
             | mlp, draw 1024, memory of exact ÷ ordinary | ≤ 1.5 | 1.50 | met |\n"
        );
    }
}
