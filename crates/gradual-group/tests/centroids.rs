//! Groups whose centroids stay and move.

use crate::common::{Itself, along, numbers, planted};
use gradual_grad::{Metric, Traced};
use gradual_group::{
    Centroids, Draw, GroupError, Grouping, Groups, HowMany, Standing, adjusted_rand,
};
use proptest::prelude::*;

const DIM: usize = 24;

fn centroids(groups: impl Into<HowMany>) -> Centroids {
    Centroids::new(groups, Metric::euclidean(), 0)
        .with_examples(160)
        .unwrap()
        .with_sketch(256, 5)
        .unwrap()
}

fn draw(model: &Itself, rows: &[Vec<f32>]) -> Traced {
    model.draw(rows, &vec![1.0; rows.len()])
}

fn drawn(
    model: &Itself,
    groups: usize,
    size: usize,
    signs: bool,
    seed: u64,
) -> (Traced, Vec<Option<usize>>) {
    let (rows, labels) = planted(groups, size, DIM, 6.0, signs, seed);
    (draw(model, &rows), labels)
}

fn group(grouping: &mut Centroids, traced: &Traced) -> Groups {
    grouping.group(&Draw::from(traced)).expect("groups")
}

fn assigned(groups: &Groups) -> Vec<Option<usize>> {
    groups.assignment().expect("hard groups").to_vec()
}

/// Draws with one example for each of many groups, by all ways of forming them.
#[test]
fn small_draws_join_the_nearest_centroid() {
    let model = Itself::new(DIM);
    for (mut grouping, signs) in [
        (centroids(8), false),
        (centroids(8).sign_free(), true),
        (centroids(HowMany::Eigengap).spectral(), true),
    ] {
        let (standing, known) = drawn(&model, 8, 20, signs, 1);
        assert_eq!(grouping.wants(), Some(Standing::Fresh(160)));
        grouping.stand(&Draw::from(&standing)).expect("a draw");
        assert_eq!(grouping.wants(), None);
        let name = |found: &[Option<usize>], label: usize| {
            found[known
                .iter()
                .position(|k| *k == Some(label))
                .expect("20 of each")]
        };
        let found = assigned(&group(&mut grouping, &standing));
        assert_eq!(adjusted_rand(&found, &known), Some(1.0));
        for seed in 2..12 {
            let (small, labels) = drawn(&model, 8, 1, signs, seed);
            let small = assigned(&group(&mut grouping, &small));
            for (group, label) in small.iter().zip(&labels) {
                assert_eq!(*group, name(&found, label.expect("a label")), "seed {seed}");
            }
        }
    }
}

/// c ← m c + (1 − m) mean, written out on the sketches themselves.
#[test]
fn centroids_are_exponential_means() {
    let model = Itself::new(DIM);
    let (standing, _) = drawn(&model, 3, 10, false, 1);
    let mut grouping = self::centroids(3).with_memory(0.75).expect("a memory");
    grouping.stand(&Draw::from(&standing)).expect("a draw");
    let centroids = |grouping: &Centroids| -> Vec<Vec<f32>> {
        let entries = numbers(grouping.centroids().expect("formed"));
        entries.chunks(256).map(<[_]>::to_vec).collect()
    };
    let before = centroids(&grouping);
    let (small, _) = drawn(&model, 2, 3, false, 2);
    let joined = assigned(&group(&mut grouping, &small));
    let sketch = numbers(&small.gradients.sketch(256, 5));
    let units: Vec<Vec<f64>> = sketch
        .chunks(256)
        .map(|row| {
            let norm = row
                .iter()
                .map(|&x| f64::from(x).powi(2))
                .sum::<f64>()
                .sqrt();
            row.iter().map(|&x| f64::from(x) / norm).collect()
        })
        .collect();
    let after = centroids(&grouping);
    let mut still = 0;
    for (number, (before, after)) in before.iter().zip(&after).enumerate() {
        let own: Vec<&Vec<f64>> = units
            .iter()
            .zip(&joined)
            .filter(|(_, joined)| **joined == Some(number))
            .map(|(unit, _)| unit)
            .collect();
        for entry in 0..256 {
            let expected = match own.len() {
                0 => f64::from(before[entry]),
                n => {
                    let mean = own.iter().map(|unit| unit[entry]).sum::<f64>() / n as f64;
                    0.75 * f64::from(before[entry]) + 0.25 * mean
                }
            };
            assert!((f64::from(after[entry]) - expected).abs() < 1e-6);
        }
        still += usize::from(own.is_empty());
    }
    assert_eq!(still, 1, "one of three groups was lacking");
}

/// Axes turn a little with every draw, and groups keep their examples; fixed ones lose them.
#[test]
fn centroids_follow_what_turns() {
    let model = Itself::new(DIM);
    let labels: Vec<usize> = (0..30).map(|j| j % 3).collect();
    let known: Vec<Option<usize>> = labels.iter().copied().map(Some).collect();
    // In 60 draws axis g turns into axis g + 1, whose own one moves on as well.
    let turned = |step: usize| {
        let angle = std::f32::consts::FRAC_PI_2 * step as f32 / 60.0;
        let rows = along(&labels, DIM, 20.0, true, step as u64);
        let turn = |row: Vec<f32>| -> Vec<f32> {
            (0..DIM)
                .map(|at| angle.cos() * row[at] + angle.sin() * row[(at + DIM - 1) % DIM])
                .collect()
        };
        draw(&model, &rows.into_iter().map(turn).collect::<Vec<_>>())
    };
    let standing = turned(0);
    let recovery = |memory: f64| {
        let grouping = centroids(3).sign_free().with_memory(memory);
        let mut grouping = grouping.expect("a memory");
        grouping.stand(&Draw::from(&standing)).expect("a draw");
        let first = assigned(&group(&mut grouping, &standing));
        assert_eq!(adjusted_rand(&first, &known), Some(1.0));
        let mut last = Vec::new();
        for step in 1..=60 {
            last = assigned(&group(&mut grouping, &turned(step)));
        }
        let same = last.iter().zip(&first).filter(|(a, b)| a == b).count();
        same as f64 / 30.0
    };
    assert_eq!(recovery(0.7), 1.0);
    assert!(recovery(1.0) < 0.5);
}

#[test]
fn groups_that_are_formed_again_keep_their_numbers() {
    let model = Itself::new(DIM);
    let mut grouping = centroids(HowMany::Eigengap)
        .spectral()
        .with_every(2)
        .unwrap();
    let stand = |grouping: &mut Centroids, axes: &[usize], seed| {
        let labels: Vec<usize> = (0..20 * axes.len()).map(|j| axes[j % axes.len()]).collect();
        let rows = along(&labels, DIM, 6.0, true, seed);
        assert_eq!(grouping.wants(), Some(Standing::Fresh(160)));
        let traced = draw(&model, &rows);
        grouping.stand(&Draw::from(&traced)).expect("a draw");
        let groups = group(grouping, &traced);
        let numbers: Vec<usize> = (0..axes.len())
            .map(|at| assigned(&groups)[at].expect("a group"))
            .collect();
        group(grouping, &traced);
        (groups, numbers)
    };
    let (groups, first) = stand(&mut grouping, &[0, 1, 2, 3], 1);
    assert_eq!(
        (groups.churn(), groups.identities()),
        (None, &[0, 1, 2, 3][..])
    );
    let (groups, again) = stand(&mut grouping, &[0, 1, 2, 3], 2);
    assert_eq!(again, first);
    let churn = groups.churn().expect("formed again");
    assert_eq!((churn.births, churn.deaths, churn.changed), (0, 0, 0.0));
    // Axis 3 is gone, 4 and 5 are new: one in the place of 3, one behind.
    let (groups, now) = stand(&mut grouping, &[0, 1, 2, 4, 5], 3);
    assert_eq!(now[..3], first[..3]);
    let churn = groups.churn().expect("formed again");
    assert_eq!((churn.births, churn.deaths), (2, 1));
    assert_eq!(groups.num_groups(), 5);
    let mut identities = groups.identities().to_vec();
    identities.sort_unstable();
    assert_eq!(
        identities[3..],
        [4, 5],
        "no new group has the name of an old one"
    );
    // Fewer groups: their numbers stay, and one is nobody's.
    let (groups, now) = stand(&mut grouping, &[0, 1, 2, 4], 4);
    assert_eq!(now[..3], first[..3]);
    assert_eq!(groups.churn().expect("formed again").deaths, 1);
    let weights = numbers(groups.weights());
    assert_eq!(weights.iter().filter(|&&weight| weight == 0.0).count(), 1);
}

#[test]
fn draws_that_hold_next_to_nothing() {
    let model = Itself::new(DIM);
    let axis = |at: usize| {
        let mut row = vec![0.0; DIM];
        row[at] = 1.0;
        row
    };
    let cases = [
        vec![axis(0)],
        vec![vec![0.0; DIM]; 5],
        vec![axis(1); 5],
        vec![axis(0), vec![0.0; DIM], axis(1)],
    ];
    for rows in cases {
        let traced = draw(&model, &rows);
        for mut grouping in [
            centroids(1),
            centroids(HowMany::Silhouette).sign_free(),
            centroids(HowMany::Eigengap).spectral(),
        ] {
            // Twice: what is kept from a degenerate draw must not spoil the next.
            for _ in 0..2 {
                grouping.stand(&Draw::from(&traced)).expect("defined");
                let found = assigned(&group(&mut grouping, &traced));
                for (row, group) in rows.iter().zip(found) {
                    assert_eq!(group.is_none(), row.iter().all(|entry| *entry == 0.0));
                }
            }
        }
    }
    let two = draw(&model, &[axis(0), axis(1)]);
    let error = centroids(3).stand(&Draw::from(&two)).unwrap_err();
    assert!(matches!(error, GroupError::TooManyGroups { .. }), "{error}");
    // More groups than distinct gradients: some stay empty.
    let mut grouping = centroids(3);
    let equal = draw(&model, &[axis(0), axis(0), axis(1), axis(1)]);
    grouping.stand(&Draw::from(&equal)).expect("defined");
    let groups = group(&mut grouping, &equal);
    assert_eq!(groups.num_groups(), 3);
    let found = assigned(&groups);
    assert!(found[0] == found[1] && found[2] == found[3] && found[0] != found[2]);

    let mut grouping = centroids(1);
    let error = grouping.group(&Draw::from(&two)).unwrap_err();
    assert!(matches!(error, GroupError::NoStanding { .. }), "{error}");
    let mut broken = axis(1);
    broken[3] = f32::NAN;
    let broken = draw(&model, &[axis(0), broken]);
    let error = grouping.stand(&Draw::from(&broken)).unwrap_err();
    assert!(matches!(error, GroupError::NotFinite { .. }), "{error}");
    grouping.stand(&Draw::from(&two)).expect("a draw");
    let before = grouping.state().expect("a state");
    let error = grouping.group(&Draw::from(&broken)).unwrap_err();
    assert!(
        matches!(error, GroupError::NotFinite { example: 1, .. }),
        "{error}"
    );
    assert_eq!(grouping.state().expect("a state"), before);
    assert!(matches!(
        centroids(1).with_memory(1.5),
        Err(GroupError::Parameter { .. })
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Sign-free groups do not see the sign of any gradient, and no group sees its length.
    #[test]
    fn signs_and_lengths_mean_nothing(
        flips in prop::collection::vec(any::<bool>(), 40), scale in 0.1f32..10.0, seed in 0u64..500
    ) {
        let model = Itself::new(DIM);
        let (rows, _) = planted(4, 10, DIM, 3.0, false, seed);
        let flipped: Vec<Vec<f32>> = rows
            .iter()
            .zip(&flips)
            .map(|(row, &flip)| {
                let by = if flip { -scale } else { scale };
                row.iter().map(|x| by * x).collect()
            })
            .collect();
        let groups = |rows: &[Vec<f32>]| {
            let mut grouping = centroids(4).sign_free();
            let traced = draw(&model, rows);
            grouping.stand(&Draw::from(&traced)).expect("a draw");
            let first = assigned(&group(&mut grouping, &traced));
            (first, assigned(&group(&mut grouping, &traced)))
        };
        prop_assert_eq!(groups(&rows), groups(&flipped));
    }
}
