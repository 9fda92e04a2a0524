use std::collections::HashSet;

use burn::module::Module;
use burn::tensor::Device;
use gradual::train::Task;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::config::{ModularConfig, Operation};
use super::{Fact, Modular};

const ALL: [Operation; 4] = [
    Operation::Add,
    Operation::Subtract,
    Operation::Multiply,
    Operation::Divide,
];

fn config(modulus: usize) -> ModularConfig {
    ModularConfig {
        modulus,
        operations: ALL.to_vec(),
        embedding: 8,
        hidden: 16,
        ..ModularConfig::default()
    }
}

/// Against what makes each answer right: subtraction undoes addition, division undoes multiplication.
#[test]
fn answers_are_those_of_slow_arithmetic() {
    for p in [3, 7, 97] {
        for a in 0..p {
            for b in 0..p {
                let counted = (0..a + b).fold(0, |at, _| if at + 1 == p { 0 } else { at + 1 });
                assert_eq!(Operation::Add.of(a, b, p), Some(counted));
                let difference = Operation::Subtract.of(a, b, p).unwrap();
                assert_eq!((difference + b) % p, a);
                let added = (0..b).fold(0, |sum, _| (sum + a) % p);
                assert_eq!(Operation::Multiply.of(a, b, p), Some(added));
                match Operation::Divide.of(a, b, p) {
                    Some(quotient) => assert_eq!(quotient * b % p, a),
                    None => assert_eq!(b, 0),
                }
            }
        }
    }
}

#[test]
fn every_fact_is_trained_on_or_held_out() {
    let config = config(13);
    let task = Modular::new(&config, 4).unwrap();
    let facts = |of: &[Fact]| -> HashSet<(usize, usize, usize)> {
        of.iter().map(|one| (one.operation, one.a, one.b)).collect()
    };
    let trained = facts(&task.training);
    assert_eq!(trained.len(), task.training.len());
    for (at, operation) in ALL.iter().enumerate() {
        let size = if *operation == Operation::Divide {
            156
        } else {
            169
        };
        let [held_out, seen] = &task.tested[at];
        assert_eq!(
            task.members[at].len(),
            (0.4 * f64::from(size)).round() as usize
        );
        assert_eq!(held_out.len() + seen.len(), size as usize);
        assert!(facts(held_out).is_disjoint(&trained));
        assert!(facts(seen).is_subset(&trained));
        let own = &task.training[task.members[at].clone()];
        assert!(own.iter().all(|one| one.operation == at));
    }
    let chances: Vec<f64> = task.capabilities.iter().map(|one| one.chance).collect();
    assert_eq!(chances, [1.0 / 13.0, 1.0 / 13.0, 25.0 / 169.0, 1.0 / 13.0]);
    let other = Modular::new(&config, 5).unwrap();
    assert_ne!(facts(&other.training), trained);
}

/// A fresh model guesses, and draws are what their labels and items say.
#[test]
fn draws_and_scores_are_of_their_operations() {
    let device = Device::flex();
    let task = Modular::new(&config(13), 0).unwrap();
    let random = || ChaCha8Rng::seed_from_u64(1);
    let model = task.model(&mut random(), &device);
    let drawn = task.draw(50, &mut random(), &device).unwrap();
    let again = task.pick(&drawn.items, &device).unwrap();
    let tokens = |of: &super::ModularBatch| of.tokens.clone().into_data().convert::<i64>();
    assert_eq!(tokens(&drawn.batch), tokens(&again.batch));
    let rows = tokens(&drawn.batch).try_to_vec::<i64>().unwrap();
    for (row, label) in rows.chunks(2).zip(&drawn.labels) {
        assert!(row.iter().all(|token| token / 13 == label.unwrap() as i64));
    }
    let of = task.draw_of(&[3, 0], &mut random(), &device).unwrap();
    assert_eq!(of.labels, [Some(3), Some(0)]);
    for score in task.evaluate(&model.valid(), &device).unwrap() {
        assert!(score.accuracy < 0.35, "{score:?}");
        assert!((score.loss - 13_f64.ln()).abs() < 0.2, "{score:?}");
    }
}

#[test]
fn settings_that_make_no_sense_are_refused() {
    type Change = fn(&mut ModularConfig);
    let changes: [(Change, &str); 5] = [
        (
            |one| one.modulus = 91,
            "modulus = 91, but it is a prime, and this is 7 times 13",
        ),
        (
            |one| one.modulus = 2,
            "modulus = 2, but it is a whole number from 3 to 997",
        ),
        (
            |one| one.operations = vec![Operation::Add; 2],
            "operations = 2, but one of them is there twice",
        ),
        (
            |one| one.operations = Vec::new(),
            "operations lists 0, but it is a list of 1 to 4",
        ),
        (
            |one| one.share = f64::NAN,
            "share = NaN, but it is a number from 0.01 to 0.99",
        ),
    ];
    for (change, expected) in changes {
        let mut config = config(13);
        change(&mut config);
        let error = Modular::new(&config, 0).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}
