//! What the seeds say about the claims of an experiment, all claims together.

use serde::{Deserialize, Serialize};

use crate::effect::Effect;
use crate::metric::Direction;

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

impl Question {
    /// Whether a ratio is at least the smallest effect, in the claimed direction.
    fn reached(&self, ratio: f64) -> bool {
        match self.direction {
            Direction::Lower => ratio <= self.smallest_effect,
            Direction::Higher => ratio >= self.smallest_effect,
        }
    }
}

/// Why a claim stays open that the t-test and the bootstrap would decide: more seeds are needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Doubt {
    /// The exact sign-flip interval has both sides of the smallest effect.
    SignFlip,
    /// The log ratios are visibly skewed, and the test that allows for it leaves the claim open.
    Skewed,
}

impl Doubt {
    /// The doubt in words.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::SignFlip => {
                "the t-test decides, but the exact sign-flip test does not; more seeds are needed"
            }
            Self::Skewed => {
                "the t-test decides, but the log ratios are skewed, and the test that allows for it does not; more seeds \
                 are needed"
            }
        }
    }
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
    /// Why the claim stays open although the t-test would decide it.
    pub doubt: Option<Doubt>,
}

/// Judges the claims of one table together.
///
/// A claim is decided, supported or not by the side of the smallest effect that the ratio is on, when
///
/// 1. at least [`LEAST_SEEDS`] pairs of seeds have the number,
/// 2. Student's t-test on the log ratios rejects a ratio of exactly the smallest effect, at 5 % after Holm's
///    correction for all claims of the table; a claim without a p-value, as of an arm that never got there, enters with
///    p = 1, so that the others are not judged more mildly for it,
/// 3. the whole BCa bootstrap interval is on that side too,
/// 4. and two checks have no [`Doubt`]: the exact interval of [`Effect::sign_flip`] is on that side as well, and where
///    the log ratios are [visibly skewed](Effect::is_skewed), the second condition also holds for [the test that allows
///    for it](Effect::skewed_p_value).
///
/// All else is inconclusive. With one claim the second condition says that the 95 % t-interval excludes the
/// smallest effect.
///
/// The t-test promises an error rate of 5 % for log ratios with a normal distribution. For skewed ones the rate is
/// higher, the more so the more claims a table has, and the bootstrap does no better; the checks remove a part of the
/// excess. The page `docs/verdicts.md` has the rates, and the power.
#[must_use]
pub fn judge(questions: &[Question]) -> Vec<Answer> {
    let plain = Corrected::of(questions, Effect::p_value);
    let checked = Corrected::of(questions, |effect, ratio| {
        let plain = effect.p_value(ratio)?;
        if effect.is_skewed() {
            effect.skewed_p_value(ratio).map(|p| p.max(plain))
        } else {
            Some(plain)
        }
    });
    let each = questions.iter().enumerate();
    each.map(|(index, question)| {
        let mut answer = Answer {
            verdict: Verdict::Inconclusive,
            p: plain.p[index],
            adjusted_p: plain.p[index].map(|_| plain.adjusted[index]),
            doubt: None,
        };
        if let Some((verdict, effect)) = decide(question, plain.adjusted[index]) {
            answer.doubt = doubt(question, &effect, checked.adjusted[index]);
            if answer.doubt.is_none() {
                answer.verdict = verdict;
            }
        }
        answer
    })
    .collect()
}

/// The p-values of a table, and Holm's correction with 1 for each that is missing.
struct Corrected {
    p: Vec<Option<f64>>,
    adjusted: Vec<f64>,
}

impl Corrected {
    fn of(questions: &[Question], p: impl Fn(&Effect, f64) -> Option<f64>) -> Self {
        let p: Vec<Option<f64>> = questions
            .iter()
            .map(|one| p(one.effect.as_ref()?, one.smallest_effect))
            .collect();
        let family: Vec<f64> = p.iter().map(|p| p.unwrap_or(1.0)).collect();
        Self {
            p,
            adjusted: holm(&family),
        }
    }
}

/// What the t-test and the bootstrap say; `None` where they leave the claim open.
fn decide(question: &Question, adjusted: f64) -> Option<(Verdict, Effect)> {
    let effect = question.effect?;
    let interval = effect.bootstrap?;
    if effect.seeds < LEAST_SEEDS || adjusted > LEVEL {
        return None;
    }
    match [effect.ratio, interval.low, interval.high].map(|ratio| question.reached(ratio)) {
        [true, true, true] => Some((Verdict::Supported, effect)),
        [false, false, false] => Some((Verdict::NotSupported, effect)),
        _ => None,
    }
}

/// What the two checks say against it; `adjusted` is the p-value that allows for skewness.
fn doubt(question: &Question, effect: &Effect, adjusted: f64) -> Option<Doubt> {
    let side = question.reached(effect.ratio);
    let agrees = effect.sign_flip.is_some_and(|one| {
        [one.low, one.high]
            .iter()
            .all(|&end| question.reached(end) == side)
    });
    if !agrees {
        Some(Doubt::SignFlip)
    } else if adjusted > LEVEL {
        Some(Doubt::Skewed)
    } else {
        None
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
