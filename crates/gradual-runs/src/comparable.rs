//! Which runs of an experiment may be compared.
//!
//! A verdict says what an arm does to a run, all else equal. So all runs of an experiment have one task with one set of
//! data, one number of examples per step, one backend, one evaluation grid, and equally many steps once a slower arm's
//! slowdown is taken out. Runs of one arm have one recipe. An arm whose recipe says how many examples a step has differs in
//! that on purpose.
//!
//! Configurations from before recipes do not say how much slower an arm is. Steps of their arms may then be whole multiples
//! of each other.

use std::collections::HashMap;
use std::path::PathBuf;

use gradual_measure::Evaluation;
use serde_json::{Value, json};

use crate::config::RunConfig;
use crate::difference::{Difference, differences};
use crate::error::RunsError;

/// The entries in which two runs of an experiment differ and must not, if they are to be compared; none where they may.
#[must_use]
pub fn incomparable(one: &RunConfig, other: &RunConfig) -> Vec<Difference> {
    let same_arm = one.arm == other.arm;
    let (old, also_old) = (one.recipe.is_null(), other.recipe.is_null());
    let recipe = same_arm || old != also_old;
    let mut shared = [one, other].map(|config| shared(config, recipe));
    if !same_arm && [one, other].iter().any(|config| has_own_draw(config)) {
        for shared in &mut shared {
            shared["draw"] = Value::Null;
        }
    }
    if !same_arm && old && also_old && is_slower(one.steps, other.steps) {
        for shared in &mut shared {
            shared["steps"] = Value::Null;
        }
    }
    differences(&shared[0], &shared[1])
}

/// Whether the recipe itself says how many examples a step has.
fn has_own_draw(config: &RunConfig) -> bool {
    config
        .recipe
        .get("draw")
        .is_some_and(|draw| !draw.is_null())
}

/// Whether one number of steps is a whole multiple of the other.
fn is_slower(one: u64, other: u64) -> bool {
    let (less, more) = (one.min(other), one.max(other));
    more.checked_rem(less) == Some(0)
}

/// What has to agree between runs: with the recipe where both are of one arm, or one of them has none.
fn shared(config: &RunConfig, recipe: bool) -> Value {
    let slowdown = config.recipe.get("slowdown").and_then(Value::as_u64);
    let slowdown = slowdown.filter(|&slowdown| slowdown > 0).unwrap_or(1);
    let steps = match config.steps.checked_rem(slowdown) {
        Some(0) => json!(config.steps / slowdown),
        _ => json!(config.steps as f64 / slowdown as f64),
    };
    let mut shared = json!({
        "experiment": config.experiment,
        "steps": steps,
        "draw": config.draw,
        "backend": config.backend,
        "task": of_numbers(&config.task),
        "settings": of_numbers(&config.settings),
    });
    // Nobody has said it.
    if let (0, Value::Object(shared)) = (config.draw, &mut shared) {
        shared.remove("draw");
    }
    if recipe {
        shared["recipe"] = of_numbers(&config.recipe);
    }
    shared
}

/// The same with whole numbers in one form: other programs write `1` in one run and `1.0` in the next.
fn of_numbers(value: &Value) -> Value {
    match value {
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 9e15 => {
                json!(float as i64)
            }
            _ => value.clone(),
        },
        Value::Array(each) => each.iter().map(of_numbers).collect(),
        Value::Object(entries) => {
            let same = |(key, value): (&String, &Value)| (key.clone(), of_numbers(value));
            Value::Object(entries.iter().map(same).collect())
        }
        other => other.clone(),
    }
}

/// Refuses runs, each with its folder, of which two can't be compared.
///
/// Every run is compared with the first, and with the first of its arm. From before recipes, the first is the one with the
/// fewest steps: the others are slower than it by whole numbers.
///
/// # Errors
/// [`RunsError::Incomparable`] naming two of them and the entries in which they differ.
pub fn check<'a>(
    runs: impl IntoIterator<Item = (&'a PathBuf, &'a RunConfig)>,
) -> Result<(), RunsError> {
    let runs: Vec<(&PathBuf, &RunConfig)> = runs.into_iter().collect();
    // Nor is it one that may differ in its draws, unless all do.
    let first = runs.iter().min_by_key(|(_, config)| match config.recipe {
        Value::Null => (false, config.steps),
        _ => (has_own_draw(config), 0),
    });
    let mut firsts: HashMap<&str, (&PathBuf, &RunConfig)> = HashMap::new();
    for &(folder, config) in &runs {
        let of_arm = firsts.get(config.arm.as_str());
        for (other, first) in first.into_iter().chain(of_arm) {
            let differences = incomparable(first, config);
            if !differences.is_empty() {
                return Err(RunsError::Incomparable {
                    one: (*other).clone(),
                    other: folder.clone(),
                    differences,
                });
            }
        }
        firsts.entry(&config.arm).or_insert((folder, config));
    }
    Ok(())
}

/// Refuses runs, each with its folder and its evaluations, whose configurations leave out what their evaluations show to differ:
/// [`check`] compares what configurations say, and one by another program may say neither how many examples a step has
/// nor how often a run is evaluated.
///
/// Examples per step may differ by a hundredth; of runs with a recipe, which says it, they are not asked. The evaluations of a run
/// (its steps by the steps between two of them, of these the median and the largest) may differ by half, and so may these steps where
/// that of another arm does not: a slower arm has as many evaluations, or as many in as many steps. The median is over steps: half of
/// a run's steps lie between evaluations that are no further apart. A run with a recipe whose settings say how often it is evaluated, in
/// `evaluate_every`, has to be evaluated so often, and its median is not asked; what other programs mean by such a setting nobody
/// knows. Runs that did not finish are passed over.
///
/// # Errors
/// [`RunsError::Incomparable`] naming two of them and in what they differ.
pub fn check_evaluations<'a>(
    runs: impl IntoIterator<Item = (&'a PathBuf, &'a RunConfig, &'a [Evaluation])>,
) -> Result<(), RunsError> {
    let runs: Vec<_> = runs.into_iter().collect();
    // Two numbers, of which one has to agree.
    type Shown = fn(&RunConfig, &[Evaluation]) -> Option<[f64; 2]>;
    let compared: [(&str, f64, Shown); 3] = [
        (
            "draw (examples per step, by curves.jsonl)",
            1.01,
            |config, evaluations| {
                let last = evaluations
                    .last()
                    .filter(|last| config.recipe.is_null() && last.step > 0)?;
                Some([last.examples as f64 / last.step as f64; 2])
            },
        ),
        (
            "evaluations of a run (by the median of the steps between two in curves.jsonl)",
            1.5,
            |config, evaluations| match said(config) {
                Some(_) => None,
                None => Some(often(config, median(&between(evaluations))?)),
            },
        ),
        (
            "evaluations of a run (by the most steps between two in curves.jsonl)",
            1.5,
            |config, evaluations| {
                let most = *between(evaluations).last()?;
                Some(often(config, most.max(said(config).unwrap_or(0))))
            },
        ),
    ];
    for (path, most, shown) in compared {
        let mut first: Option<(&PathBuf, [f64; 2])> = None;
        for &(folder, config, evaluations) in &runs {
            let Some(this) = shown(config, evaluations) else {
                continue;
            };
            let &mut (one, held) = first.get_or_insert((folder, this));
            let apart = |at: usize| (this[at] / held[at]).max(held[at] / this[at]) > most;
            if apart(0) && apart(1) {
                return Err(RunsError::Incomparable {
                    one: one.clone(),
                    other: folder.clone(),
                    differences: vec![Difference {
                        path: path.to_owned(),
                        held: Some(json!(held[0])),
                        asked: Some(json!(this[0])),
                    }],
                });
            }
        }
    }
    Ok(())
}

/// How often a run is evaluated where it is after so many steps: in the whole run, and in a step. A slower arm is evaluated as often in
/// one sense or the other.
fn often(config: &RunConfig, steps: u64) -> [f64; 2] {
    [config.steps as f64 / steps as f64, 1.0 / steps as f64]
}

/// After how many steps a run with a recipe is evaluated, where its settings say it.
fn said(config: &RunConfig) -> Option<u64> {
    let every = config.settings.get("evaluate_every")?.as_u64();
    every.filter(|_| !config.recipe.is_null())
}

/// The steps between two evaluations, fewest first; those before the first evaluation among them, unless there are none.
fn between(evaluations: &[Evaluation]) -> Vec<u64> {
    let steps: Vec<u64> = evaluations.iter().map(|one| one.step).collect();
    let between = steps.windows(2).map(|two| two[1].saturating_sub(two[0]));
    let before = steps.first().copied().filter(|&steps| steps > 0);
    let mut gaps: Vec<u64> = between.chain(before).collect();
    gaps.sort_unstable();
    gaps
}

/// The gap that more than half of all steps lie in gaps up to. Early evaluations are close, and one more, such as where a second phase
/// begins, is no other grid: neither moves it far.
fn median(gaps: &[u64]) -> Option<u64> {
    let all: u128 = gaps.iter().map(|&gap| u128::from(gap)).sum();
    let mut so_far = 0;
    gaps.iter().copied().find(|&gap| {
        so_far += u128::from(gap);
        2 * so_far > all
    })
}
