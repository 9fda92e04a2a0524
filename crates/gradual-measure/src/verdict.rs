//! What the seeds say about the claims of an experiment, all claims together.

use serde::{Deserialize, Serialize};

use crate::{Direction, Effect};

/// The least number of paired seeds for a verdict.
pub const LEAST_SEEDS: usize = 5;

/// The error rate of a table of claims.
const LEVEL: f64 = 0.05;

/// What the seeds say about a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The effect is at least the smallest that counts, in the claimed direction.
    Supported,
    /// The effect falls short of the smallest that counts.
    NotSupported,
    /// The seeds leave both open, or are too few.
    Inconclusive,
}

impl Verdict {
    /// The verdict in words.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Supported => "supported",
            Self::NotSupported => "not supported",
            Self::Inconclusive => "inconclusive",
        }
    }
}

/// One claim of a table, and the effect that was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Question {
    /// The effect; `None` where it can't be given.
    pub effect: Option<Effect>,
    /// The claimed direction.
    pub direction: Direction,
    /// The ratio arm / baseline that counts as an effect.
    pub smallest_effect: f64,
}

/// A verdict and the probabilities behind it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Answer {
    /// What the seeds say.
    pub verdict: Verdict,
    /// Two-sided p-value against a ratio of exactly the smallest effect, see [`Effect::p_value`].
    pub p: Option<f64>,
    /// The same, corrected for the number of claims of the table, see [`holm`].
    pub adjusted_p: Option<f64>,
}

/// Judges the claims of one table together.
///
/// A claim is decided, supported or not by the side of the smallest effect that the ratio is on, when
///
/// 1. at least [`LEAST_SEEDS`] pairs of seeds have the number,
/// 2. Student's t-test on the log ratios rejects a ratio of exactly the smallest effect, at 5 % after Holm's
///    correction for all claims of the table that have a p-value,
/// 3. and the whole BCa bootstrap interval is on that side too.
///
/// All else is inconclusive. With one claim the second condition says that the 95 % t-interval excludes the
/// smallest effect.
#[must_use]
pub fn judge(questions: &[Question]) -> Vec<Answer> {
    let p: Vec<Option<f64>> = questions
        .iter()
        .map(|one| one.effect?.p_value(one.smallest_effect))
        .collect();
    let known: Vec<f64> = p.iter().copied().flatten().collect();
    let mut adjusted = holm(&known).into_iter();
    questions
        .iter()
        .zip(p)
        .map(|(question, p)| {
            let adjusted_p = p.and_then(|_| adjusted.next());
            Answer {
                verdict: decide(question, adjusted_p).unwrap_or(Verdict::Inconclusive),
                p,
                adjusted_p,
            }
        })
        .collect()
}

/// `None` where the claim stays open.
fn decide(question: &Question, adjusted: Option<f64>) -> Option<Verdict> {
    let effect = question.effect?;
    let interval = effect.bootstrap?;
    if effect.seeds < LEAST_SEEDS || adjusted? > LEVEL {
        return None;
    }
    let reached = |ratio: f64| match question.direction {
        Direction::Lower => ratio <= question.smallest_effect,
        Direction::Higher => ratio >= question.smallest_effect,
    };
    let sides = [effect.ratio, interval.low, interval.high].map(reached);
    match sides {
        [true, true, true] => Some(Verdict::Supported),
        [false, false, false] => Some(Verdict::NotSupported),
        _ => None,
    }
}

/// Holm's step-down correction (Holm 1979): in order of size, the k-th smallest of m p-values times
/// `m − k + 1`, at most 1 and never less than the one before. Keeps the chance of any false rejection in the
/// table, whatever the dependence. The result is in the order of the argument.
#[must_use]
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&i, &j| p[i].total_cmp(&p[j]));
    let mut adjusted = vec![1.0; p.len()];
    let mut least: f64 = 0.0;
    for (k, index) in order.into_iter().enumerate() {
        least = least.max((p[index] * (p.len() - k) as f64).min(1.0));
        adjusted[index] = least;
    }
    adjusted
}
