//! The verdicts, on top of the page.

use gradual_measure::{Direction, LEAST_SEEDS, Verdict};

use super::{Shown, table};
use crate::folder::Folder;
use crate::numbers::{count, number};
use crate::text::shown;
use crate::verdicts::JudgedClaim;

/// Claims that are shown.
const MOST: usize = 100;
/// Letters of a statement, and of the name of an arm.
const STATEMENT: usize = 1000;
const NAME: usize = 44;

pub(super) fn html(folder: &Folder, verdicts: &[JudgedClaim]) -> String {
    if !folder.judged {
        return "<h2>Verdicts</h2>\n<p>None: this report was asked for without verdicts.</p>\n"
            .to_owned();
    }
    if verdicts.is_empty() {
        return "<h2>Verdicts</h2>\n<p>The experiment states no measurable claim.</p>\n".to_owned();
    }
    let rows: Vec<Vec<Shown>> = verdicts.iter().take(MOST).map(row).collect();
    let heads = [
        "claim",
        "arm against baseline",
        "metric",
        "claimed ratio",
        "ratio",
        "95 % interval",
        "p",
        "seeds",
        "verdict",
    ];
    format!(
        "<h2>Verdicts</h2>\n{}<p class=\"small\">The ratio is arm / baseline, the geometric mean over paired \
         seeds; the intervals are Student’s t on the log ratios and, below it, the BCa bootstrap’s, which is too \
         short for few seeds. p is the t-test’s against exactly the claimed ratio, corrected by Holm’s method \
         for the {} of this table, those without a number among them. A claim is decided, supported or not \
         supported, when p is at most 0.05 and the bootstrap interval lies on one side of the claimed ratio, with \
         at least {LEAST_SEEDS} seeds; it is inconclusive otherwise, and when a run lacks the number. Where the \
         exact sign-flip test or, for visibly skewed log ratios, the test that allows for skewness does not agree, \
         it is inconclusive, too, and takes more seeds: skewed log ratios make the t-test wrong more often than it \
         says, the more so the more claims there are.{}</p>\n",
        table("verdicts", &heads, &rows),
        count(verdicts.len(), "claim", "claims"),
        if verdicts.len() > MOST {
            format!(" The first {MOST} are shown; summary.json has all.")
        } else {
            String::new()
        }
    )
}

fn row(held: &JudgedClaim) -> Vec<Shown> {
    let claim = &held.claim;
    let dash = || "–".to_owned();
    let effect = held.effect.as_ref();
    let sign = match claim.direction {
        Direction::Lower => '≤',
        Direction::Higher => '≥',
    };
    let class = match held.verdict {
        Verdict::Supported => "yes",
        Verdict::NotSupported => "no",
        Verdict::Inconclusive => "open",
    };
    let reason = held.reason.as_ref().map_or_else(String::new, |reason| {
        format!("<br><small>{}</small>", shown(reason, STATEMENT))
    });
    let interval = effect
        .and_then(|effect| Some((effect.low?, effect.high?, effect.bootstrap?)))
        .map_or_else(dash, |(low, high, bootstrap)| {
            format!(
                "{} to {}<br><small>{} to {}</small>",
                number(low),
                number(high),
                number(bootstrap.low),
                number(bootstrap.high)
            )
        });
    vec![
        format!(
            "{}<br><small>{}</small>",
            shown(&claim.statement, STATEMENT),
            shown(&claim.source, STATEMENT)
        )
        .into(),
        format!(
            "<code>{}</code> against <code>{}</code>",
            shown(&claim.arm, NAME),
            shown(&held.baseline.to_string(), NAME)
        )
        .into(),
        shown(&claim.label(), STATEMENT).into(),
        format!("{sign}\u{a0}{}", claim.smallest_effect).into(),
        Shown {
            html: effect.map_or_else(dash, |effect| number(effect.ratio)),
            sort: effect.map(|effect| effect.ratio),
        },
        interval.into(),
        Shown {
            html: held.adjusted_p.map_or_else(dash, probability),
            sort: held.adjusted_p,
        },
        Shown {
            html: effect.map_or(0, |effect| effect.seeds).to_string(),
            sort: effect.map(|effect| effect.seeds as f64),
        },
        format!("<b class=\"{class}\">{}</b>{reason}", held.verdict.label()).into(),
    ]
}

/// Small ones as a bound.
pub(crate) fn probability(p: f64) -> String {
    if p < 0.001 {
        "&lt;\u{a0}0.001".to_owned()
    } else {
        format!("{p:.3}")
    }
}
