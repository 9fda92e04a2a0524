//! Steps of several processes equal those of one.

use std::rc::Rc;

use gradual_grad::Metric;
use gradual_group::{KMeans, Labels, Landmarks, OneGroup, SingularVectors};
use gradual_loss::{GroupDro, Mean, SumOfSquares};
use gradual_train::{Collective as _, Gathering, MpiRank, Objective, Ranks, ThreadRank};

use crate::close::bits;
use crate::own_loop::{STEPS, alone, together};

type Named = (&'static str, Gathering, fn() -> Objective);

fn objectives() -> Vec<Named> {
    let (factors, sketch) = (Gathering::Factors, Gathering::Sketch { dim: 64, seed: 5 });
    vec![
        ("mean", factors, || Objective::new(OneGroup, Mean)),
        ("squares", factors, || {
            Objective::new(Labels::new(3), SumOfSquares)
        }),
        ("dro", factors, || {
            Objective::new(Labels::new(3), GroupDro::new(0.05).unwrap())
        }),
        ("k-means", sketch, || {
            Objective::new(KMeans::new(3, 1), SumOfSquares)
        }),
        ("singular vectors", sketch, || {
            Objective::new(SingularVectors::squared(), SumOfSquares)
        }),
        ("landmarks", sketch, || {
            let landmarks = Landmarks::new(3, Metric::euclidean(), 1);
            let landmarks = landmarks.with_examples(40).unwrap();
            Objective::new(landmarks.with_every(15).unwrap(), SumOfSquares)
        }),
        ("exact k-means", factors, || {
            Objective::new(KMeans::new(3, 1), SumOfSquares)
        }),
    ]
}

/// 200 steps under every objective, on this rank among others and alone.
pub(crate) fn steps_are_those_of_one(rank: &Rc<MpiRank>) {
    for (name, gathering, objective) in objectives() {
        let ranks = Ranks::new(Rc::clone(rank)).with_gathering(gathering);
        let here = together(&ranks, objective()).expect(name);
        let one = match gathering {
            Gathering::Factors => alone(objective()),
            _ => {
                let one = ThreadRank::several(1).remove(0);
                let one = Ranks::new(one).with_gathering(gathering);
                together(&one, objective()).expect(name)
            }
        };
        assert_eq!(one.difference(1e-5, &here), None, "{name}");
        let last = bits(&here.weights[STEPS - 1]);
        let last: Vec<u8> = last.iter().flat_map(|bits| bits.to_le_bytes()).collect();
        let all = rank.all_gather(&last).expect(name);
        assert!(
            all.iter().all(|other| *other == last),
            "{name}: weights differ between ranks"
        );
    }
}
