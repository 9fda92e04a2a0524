//! A grouping that is written down and taken up again goes on to the same groups, bit for bit.

mod common;

use burn::tensor::Tensor;
use common::entries::{self, context, variations};
use common::{Itself, device, planted};
use gradual_grad::{Metric, Traced};
use gradual_group::registry::{GROUPINGS, WRAPPERS};
use gradual_group::{Draw, GroupError, Grouping, Groups, Standing, State};
use gradual_registry::{Entry, Spec, Value};

const DIM: usize = 20;
const GROUPS: usize = 4;

/// Makes a fresh grouping of the same settings every time.
type Make = Box<dyn Fn() -> Box<dyn Grouping>>;

/// Of each entry alone, with its defaults: the same state in the same entry.
fn each() -> Vec<(String, Make)> {
    let all = made();
    let mut names = std::collections::BTreeSet::new();
    // A metric around a grouping without state has the same state whatever it is around.
    all.into_iter()
        .filter(|(name, _)| !name.starts_with("metric, ") || name.starts_with("metric, kmeans"))
        .filter(|(name, _)| names.insert(kind(name).to_owned()))
        .collect()
}

/// The name without settings.
fn kind(name: &str) -> &str {
    name.split(['(', ' ']).next().unwrap_or(name)
}

/// Every grouping of the registry with each of its settings, plain and in a metric; every wrapper around a grouping
/// with state.
fn made() -> Vec<(String, Make)> {
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
fn small<C, T>(entry: &Entry<C, T>, spec: Spec) -> Spec {
    let settings = [
        ("examples", 60),
        ("every", 3),
        ("sketch", 64),
        ("patience", 2),
    ];
    let settings = settings.into_iter().filter(|(name, _)| {
        let of_landmarks = *name == "every" || *name == "examples" || *name == "patience";
        entries::has(entry, name) && (entry.name == "centroids" || of_landmarks)
    });
    let spec = settings.fold(spec, |spec, (name, value)| {
        match spec.parameters.contains_key(name) {
            true => spec,
            false => spec.with(name, Value::Count(value)),
        }
    });
    match spec.parameters.contains_key("split_merge") {
        true => spec
            .with("refresh", Value::Number(0.3))
            .with("least_part", Value::Count(3)),
        false => spec,
    }
}

/// A draw of a model, and its labels.
struct Shown {
    traced: Traced,
    labels: Vec<Option<usize>>,
}

impl Shown {
    fn new(model: &Itself, size: usize, seed: u64) -> Self {
        let (rows, labels) = planted(GROUPS, size, DIM, 3.0, true, seed);
        let losses: Vec<f32> = (0..rows.len()).map(|j| 1.0 + j as f32).collect();
        Self {
            traced: model.draw(&rows, &losses),
            labels,
        }
    }

    fn draw(&self) -> Draw<'_> {
        Draw::from(&self.traced).with_labels(&self.labels)
    }
}

/// Draw number `number` of a run, the standing examples before it where they are wanted.
fn step(grouping: &mut dyn Grouping, model: &Itself, number: u64) -> Groups {
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

fn bits<const D: usize>(tensor: &Tensor<D>) -> Vec<u32> {
    common::numbers(tensor)
        .into_iter()
        .map(f32::to_bits)
        .collect()
}

fn same(place: &str, one: &Groups, other: &Groups) {
    assert_eq!(one.assignment(), other.assignment(), "{place}");
    assert_eq!(bits(one.membership()), bits(other.membership()), "{place}");
    assert_eq!(bits(one.weights()), bits(other.weights()), "{place}");
    assert_eq!(one.identities(), other.identities(), "{place}");
    assert_eq!(one.churn(), other.churn(), "{place}");
    assert_eq!(one.spectrum(), other.spectrum(), "{place}");
    assert_eq!(one.estimates(), other.estimates(), "{place}");
}

/// Through bytes and back.
fn round(state: &State) -> State {
    let mut bytes = Vec::new();
    ciborium::into_writer(state, &mut bytes).expect("bytes");
    ciborium::from_reader(bytes.as_slice()).expect("the same again")
}

#[test]
fn states_go_round() {
    let model = Itself::new(DIM);
    for (name, make) in made() {
        // From before the first draw, and from the middle of what is asked for again every three.
        for first in [0, 1, 5] {
            let mut whole = make();
            for number in 0..first {
                step(whole.as_mut(), &model, number);
            }
            let mut resumed = make();
            let state = round(&whole.state().expect("a state"));
            resumed.restore(&state, &device()).expect("its own");
            assert_eq!(resumed.state().expect("a state"), state, "{name}");
            assert_eq!(resumed.wants(), whole.wants(), "{name}");
            for number in first..first + 8 {
                let place = format!("{name}, stopped before {first}, at {number}");
                let groups = step(whole.as_mut(), &model, number);
                same(&place, &groups, &step(resumed.as_mut(), &model, number));
            }
        }
    }
}

/// Every state in every other grouping: an error, or nothing to keep on either side. What is refused
/// changes nothing.
#[test]
fn foreign_states_are_refused() {
    let model = Itself::new(DIM);
    let states = each().into_iter().map(|(name, make)| {
        let mut grouping = make();
        for number in 0..2 {
            step(grouping.as_mut(), &model, number);
        }
        (name, grouping.state().expect("a state"))
    });
    let states: Vec<(String, State)> = states.collect();
    let mut refused = 0;
    for (name, make) in each() {
        let mut grouping = make();
        step(grouping.as_mut(), &model, 0);
        for (other, state) in states.iter().filter(|(other, _)| *other != name) {
            let before = grouping.state().expect("a state");
            match grouping.restore(&round(state), &device()) {
                // Settings that no state tells apart.
                Ok(()) => assert!(
                    before == State::none() && *state == State::none()
                        || [&name, other].iter().any(|name| kind(name) == "priors"),
                    "{name} took the state of {other}"
                ),
                Err(GroupError::State { .. } | GroupError::Gradients { .. }) => {
                    refused += 1;
                    assert_eq!(
                        grouping.state().expect("a state"),
                        before,
                        "{name}, {other}"
                    );
                }
                Err(error) => panic!("{name}, {other}: {error}"),
            }
        }
    }
    assert!(refused > 150, "{refused}");
}

/// A state that has lost a part anywhere.
#[test]
fn torn_states_are_refused() {
    let model = Itself::new(DIM);
    for (name, make) in each() {
        let mut grouping = make();
        for number in 0..2 {
            step(grouping.as_mut(), &model, number);
        }
        let state = grouping.state().expect("a state");
        if state == State::none() {
            continue;
        }
        let tree = ciborium::Value::serialized(&state).expect("a tree");
        for part in 0.. {
            let mut torn = tree.clone();
            let mut left = part;
            if !tear(&mut torn, &mut left) {
                break;
            }
            let torn: State = torn.deserialized().expect("any tree is one");
            let mut fresh = make();
            if let Err(error) = fresh.restore(&torn, &device()) {
                assert!(
                    matches!(
                        error,
                        GroupError::State { .. } | GroupError::Gradients { .. }
                    ),
                    "{name}: {error}"
                );
                continue;
            }
            // What can be read is a state of other numbers, and the grouping goes on or says why not.
            if fresh.wants().is_none() {
                let shown = Shown::new(&model, 6, 7);
                drop(fresh.group(&shown.draw()));
            }
        }
    }
}

/// Removes the last entry of array number `left`, if there are so many.
fn tear(value: &mut ciborium::Value, left: &mut usize) -> bool {
    match value {
        ciborium::Value::Array(values) => {
            if *left == 0 {
                values.pop();
                return true;
            }
            *left -= 1;
            values.iter_mut().any(|value| tear(value, left))
        }
        ciborium::Value::Map(pairs) => pairs.iter_mut().any(|(_, value)| tear(value, left)),
        _ => false,
    }
}
