//! The verdicts of full runs as a page of documentation.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use gradual_measure::Direction;

use crate::figures::{Dots, dots};
use crate::folder::Folder;
use crate::numbers::number;
use crate::verdicts::{self, JudgedClaim, present, values};
use crate::{ReportError, write};

/// Writes the claims of the experiments in `dirs` to the Markdown file `page`, claim by claim with its verdict
/// and a figure, which lies in the folder `figures` beside the page.
///
/// Each experiment is a table of its own: p-values are corrected for its own claims. Equal runs give equal
/// bytes.
///
/// # Errors
/// Those of [`report`](crate::report).
pub fn claims(dirs: &[PathBuf], page: &Path) -> Result<(), ReportError> {
    if dirs.is_empty() {
        return Err(ReportError::NoFolder);
    }
    let names: Vec<String> = dirs.iter().map(|dir| dir.display().to_string()).collect();
    let mut text = format!(
        "# Claims and verdicts\n\nWritten by\n\n    cargo xtask report --claims {} {}\n\nfrom run folders; not to be \
         edited by hand.\n\nThe ratio is arm / baseline, the geometric mean over seeds, with Student's 95 % interval on \
         the log ratios; p is that of the t-test against exactly the claimed ratio, by Holm's correction for all \
         claims of the experiment. A claim is supported or not supported when p is at most 0.05 and the BCa \
         bootstrap interval lies on one side of the claimed ratio, with at least five seeds, and when neither the \
         exact sign-flip test nor, for visibly skewed log ratios, the test that allows for skewness asks for more \
         seeds. All else is inconclusive.\n",
        page.display(),
        names.join(" ")
    );
    for dir in dirs {
        let folder = Folder::read(dir)?;
        text.push_str(&experiment(&folder, page)?);
    }
    Ok(write::text(page, &text)?)
}

fn experiment(folder: &Folder, page: &Path) -> Result<String, ReportError> {
    let mut text = format!("\n## {}\n", folder.title);
    for claim in &folder.claims {
        text.push_str(&format!("\n> {claim}\n"));
    }
    for command in &folder.commands {
        text.push_str(&format!("\n    {command}\n"));
    }
    let held = verdicts::judged(folder);
    if held.is_empty() {
        text.push_str("\nThe experiment states no measurable claim.\n");
        return Ok(text);
    }
    text.push_str("\n| claim | metric | claimed | ratio | verdict |\n|---|---|---|---|---|\n");
    for (index, one) in (1..).zip(&held) {
        text.push_str(&format!(
            "| [{index}](#{}) {} | {} | {} | {} | **{}** |\n",
            anchor(&heading(folder, index)),
            cell(&one.claim.statement),
            cell(one.claim.metric.label()),
            claimed(one),
            found(one),
            one.verdict.label(),
        ));
    }
    for (index, one) in (1..).zip(&held) {
        let name = format!("claim-{}-{index}", anchor(&folder.name));
        let svg = figure(folder, one, &name)?;
        let beside = page.parent().unwrap_or(Path::new("")).join("figures");
        write::text(&beside.join(format!("{name}.svg")), &svg)?;
        let control = folder
            .arm(&one.claim.arm)
            .and_then(|arm| arm.control.as_deref());
        text.push_str(&format!(
            "\n### {}\n\n{}",
            heading(folder, index),
            section(one, control, &name)
        ));
    }
    Ok(text)
}

fn heading(folder: &Folder, index: usize) -> String {
    format!("{} {index}", folder.name)
}

fn section(held: &JudgedClaim, control: Option<&str>, figure: &str) -> String {
    let claim = &held.claim;
    let mut text = format!("{} *({})*\n\n**{}**", claim.statement, claim.source, {
        let label = held.verdict.label();
        let mut letters = label.chars();
        let first = letters
            .next()
            .map(|letter| letter.to_uppercase().to_string());
        first.unwrap_or_default() + letters.as_str()
    });
    if let Some(reason) = &held.reason {
        text.push_str(&format!(": {reason}"));
    }
    text.push_str(&format!(
        ". {} of `{}` against `{}`: claimed {}, found {}",
        claim.metric.label(),
        claim.arm,
        held.baseline,
        claimed(held),
        found(held),
    ));
    if let Some(effect) = held.effect {
        if let Some(bootstrap) = effect.bootstrap {
            text.push_str(&format!(
                ", bootstrap {} to {}",
                number(bootstrap.low),
                number(bootstrap.high)
            ));
        }
        text.push_str(&format!(", {} seeds", effect.seeds));
    }
    if let Some(p) = held.adjusted_p {
        text.push_str(&if p < 0.001 {
            ", p < 0.001".to_owned()
        } else {
            format!(", p = {p:.3}")
        });
    }
    if let Some(control) = control {
        text.push_str(&format!(". The arm is a control for {control}"));
    }
    text.push_str(&format!(
        ".\n\n![{} by seed](figures/{figure}.svg)\n",
        claim.metric.label()
    ));
    text
}

fn claimed(held: &JudgedClaim) -> String {
    let sign = match held.claim.direction {
        Direction::Lower => '≤',
        Direction::Higher => '≥',
    };
    format!("{sign} {}", held.claim.smallest_effect)
}

fn found(held: &JudgedClaim) -> String {
    let Some(effect) = held.effect else {
        return "–".to_owned();
    };
    let interval = effect
        .low
        .zip(effect.high)
        .map_or_else(String::new, |(low, high)| {
            format!(" ({} to {})", number(low), number(high))
        });
    format!("{}{interval}", number(effect.ratio))
}

/// The arm over the baseline, with the claimed ratio of the baseline's geometric mean.
fn figure(folder: &Folder, held: &JudgedClaim, name: &str) -> Result<String, ReportError> {
    let (metric, baseline) = (held.claim.metric, &held.baseline);
    let of = |arm: &str| present(&values(folder, arm, metric));
    let (ours, theirs): (BTreeMap<u64, f64>, BTreeMap<u64, f64>) =
        (of(&held.claim.arm), of(baseline));
    let logs: Vec<f64> = theirs.values().map(|value| value.ln()).collect();
    let limit = gradual_measure::statistics::mean(&logs)
        .map(|mean| mean.exp() * held.claim.smallest_effect)
        .filter(|limit| limit.is_finite());
    dots(&Dots {
        name,
        metric: metric.label(),
        arms: vec![
            (held.claim.arm.as_str(), ours.into_iter().collect()),
            (baseline.as_str(), theirs.into_iter().collect()),
        ],
        limit,
    })
}

/// A text inside a table of Markdown.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

/// The anchor of a heading: letters and digits in lower case, dashes for spaces.
fn anchor(heading: &str) -> String {
    heading
        .to_lowercase()
        .chars()
        .filter_map(|letter| match letter {
            letter if letter.is_alphanumeric() || letter == '-' || letter == '_' => Some(letter),
            ' ' => Some('-'),
            _ => None,
        })
        .collect()
}
