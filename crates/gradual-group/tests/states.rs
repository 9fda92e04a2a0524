//! A grouping that is written down and taken up again goes on to the same groups, bit for bit.

mod common;

use burn::tensor::Tensor;
use common::{Itself, device, planted};
use gradual_grad::{Metric, Traced};
use gradual_group::{
    Centroids, Damped, Draw, EachExample, GroupError, Grouping, Groups, Hdbscan, HowMany, InMetric,
    KMeans, Labels, Landmarks, NoisyLabels, OneGroup, Priors, RandomGroups, SingularVectors,
    Spectral, SphericalKMeans, SplitMerge, Standing, State, Tracked,
};

const DIM: usize = 20;
const GROUPS: usize = 4;

/// Makes a fresh grouping of the same settings every time.
type Make = Box<dyn Fn() -> Box<dyn Grouping>>;

fn every() -> Vec<(&'static str, Make)> {
    fn of<G: Grouping + 'static>(make: impl Fn() -> G + 'static) -> Make {
        Box::new(move || Box::new(make()))
    }
    let whitened = Metric::whitened;
    let landmarks = move || {
        Landmarks::new(HowMany::Eigengap, whitened(), 3)
            .with_examples(60)
            .with_every(3)
    };
    vec![
        ("one group", of(|| OneGroup)),
        ("each example", of(|| EachExample)),
        ("labels", of(|| Labels::new(GROUPS))),
        ("random groups", of(|| RandomGroups::new(GROUPS, 1))),
        (
            "noisy labels",
            of(|| NoisyLabels::new(GROUPS, 0.5, 1).expect("a share")),
        ),
        ("k-means", of(|| KMeans::new(GROUPS, 1))),
        ("spectral", of(|| Spectral::new(HowMany::Eigengap, 1))),
        (
            "spherical",
            of(|| SphericalKMeans::new(GROUPS, 1).sign_free()),
        ),
        ("hdbscan", of(|| Hdbscan::new(3))),
        (
            "singular vectors",
            of(|| SingularVectors::default().with_sketch(16, 2)),
        ),
        ("tracked", of(|| Tracked::new(Spectral::new(GROUPS, 1)))),
        (
            "in a metric",
            of(move || InMetric::new(whitened(), KMeans::new(GROUPS, 1))),
        ),
        (
            "priors",
            of(|| {
                let random = RandomGroups::new(GROUPS, 1);
                Priors::new(random, vec![1.0, 2.0, 0.5, 0.0]).expect("priors")
            }),
        ),
        (
            "tracked in a metric",
            of(move || InMetric::new(whitened(), Tracked::new(Spectral::new(GROUPS, 1)))),
        ),
        ("landmarks", of(landmarks)),
        ("landmarks one by one", of(move || landmarks().with_kept(8))),
        (
            "landmarks that change",
            of(move || {
                let rule = SplitMerge::default().with_patience(2).with_least_size(3);
                let changing = landmarks().with_split_merge(rule).with_refresh(0.3);
                changing.expect("a share")
            }),
        ),
        (
            "centroids",
            of(move || {
                let centroids = Centroids::new(HowMany::Eigengap, whitened(), 3).spectral();
                centroids.with_examples(60).with_every(3).with_sketch(64, 1)
            }),
        ),
        (
            "damped",
            of(move || {
                let damped = Damped::new(RandomGroups::new(GROUPS, 1)).with_patience(1);
                damped.with_memory(0.5).expect("a memory")
            }),
        ),
        (
            "landmarks in a metric",
            of(move || {
                let inner = Landmarks::new(GROUPS, Metric::euclidean(), 3);
                InMetric::new(whitened(), inner.with_examples(60).with_every(3))
            }),
        ),
        (
            "centroids in a metric",
            of(move || {
                let inner = Centroids::new(GROUPS, Metric::euclidean(), 3).sign_free();
                let inner = inner.with_examples(60).with_every(3).with_sketch(64, 1);
                InMetric::new(whitened(), inner)
            }),
        ),
        (
            "landmarks by several axes",
            of(move || landmarks().with_axes(2, 2)),
        ),
    ]
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
    for (name, make) in every() {
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
    let states = every().into_iter().map(|(name, make)| {
        let mut grouping = make();
        for number in 0..2 {
            step(grouping.as_mut(), &model, number);
        }
        (name, grouping.state().expect("a state"))
    });
    let states: Vec<(&str, State)> = states.collect();
    let mut refused = 0;
    for (name, make) in every() {
        let mut grouping = make();
        step(grouping.as_mut(), &model, 0);
        for (other, state) in states.iter().filter(|(other, _)| *other != name) {
            let before = grouping.state().expect("a state");
            match grouping.restore(&round(state), &device()) {
                // Settings that no state tells apart.
                Ok(()) => assert!(
                    before == State::none() && *state == State::none()
                        || [name, *other].contains(&"priors")
                        || [name, *other]
                            .iter()
                            .all(|name| name.starts_with("landmarks")),
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
    for (name, make) in every() {
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
