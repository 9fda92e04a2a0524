//! Groupings with a state, in the middle of a run.

use std::collections::BTreeSet;

use gradual_grad::{Metric, Traced};
use gradual_group::registry::{GROUPINGS, WRAPPERS};
use gradual_group::{Draw, Grouping, Groups, Standing, State};
use gradual_registry::{Entry, Spec, Value};

use super::entries::{self, context, variations};
use super::{Itself, planted};

pub const DIM: usize = 20;
pub const GROUPS: usize = 4;

/// Makes a fresh grouping of the same settings every time.
pub type Make = Box<dyn Fn() -> Box<dyn Grouping>>;

/// Of each entry alone, with its defaults: the same state in the same entry.
pub fn each() -> Vec<(String, Make)> {
    let all = made();
    let mut names = BTreeSet::new();
    // A metric around a grouping without state has the same state whatever it is around.
    all.into_iter()
        .filter(|(name, _)| !name.starts_with("metric, ") || name.starts_with("metric, kmeans"))
        .filter(|(name, _)| names.insert(kind(name).to_owned()))
        .collect()
}

/// The name without settings.
pub fn kind(name: &str) -> &str {
    name.split(['(', ' ']).next().unwrap_or(name)
}

/// Every grouping of the registry with each of its settings, plain and in a metric; every wrapper around a grouping
/// with state.
pub fn made() -> Vec<(String, Make)> {
    let mut all: Vec<(String, Make)> = Vec::new();
    for entry in GROUPINGS.iter() {
        // The rule for the number of groups has no state, and labels have their own number.
        for spec in variations(entry, GROUPS, &["k", "examples", "least_part"]) {
            let spec = small(entry, spec);
            let whitened = || context(GROUPS, Some(Metric::whitened()));
            if entries::grouping(&spec, whitened()).needs().gradients() {
                let (in_a_metric, name) = (spec.clone(), format!("metric, {spec}"));
                all.push((
                    name,
                    Box::new(move || entries::grouping(&in_a_metric, whitened())),
                ));
            }
            let name = spec.to_string();
            all.push((
                name,
                Box::new(move || entries::grouping(&spec, context(GROUPS, None))),
            ));
        }
    }
    for entry in WRAPPERS.iter() {
        for spec in variations(entry, GROUPS, &[]) {
            for inner in ["random", "spectral"] {
                // Whose numbers of groups do not change.
                let inner = Spec::new(inner);
                let name = format!("{spec} around {inner}");
                let spec = spec.clone();
                all.push((
                    name,
                    Box::new(move || {
                        let inner = entries::grouping(&inner, context(GROUPS, None));
                        entries::wrapped(&spec, context(GROUPS, None), inner)
                    }),
                ));
            }
        }
    }
    all
}

/// With few standing examples that are shown again soon, and with all that may change at once.
pub fn small<C, T>(entry: &Entry<C, T>, spec: Spec) -> Spec {
    let settings = [("examples", 60), ("every", 3), ("sketch", 64)];
    let settings = settings.into_iter().filter(|(name, _)| {
        let of_landmarks = *name == "every" || *name == "examples";
        entries::has(entry, name) && (entry.name == "centroids" || of_landmarks)
    });
    let spec = settings.fold(spec, |spec, (name, value)| {
        match spec.parameters.contains_key(name) {
            true => spec,
            false => spec.with(name, Value::Count(value)),
        }
    });
    if !spec.parameters.contains_key("split_merge") {
        return spec;
    }
    let often = [
        ("refresh", Value::Number(0.3)),
        ("least_part", Value::Count(3)),
        ("patience", Value::Count(2)),
    ];
    often.into_iter().fold(spec, |spec, (name, value)| {
        match spec.parameters.contains_key(name) {
            true => spec,
            false => spec.with(name, value),
        }
    })
}

/// A draw of a model, and its labels.
pub struct Shown {
    pub traced: Traced,
    pub labels: Vec<Option<usize>>,
}

impl Shown {
    pub fn new(model: &Itself, size: usize, seed: u64) -> Self {
        let (rows, labels) = planted(GROUPS, size, DIM, 3.0, true, seed);
        let losses: Vec<f32> = (0..rows.len()).map(|j| 1.0 + j as f32).collect();
        Self {
            traced: model.draw(&rows, &losses),
            labels,
        }
    }

    pub fn draw(&self) -> Draw<'_> {
        Draw::from(&self.traced).with_labels(&self.labels)
    }
}

/// Draw number `number` of a run, the standing examples before it where they are wanted.
pub fn step(grouping: &mut dyn Grouping, model: &Itself, number: u64) -> Groups {
    if let Some(wanted) = grouping.wants() {
        let size = match wanted {
            Standing::Fresh(examples) => examples,
            _ => 60,
        };
        let standing = Shown::new(model, size / GROUPS, 1_000 + number);
        grouping.stand(&standing.draw()).expect("stands");
    }
    let shown = Shown::new(model, 6, number);
    grouping.group(&shown.draw()).expect("groups")
}

/// Through bytes and back.
pub fn round(state: &State) -> State {
    let mut bytes = Vec::new();
    ciborium::into_writer(state, &mut bytes).expect("bytes");
    ciborium::from_reader(bytes.as_slice()).expect("the same again")
}
