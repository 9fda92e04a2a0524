//! Parameters that several entries have in common.

use gradual_registry::{Arguments, BuildError, Parameter, Value};

use crate::clustering::similarity::Similarity;
use crate::grouping::context::GroupingContext;
use crate::grouping::groups::Average;
use crate::how_many::HowMany;

/// The number of known groups.
const KNOWN: &str = "known";

/// What is switched off.
pub(crate) const NONE: &str = "none";

/// Most groups that a parameter may ask for: memberships of as many in a draw of 128 take 50 MB.
pub(crate) const MANY_GROUPS: f64 = 100_000.0;
/// Most examples of any kind, and most of what there can't be more of than examples.
pub(crate) const MANY_EXAMPLES: f64 = 1e6;
/// Most standing examples: their Gram matrix takes 400 MB.
pub(crate) const MANY_STANDING: f64 = 10_000.0;
/// Most dimensions of a sketch.
pub(crate) const MANY_DIMENSIONS: f64 = 16_384.0;
/// Most draws: more than any run has.
pub(crate) const MANY_DRAWS: f64 = 1e12;

/// The number of labels.
pub(crate) const LABELS: Parameter = Parameter::count("k", "number of labels", 1)
    .at_least(1.0)
    .at_most(MANY_GROUPS)
    .or_words(&[KNOWN])
    .word_by_default(KNOWN);

/// A number of groups that no rule finds.
pub(crate) const COUNT: Parameter = Parameter::count("k", "number of groups", 1)
    .at_least(1.0)
    .at_most(MANY_GROUPS)
    .or_words(&[KNOWN])
    .word_by_default(KNOWN);

/// Dimensions of a sketch in the place of the gradients; none by default.
pub(crate) const fn sketch(about: &'static str) -> Parameter {
    Parameter::count("sketch", about, 1)
        .at_least(1.0)
        .at_most(MANY_DIMENSIONS)
        .or_words(&[NONE])
        .word_by_default(NONE)
}

/// The rules that find the number of groups.
pub(crate) const FINDERS: &[&str] = RULES.split_at(1).1;

const RULES: &[&str] = &[
    KNOWN,
    "eigengap",
    "tested-eigengap",
    "silhouette",
    "gap",
    "sign-flip",
    "stability",
    "participation-ratio",
    "effective-rank",
    "stable-rank",
    "energy-90",
];

const GROUPS: Parameter = Parameter::count("k", "number of groups, or the rule that finds it", 1)
    .at_least(1.0)
    .at_most(MANY_GROUPS)
    .or_words(RULES);

/// The number of groups, that of the known ones by default.
pub(crate) const KNOWN_GROUPS: Parameter = GROUPS.word_by_default(KNOWN);

/// The number of groups, found by default.
pub(crate) const FOUND_GROUPS: Parameter = GROUPS.word_by_default("eigengap");

/// What is read from a cosine.
pub(crate) const SIMILARITY: Parameter = Parameter::choice(
    "similarity",
    "what is read from the cosine of two gradients",
    &["squared", "absolute", "angular"],
);

/// The group loss, a mean by default.
pub(crate) const AVERAGE: Parameter = Parameter::choice(
    "average",
    "whether a group's loss is the mean or the sum of its examples'",
    &["mean", "sum"],
);

/// The rule for the number of groups.
pub(crate) fn how_many(
    arguments: &Arguments,
    context: &GroupingContext,
) -> Result<HowMany, BuildError> {
    let word = match arguments.value("k")? {
        Value::Word(word) => word.as_str(),
        _ => return Ok(HowMany::Fixed(arguments.count("k")?)),
    };
    let rules = [
        HowMany::Fixed(context.num_groups),
        HowMany::Eigengap,
        HowMany::TestedEigengap,
        HowMany::Silhouette,
        HowMany::Gap,
        HowMany::SignFlip,
        HowMany::Stability,
        HowMany::ParticipationRatio,
        HowMany::EffectiveRank,
        HowMany::StableRank,
        HowMany::Energy(0.9),
    ];
    let at = RULES.iter().position(|rule| *rule == word);
    let rule = at.and_then(|at| rules.get(at).copied());
    rule.ok_or_else(|| format!("there is no rule '{word}' for the number of groups").into())
}

/// The number of groups, `k` or that of the known ones.
pub(crate) fn groups(
    arguments: &Arguments,
    context: &GroupingContext,
) -> Result<usize, BuildError> {
    Ok(match arguments.value("k")? {
        Value::Word(_) => context.num_groups,
        _ => arguments.count("k")?,
    })
}

/// The number of labels, `k` or that of the known groups, which no label may be beyond.
pub(crate) fn labels(
    arguments: &Arguments,
    context: &GroupingContext,
) -> Result<usize, BuildError> {
    let labels = groups(arguments, context)?;
    match labels < context.num_groups {
        true => Err(format!(
            "k = {labels}, but the task has labels of {} groups; leave k out",
            context.num_groups
        )
        .into()),
        false => Ok(labels),
    }
}

/// A count, unless a word stands in its place.
pub(crate) fn count(arguments: &Arguments, name: &str) -> Result<Option<usize>, BuildError> {
    match arguments.value(name)? {
        Value::Word(_) => Ok(None),
        _ => Ok(Some(arguments.count(name)?)),
    }
}

/// A number, unless a word stands in its place.
pub(crate) fn number(arguments: &Arguments, name: &str) -> Result<Option<f64>, BuildError> {
    match arguments.value(name)? {
        Value::Word(_) => Ok(None),
        _ => Ok(Some(arguments.number(name)?)),
    }
}

/// What is read from a cosine.
pub(crate) fn similarity(arguments: &Arguments) -> Result<Similarity, BuildError> {
    Ok(match arguments.word("similarity")? {
        "absolute" => Similarity::Absolute,
        "angular" => Similarity::Angular,
        _ => Similarity::Squared,
    })
}

/// The group loss.
pub(crate) fn average(arguments: &Arguments) -> Result<Average, BuildError> {
    Ok(match arguments.word("average")? {
        "sum" => Average::Sum,
        _ => Average::Mean,
    })
}
