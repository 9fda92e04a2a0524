//! Medians, ratios and targets.

use std::fmt::Write;
use std::path::Path;

use anyhow::Context;

use super::Measured;
use crate::runner::replace;

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

/// How many times faster than the best peer an exact step should be.
const SPEEDUPS: [(&str, usize, f64); 2] = [("mlp", 128, 40.0), ("decoder", 64, 5.0)];

/// Times that one more step may take of memory, at a draw of 1024.
const MEMORY: f64 = 1.5;

/// Writes `raw.jsonl`, `ratios.csv` and `ratios.md`, and prints the last.
pub(super) fn write(out: &Path, all: &[Measured]) -> anyhow::Result<()> {
    std::fs::create_dir_all(out).with_context(|| out.display().to_string())?;
    let raw: Vec<String> = all
        .iter()
        .map(serde_json::to_string)
        .collect::<Result<_, _>>()?;
    replace(&out.join("raw.jsonl"), &(raw.join("\n") + "\n"))?;
    let (markdown, csv) = (markdown(all), csv(all));
    replace(&out.join("ratios.csv"), &csv)?;
    replace(&out.join("ratios.md"), &markdown)?;
    println!("{markdown}");
    println!("{}", out.join("ratios.md").display());
    Ok(())
}

impl Measured {
    fn median(&self) -> Option<f64> {
        self.quantile(0.5)
    }

    fn quantile(&self, at: f64) -> Option<f64> {
        let mut sorted = self.seconds.clone();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().checked_sub(1)?;
        Some(sorted[(last as f64 * at).round() as usize])
    }

    /// Memory above what the process had before the first step.
    fn memory(&self) -> Option<f64> {
        Some(
            self.peak_memory_bytes?
                .saturating_sub(self.start_memory_bytes?) as f64,
        )
    }

    /// Median over rounds of the ratio to another method of the same rounds.
    fn ratio(&self, other: &Self) -> Option<f64> {
        if self.ours && other.ours {
            let pairs = self.seconds.iter().zip(&other.seconds).map(|(a, b)| a / b);
            let pairs = Self {
                seconds: pairs.collect(),
                ..self.clone()
            };
            return pairs.median();
        }
        Some(self.median()? / other.median()?)
    }
}

fn find<'a>(
    all: &'a [Measured],
    model: &str,
    draw: usize,
    method: &str,
    ours: bool,
) -> Option<&'a Measured> {
    all.iter()
        .find(|m| m.model == model && m.draw == draw && m.method == method && m.ours == ours)
}

/// The fastest peer that takes per-example gradients with a library.
fn best_peer<'a>(all: &'a [Measured], model: &str, draw: usize) -> Option<&'a Measured> {
    let peers = all
        .iter()
        .filter(|m| !m.ours && m.model == model && m.draw == draw);
    let libraries = peers.filter(|m| m.method != "ordinary" && m.method != "ghost");
    libraries.filter(|m| m.median().is_some()).min_by(|a, b| {
        a.median()
            .partial_cmp(&b.median())
            .unwrap_or(std::cmp::Ordering::Equal)
    })
}

fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.digits$}"))
}

fn csv(all: &[Measured]) -> String {
    let mut text = String::from(
        "side,model,draw,method,median_ms,low_ms,high_ms,ratio_to_ordinary,memory_mib\n",
    );
    for each in all {
        let ordinary = find(all, &each.model, each.draw, "ordinary", true);
        let ms = |at| number(each.quantile(at).map(|s| s * 1e3), 3);
        let _ = writeln!(
            text,
            "{},{},{},{},{},{},{},{},{}",
            if each.ours { "gradual" } else { "peer" },
            each.model,
            each.draw,
            each.method,
            ms(0.5),
            ms(0.1),
            ms(0.9),
            number(ordinary.and_then(|ordinary| each.ratio(ordinary)), 3),
            number(each.memory().map(|bytes| bytes / 1048576.0), 1),
        );
    }
    text
}

fn markdown(all: &[Measured]) -> String {
    let mut text = String::from(
        "| model | draw | side | step | ms (10–90 %) | × ordinary | best peer ÷ it | MiB |\n|---|---|---|---|---|---|---|---|\n",
    );
    for each in all {
        let side = if each.ours { "gradual" } else { "peer" };
        if let Some(reason) = &each.skipped {
            let _ = writeln!(
                text,
                "| {} | {} | {side} | {} | {reason} | | | |",
                each.model, each.draw, each.method
            );
            continue;
        }
        let ordinary = find(all, &each.model, each.draw, "ordinary", true);
        let best = best_peer(all, &each.model, each.draw).filter(|_| each.ours);
        let ms = |at| number(each.quantile(at).map(|s| s * 1e3), 1);
        let _ = writeln!(
            text,
            "| {} | {} | {side} | {} | {} ({}–{}) | {} | {} | {} |",
            each.model,
            each.draw,
            each.method,
            ms(0.5),
            ms(0.1),
            ms(0.9),
            number(ordinary.and_then(|ordinary| each.ratio(ordinary)), 2),
            number(best.and_then(|best| best.ratio(each)), 1),
            number(each.memory().map(|bytes| bytes / 1048576.0), 0),
        );
    }
    text.push_str("\n| target | limit | measured | |\n|---|---|---|---|\n");
    let mut target = |what: String, limit: String, found: Option<f64>, met: bool| {
        if let Some(found) = found {
            let verdict = if met { "met" } else { "missed" };
            let _ = writeln!(text, "| {what} | {limit} | {found:.2} | {verdict} |");
        }
    };
    for (model, draw, method, limit) in TARGETS {
        let own = find(all, model, draw, method, true);
        let found = own
            .zip(find(all, model, draw, "ordinary", true))
            .and_then(|(a, b)| a.ratio(b));
        let what = format!("{model}, draw {draw}, {method} ÷ ordinary");
        target(
            what,
            format!("≤ {limit}"),
            found,
            found.is_some_and(|found| found <= limit),
        );
    }
    for (model, draw, limit) in SPEEDUPS {
        let own = find(all, model, draw, "exact", true);
        let found = best_peer(all, model, draw)
            .zip(own)
            .and_then(|(best, own)| best.ratio(own));
        let what = format!("{model}, draw {draw}, best peer ÷ exact");
        target(
            what,
            format!("≥ {limit}"),
            found,
            found.is_some_and(|found| found >= limit),
        );
    }
    let memory = |method| find(all, "mlp", 1024, method, true).and_then(Measured::memory);
    let found = memory("exact").zip(memory("ordinary")).map(|(a, b)| a / b);
    let what = "mlp, draw 1024, memory of exact ÷ ordinary".to_owned();
    target(
        what,
        format!("≤ {MEMORY}"),
        found,
        found.is_some_and(|found| found <= MEMORY),
    );
    text
}
