//! States that something has changed.

mod common;

use common::midway::{DIM, Make, Shown, each, step};
use common::{Itself, device};
use gradual_fuzz::Mutated;
use gradual_group::{Grouping, Standing, State};

/// A state is refused, or its grouping goes on with it or says why not; nothing panics.
#[test]
fn changed_states_are_refused_or_go_on() {
    let model = Itself::new(DIM);
    let makes: Vec<Make> = each().into_iter().map(|(_, make)| make).collect();
    let seeds: Vec<Vec<u8>> = (0..)
        .zip(&makes)
        .map(|(at, make)| {
            let mut grouping = make();
            for number in 0..2 {
                step(grouping.as_mut(), &model, number);
            }
            // The grouping that it is for comes first.
            let mut bytes = vec![at];
            ciborium::into_writer(&grouping.state().expect("a state"), &mut bytes).expect("bytes");
            bytes
        })
        .collect();
    let groupings = makes.len();
    bolero::check!()
        .with_generator(Mutated::new(seeds))
        .for_each(|input: &Vec<u8>| {
            let Some((&at, bytes)) = input.split_first() else {
                return;
            };
            let Ok(state) = ciborium::from_reader::<State, _>(bytes) else {
                return;
            };
            let mut grouping = each()[usize::from(at) % groupings].1();
            if grouping.restore(&state, &device()).is_ok() {
                let model = Itself::new(DIM);
                goes_on(grouping.as_mut(), &model);
            }
        });
}

/// A standing draw where one is wanted, and a step.
fn goes_on(grouping: &mut dyn Grouping, model: &Itself) {
    if let Some(wanted) = grouping.wants() {
        let size = match wanted {
            Standing::Fresh(examples) => examples.min(60),
            _ => 60,
        };
        let standing = Shown::new(model, (size / 4).max(1), 1_000);
        drop(grouping.stand(&standing.draw()));
    }
    let shown = Shown::new(model, 6, 7);
    drop(grouping.group(&shown.draw()));
}
