//! 1, 2 and 4 ranks come to the losses, groups, coefficients and weights of one rank with the same draw.

use gradual_grad::Metric;
use gradual_group::{
    Average, Draw, GroupError, Grouping, Groups, KMeans, Labels, Landmarks, Needs, OneGroup,
    SingularVectors, Spectral, Tracked,
};
use gradual_loss::{GroupDro, Mean, Mgda, Scale, SumOfSquares};
use gradual_train::{Collective as _, Gathering, Objective, Ranks};

use crate::close::bits;
use crate::own_loop::{STEPS, Steps, alone, together};
use crate::several::all_ranks;

/// An objective with its name.
type Named = (&'static str, fn() -> Objective);

const SKETCH: Gathering = Gathering::Sketch { dim: 64, seed: 5 };

fn landmarks(metric: Metric) -> Landmarks {
    let landmarks = Landmarks::new(3, metric, 1);
    let landmarks = landmarks.with_examples(40).unwrap();
    landmarks.with_every(15).unwrap()
}

fn compare(name: &str, gathering: Gathering, objective: fn() -> Objective) {
    compare_to(1e-5, name, gathering, objective);
}

fn compare_to(share: f32, name: &str, gathering: Gathering, objective: fn() -> Objective) {
    compare_ranks(share, name, gathering, objective, |ranks| ranks);
}

/// Ranks that are changed in some way are compared with one that is not.
fn compare_ranks(
    share: f32,
    name: &str,
    gathering: Gathering,
    objective: fn() -> Objective,
    change: fn(Ranks) -> Ranks,
) {
    let run_as = |size, change: fn(Ranks) -> Ranks| {
        let ranks = |rank| change(Ranks::new(rank).with_gathering(gathering));
        let each = all_ranks(size, |rank| together(&ranks(rank), objective()));
        let each: Result<Vec<Steps>, _> = each.into_iter().collect();
        let each = each.unwrap_or_else(|error| panic!("{name}: {error}"));
        // After every step, all ranks are the same to the last bit.
        for other in &each[1..] {
            for step in 0..STEPS {
                let [a, b] = [&each[0], other].map(|steps| bits(&steps.weights[step]));
                assert_eq!(
                    a,
                    b,
                    "{name}: weights on {size} ranks after step {}",
                    step + 1
                );
            }
            assert_eq!(each[0], *other, "{name}: on {size} ranks");
        }
        each.into_iter().next().unwrap()
    };
    let run = |size| run_as(size, change);
    let one = match gathering {
        Gathering::Factors => alone(objective()),
        // Without ranks, groups are found in gradients and not in sketches.
        _ => run_as(1, |ranks| ranks),
    };
    let moved = one.weights[0].iter().zip(&one.weights[STEPS - 1]);
    assert!(
        moved.clone().any(|(a, b)| (a - b).abs() > 1e-3),
        "{name}: nothing moved"
    );
    for size in [1, 2, 4] {
        assert_eq!(
            one.difference(share, &run(size)),
            None,
            "{name}: {size} ranks"
        );
    }
}

/// Nothing but losses is gathered.
#[test]
fn known_groups() {
    let factors = Gathering::Factors;
    compare("mean", factors, || Objective::new(OneGroup, Mean));
    compare("squares", factors, || {
        Objective::new(Labels::new(3), SumOfSquares)
    });
    compare("dro", factors, || {
        Objective::new(Labels::new(3), GroupDro::new(0.05).unwrap())
    });
    compare("running", factors, || {
        let scale = Scale::RunningSum(0.9);
        Objective::new(Labels::new(3), SumOfSquares).with_scale(scale)
    });
    compare("traced", factors, || {
        Objective::new(Labels::new(3), SumOfSquares).through_trace()
    });
}

#[test]
fn found_groups_from_sketches() {
    compare("k-means", SKETCH, || {
        Objective::new(KMeans::new(3, 1), SumOfSquares)
    });
    compare("singular vectors", SKETCH, || {
        Objective::new(SingularVectors::squared(), SumOfSquares)
    });
    compare("landmarks", SKETCH, || {
        Objective::new(landmarks(Metric::euclidean()), SumOfSquares)
    });
    compare("tracked", SKETCH, || {
        Objective::new(Tracked::new(Spectral::new(3, 1)), SumOfSquares)
    });
}

/// The exact Gram matrix, over all ranks.
#[test]
fn found_groups_from_factors() {
    let factors = Gathering::Factors;
    compare("k-means", factors, || {
        Objective::new(KMeans::new(3, 1), SumOfSquares)
    });
    compare("singular vectors", factors, || {
        Objective::new(SingularVectors::squared(), SumOfSquares)
    });
    compare("landmarks", factors, || {
        let metric = Metric::whitened().with_layers(&["first.*"]).unwrap();
        Objective::new(landmarks(metric), SumOfSquares)
    });
}

/// Coefficients with signs are small differences of large numbers, in which rounding shows.
#[test]
fn signed_groups() {
    compare_to(1e-3, "published", Gathering::Factors, || {
        Objective::new(SingularVectors::default(), SumOfSquares)
    });
    compare_to(1e-3, "published", SKETCH, || {
        Objective::new(SingularVectors::default(), SumOfSquares)
    });
}

#[test]
fn rules_and_scales_on_inner_products() {
    let factors = Gathering::Factors;
    compare("matched norm", factors, || {
        Objective::new(Labels::new(3), SumOfSquares).with_scale(Scale::MatchNorm)
    });
    compare("mgda", factors, || {
        Objective::on_gradients(Labels::new(3), Mgda).looking_at(&["first.*"])
    });
}

/// Groups that depend on the rank, as those of a device that rounds in another way might.
#[derive(Clone)]
struct Contrary(usize);

impl Grouping for Contrary {
    fn needs(&self) -> Needs {
        Needs::Nothing
    }

    fn group(&mut self, draw: &Draw<'_>) -> Result<Groups, GroupError> {
        let groups = (0..draw.num_examples()).map(|at| Some((at + self.0) % (3 + self.0)));
        Groups::hard(groups.collect(), 3 + self.0, Average::Mean, draw.options())
    }
}

/// What rank 0 decides goes for all, whatever others find.
#[test]
fn rank_0_decides() {
    let objective = |rank| Objective::new(Contrary(rank), SumOfSquares);
    let one = alone(objective(0));
    let each = all_ranks(3, |rank| {
        let objective = objective(rank.rank());
        together(&Ranks::new(rank), objective).unwrap()
    });
    for other in each {
        assert_eq!(one.difference(1e-5, &other), None);
    }
}

/// Parts are traced, sketched and let go, and their losses computed again for the update.
#[test]
fn gradients_that_are_made_again() {
    let objectives: [Named; 3] = [
        ("k-means", || {
            Objective::new(KMeans::new(3, 1), SumOfSquares)
        }),
        ("landmarks", || {
            Objective::new(landmarks(Metric::euclidean()), SumOfSquares)
        }),
        ("known", || Objective::new(Labels::new(3), SumOfSquares)),
    ];
    for (name, objective) in objectives {
        compare_ranks(1e-5, name, SKETCH, objective, Ranks::recomputing);
    }
}

/// Factors of all parts are what is not kept then.
#[test]
fn gradients_that_are_made_again_are_compared_by_sketches() {
    let run = |objective: fn() -> Objective| {
        let ranks = |rank| Ranks::new(rank).recomputing();
        let mut each = all_ranks(1, |rank| together(&ranks(rank), objective()).map(drop));
        each.remove(0)
    };
    let error = run(|| Objective::new(KMeans::new(3, 1), SumOfSquares)).unwrap_err();
    assert!(
        error.to_string().contains("gather these, or keep"),
        "{error}"
    );
    run(|| Objective::new(Labels::new(3), SumOfSquares)).unwrap();
}
