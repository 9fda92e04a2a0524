//! A run goes on from its snapshot on as many ranks, to the same bits, and on other numbers of ranks.

use std::sync::Mutex;

use burn::optim::SgdConfig;
use burn::tensor::Device;
use gradual_grad::Metric;
use gradual_group::{KMeans, Labels, Landmarks};
use gradual_loss::{GroupDro, SumOfSquares};
use gradual_train::{Gathering, Objective, Ranks, Snapshot, Trainer};

use crate::close::{bits, near_to};
use crate::common::products::Products;
use crate::several::all_ranks;
use crate::trained::{Seen, Weights, config, run};

const STEPS: u64 = 40;
const STOP: usize = 17;

type Named = (&'static str, Gathering, fn() -> Objective);

fn objectives() -> Vec<Named> {
    let sketch = Gathering::Sketch { dim: 64, seed: 2 };
    vec![
        ("dro", Gathering::Factors, || {
            Objective::new(Labels::new(3), GroupDro::new(0.05).unwrap())
        }),
        ("k-means", sketch, || {
            Objective::new(KMeans::new(3, 1), SumOfSquares)
        }),
        ("landmarks", Gathering::Factors, || {
            let landmarks = Landmarks::new(3, Metric::whitened(), 1);
            let landmarks = landmarks.with_examples(40).unwrap();
            let landmarks = landmarks.with_every(5).unwrap();
            Objective::new(landmarks.with_refresh(0.3).unwrap(), SumOfSquares)
        }),
    ]
}

/// The weights after every step and the snapshots, of a run on so many ranks.
fn trained(
    size: usize,
    (_, gathering, objective): Named,
    from: Option<&Snapshot>,
) -> (Weights, Vec<Snapshot>) {
    let seen = Mutex::new(Seen::default());
    let each = all_ranks(size, |rank| {
        let ranks = Ranks::new(rank).with_gathering(gathering);
        let task = Products::new(0.0);
        let from = from.filter(|_| ranks.is_first()).cloned();
        let trainer = Trainer::new(
            &task,
            objective(),
            SgdConfig::new().init(),
            &Device::flex(),
            config(STEPS),
        );
        let unseen = Mutex::new(Seen::default());
        let seen = if ranks.is_first() { &seen } else { &unseen };
        let (ended, weights) = run(trainer.with_rate(0.03), Some(&ranks), from, seen).unwrap();
        assert_eq!(ended.step, STEPS);
        if !ranks.is_first() {
            assert!(unseen.lock().unwrap().losses.is_empty());
        }
        weights
    });
    for other in &each {
        let same = each[0].iter().zip(other).all(|(a, b)| bits(a) == bits(b));
        assert!(same && other.len() == each[0].len());
    }
    let seen = seen.into_inner().unwrap();
    (each.into_iter().next().unwrap(), seen.snapshots)
}

#[test]
fn on_any_number_of_ranks() {
    for named in objectives() {
        let (name, ..) = named;
        let (whole, snapshots) = trained(4, named, None);
        let snapshot = &snapshots[STOP];
        assert_eq!(snapshot.step, STOP as u64);
        for size in [4, 2, 1] {
            let (rest, again) = trained(size, named, Some(snapshot));
            let expected = &whole[STOP + 1..];
            assert_eq!(rest.len(), expected.len(), "{name}");
            for (step, (a, b)) in rest.iter().zip(expected).enumerate() {
                let same = match size {
                    4 => bits(a) == bits(b),
                    _ => near_to(1e-5, a, b),
                };
                assert!(same, "{name}: {size} ranks, step {}", STOP + 1 + step);
            }
            if size == 4 {
                assert_eq!(whole[STOP + 1..], rest[..]);
                let last = |all: &[Snapshot]| all.last().cloned().unwrap();
                assert_eq!(last(&again).step, STEPS);
            }
        }
    }
}
