//! Calls and bytes of a step are those of the formula in `docs/ranks.md`.

use std::sync::Mutex;

use gradual_grad::Metric;
use gradual_group::{KMeans, Labels, Landmarks, OneGroup, SingularVectors};
use gradual_loss::{Mean, SumOfSquares};
use gradual_train::{Gathering, Objective, Ranks, Traffic};

use crate::common::products::Products;
use crate::several::all_ranks;
use crate::trained::{DRAW, Seen, config, run, trainer};

/// Numbers of the net's parameters, the parameters, and inputs and outputs of its layers together.
const NUMBERS: u64 = 12 * 16 + 16 + 16 * 16 + 16 + 16 + 1;
const PARAMETERS: u64 = 6;
const SIDES: u64 = (12 + 16) + (16 + 16) + (16 + 1);
const EXAMPLES: u64 = DRAW as u64;
const DIM: u64 = 48;

/// What every rank has sent in a run of so many steps.
fn traffic(size: usize, steps: u64, gathering: Gathering, objective: fn() -> Objective) -> Traffic {
    let each = all_ranks(size, |rank| {
        let ranks = Ranks::new(rank).with_gathering(gathering);
        let task = Products::new(0.0);
        let seen = Mutex::new(Seen::default());
        run(
            trainer(&task, objective(), config(steps)),
            Some(&ranks),
            None,
            &seen,
        )
        .unwrap();
        ranks.traffic()
    });
    assert!(each.iter().all(|one| *one == each[0]), "all count the same");
    each[0]
}

/// What twenty further steps add.
fn twenty(size: usize, gathering: Gathering, objective: fn() -> Objective) -> Traffic {
    let [few, many] = [10, 30].map(|steps| traffic(size, steps, gathering, objective));
    Traffic {
        gathers: many.gathers - few.gathers,
        gathered: many.gathered - few.gathered,
        broadcasts: many.broadcasts - few.broadcasts,
        broadcast: many.broadcast - few.broadcast,
        reductions: many.reductions - few.reductions,
        reduced: many.reduced - few.reduced,
    }
}

/// The formula, of a step in which nothing of gradients is gathered.
fn of_losses(size: u64, hard: bool) -> Traffic {
    let losses = size * (2 + 8 + 1) + 4 * EXAMPLES;
    let update = size * (2 + PARAMETERS.div_ceil(8));
    let end = size * (2 + 1 + 8);
    let groups = if hard { 4 + 4 * EXAMPLES } else { 0 };
    Traffic {
        gathers: 3,
        gathered: losses + update + end,
        broadcasts: 1,
        broadcast: 2 + 1 + groups + 1 + 4 * EXAMPLES,
        reductions: 1,
        reduced: 4 * NUMBERS,
    }
}

fn times(traffic: Traffic, steps: u64) -> Traffic {
    Traffic {
        gathers: traffic.gathers * steps,
        gathered: traffic.gathered * steps,
        broadcasts: traffic.broadcasts * steps,
        broadcast: traffic.broadcast * steps,
        reductions: traffic.reductions * steps,
        reduced: traffic.reduced * steps,
    }
}

#[test]
fn of_losses_alone() {
    let objectives: [fn() -> Objective; 2] = [
        || Objective::new(OneGroup, Mean),
        || Objective::new(Labels::new(3), SumOfSquares).through_trace(),
    ];
    for objective in objectives {
        for size in [1, 2, 4] {
            let expected = times(of_losses(size as u64, true), 20);
            assert_eq!(twenty(size, Gathering::Factors, objective), expected);
        }
    }
}

#[test]
fn of_sketches() {
    let gathering = Gathering::Sketch {
        dim: DIM as usize,
        seed: 1,
    };
    let objectives: [(bool, fn() -> Objective); 2] = [
        (true, || Objective::new(KMeans::new(3, 1), SumOfSquares)),
        (false, || {
            Objective::new(SingularVectors::squared(), SumOfSquares)
        }),
    ];
    for (hard, objective) in objectives {
        for size in [2u64, 4] {
            let losses = of_losses(size, hard);
            let expected = Traffic {
                gathers: losses.gathers + 1,
                gathered: losses.gathered + size * (2 + 1) + 4 * EXAMPLES * DIM,
                ..losses
            };
            let found = twenty(size as usize, gathering, objective);
            assert_eq!(found, times(expected, 20));
        }
    }
}

/// Factors come as a record, whose names and shapes are some hundred bytes for each parameter and rank.
#[test]
fn of_factors() {
    let objective = || Objective::new(KMeans::new(3, 1), SumOfSquares);
    for size in [2, 4] {
        let losses = times(of_losses(size, true), 20);
        let found = twenty(size as usize, Gathering::Factors, objective);
        assert_eq!(found.gathers, losses.gathers + 20);
        let factors = (found.gathered - losses.gathered) / 20;
        let biases = 16 + 16 + 1;
        let least = 4 * EXAMPLES * (SIDES + biases);
        let most = least + 8 * EXAMPLES + size * PARAMETERS * 500;
        assert!(
            (least..=most).contains(&factors),
            "{factors} of {least} to {most}"
        );
    }
}

/// Standing examples are taken by every rank: only that all went well is gathered.
#[test]
fn of_standing_examples() {
    let gathering = Gathering::Sketch {
        dim: DIM as usize,
        seed: 1,
    };
    let objective = || {
        let landmarks = Landmarks::new(3, Metric::euclidean(), 1);
        let landmarks = landmarks.with_examples(40).unwrap();
        Objective::new(landmarks.with_every(5).unwrap(), SumOfSquares)
    };
    let plain = twenty(2, gathering, || {
        Objective::new(KMeans::new(3, 1), SumOfSquares)
    });
    let found = twenty(2, gathering, objective);
    let shown = 20 / 5;
    assert_eq!(found.gathers - plain.gathers, shown);
    assert_eq!(found.gathered - plain.gathered, shown * 2 * 2);
    assert_eq!(
        (found.broadcast, found.reduced),
        (plain.broadcast, plain.reduced)
    );
}
