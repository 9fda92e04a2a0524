//! A grouping that is written down and taken up again goes on to the same groups, bit for bit.

use crate::common::midway::{DIM, Shown, each, kind, made, round, step};
use crate::common::{Itself, device};
use burn::tensor::Tensor;
use gradual_group::{GroupError, Groups, State};

fn bits<const D: usize>(tensor: &Tensor<D>) -> Vec<u32> {
    crate::common::numbers(tensor)
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
