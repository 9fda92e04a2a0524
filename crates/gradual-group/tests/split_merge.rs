//! Groups that part and join, and groups that don't.

use crate::common::{Itself, along, numbers};
use gradual_grad::Metric;
use gradual_group::{
    Churn, Draw, GroupError, Grouping, HowMany, Landmarks, Spectral, SplitMerge, adjusted_rand,
};

const DIM: usize = 64;
const SIZE: usize = 30;

fn landmarks(groups: usize, rule: SplitMerge) -> Landmarks {
    Landmarks::new(HowMany::Fixed(groups), Metric::euclidean(), 0)
        .with_every(1)
        .unwrap()
        .with_split_merge(rule)
}

/// Standing examples in `parts` parts, of which some pairs may lie along one axis.
struct Parts {
    model: Itself,
    /// The part of each example.
    known: Vec<usize>,
}

impl Parts {
    fn new(parts: usize) -> Self {
        Self {
            model: Itself::new(DIM),
            known: (0..parts * SIZE).map(|j| j % parts).collect(),
        }
    }

    /// Shows the examples with part p along axis `axes[p]`, groups them, and tells what changed.
    fn show(
        &self,
        grouping: &mut Landmarks,
        axes: &[usize],
        snr: f64,
        seed: u64,
    ) -> (Vec<Option<usize>>, Vec<u64>, Option<Churn>) {
        let along_axes: Vec<usize> = self.known.iter().map(|&part| axes[part]).collect();
        let rows = along(&along_axes, DIM, snr, true, seed);
        let traced = self.model.draw(&rows, &vec![1.0; rows.len()]);
        grouping.stand(&Draw::from(&traced)).expect("stands");
        let groups = grouping.group(&Draw::from(&traced)).expect("groups");
        let weights = numbers(groups.weights());
        for (weight, size) in weights.iter().zip(groups.sizes()) {
            assert_eq!(*weight > 0.0, *size > 0.0);
        }
        (
            groups.assignment().expect("hard groups").to_vec(),
            groups.identities().to_vec(),
            groups.churn().copied(),
        )
    }

    fn recovery(&self, grouping: &Landmarks) -> f64 {
        let known: Vec<Option<usize>> = self.known.iter().copied().map(Some).collect();
        adjusted_rand(grouping.found().expect("found"), &known).expect("several groups")
    }
}

fn changes(churn: Option<Churn>) -> (usize, usize) {
    churn.map_or((0, 0), |churn| (churn.births, churn.deaths))
}

#[test]
fn a_group_that_parts_is_split_and_its_parts_are_merged_again() {
    let parts = Parts::new(3);
    let mut grouping = landmarks(2, SplitMerge::default());
    // Parts 1 and 2 lie along one axis at first.
    let (_, identities, churn) = parts.show(&mut grouping, &[0, 1, 1], 6.0, 0);
    assert_eq!((identities, churn), (vec![0, 1], None));
    // Then they part. Twice that may be chance, the third time it is not.
    for seed in 1..3 {
        let (_, identities, churn) = parts.show(&mut grouping, &[0, 1, 2], 6.0, seed);
        assert_eq!((identities.len(), changes(churn)), (2, (0, 0)));
    }
    let (_, identities, churn) = parts.show(&mut grouping, &[0, 1, 2], 6.0, 3);
    assert_eq!(identities, [0, 1, 2]);
    assert_eq!(changes(churn), (1, 0));
    assert!((churn.expect("split").changed - 1.0 / 3.0).abs() < 1e-9);
    assert_eq!(parts.recovery(&grouping), 1.0);
    // They stay apart.
    for seed in 4..10 {
        let (_, identities, churn) = parts.show(&mut grouping, &[0, 1, 2], 6.0, seed);
        assert_eq!((identities.len(), changes(churn)), (3, (0, 0)));
    }
    // And join again, under the name of one of them.
    for seed in 10..12 {
        let (_, _, churn) = parts.show(&mut grouping, &[0, 1, 1], 6.0, seed);
        assert_eq!(changes(churn), (0, 0));
    }
    let (found, _, churn) = parts.show(&mut grouping, &[0, 1, 1], 6.0, 12);
    assert_eq!(changes(churn), (0, 1));
    let mut numbers: Vec<usize> = found.iter().flatten().copied().collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), 2);
    // A number that is free is used again, under a name that is new.
    for seed in 13..16 {
        parts.show(&mut grouping, &[0, 1, 2], 6.0, seed);
    }
    let (_, mut identities, _) = parts.show(&mut grouping, &[0, 1, 2], 6.0, 16);
    identities.sort_unstable();
    assert_eq!(identities.len(), 3);
    assert_eq!(identities[2], 3);
}

/// What changes to and fro faster than `patience`, and likenesses between the thresholds, change
/// nothing.
#[test]
fn nothing_flickers() {
    let parts = Parts::new(3);
    let mut grouping = landmarks(2, SplitMerge::default());
    for seed in 0..30 {
        let axes = if seed % 3 == 0 { [0, 1, 1] } else { [0, 1, 2] };
        let (_, identities, churn) = parts.show(&mut grouping, &axes, 6.0, seed);
        assert_eq!((identities.len(), changes(churn)), (2, (0, 0)), "{seed}");
    }
    // Parts at an angle of 45° have squared cosines of ½: neither apart nor alike.
    let model = Itself::new(DIM);
    let known: Vec<usize> = (0..60).map(|j| j % 2).collect();
    for groups in [1, 2] {
        let mut grouping = landmarks(groups, SplitMerge::default().with_patience(1).unwrap());
        for seed in 0..20 {
            let rows = along(&known, DIM, 30.0, true, seed);
            let turned: Vec<Vec<f32>> = rows
                .into_iter()
                .map(|mut row| {
                    row[0] += row[1];
                    row
                })
                .collect();
            let traced = model.draw(&turned, &[1.0; 60]);
            grouping.stand(&Draw::from(&traced)).expect("stands");
            let groups_now = grouping.group(&Draw::from(&traced)).expect("groups");
            assert_eq!(groups_now.num_groups(), groups, "seed {seed}");
        }
    }
}

/// One axis and noise, at several ratios, is never split; nor are groups merged that noise blurs.
#[test]
fn noise_neither_parts_nor_joins() {
    for snr in [0.5, 1.0, 3.0] {
        let parts = Parts::new(4);
        let rule = SplitMerge::default().with_patience(1).unwrap();
        let mut grouping = landmarks(4, rule);
        for seed in 0..12 {
            let (_, identities, churn) = parts.show(&mut grouping, &[0, 1, 2, 3], snr, seed);
            assert_eq!(
                (identities.len(), changes(churn)),
                (4, (0, 0)),
                "{snr}, {seed}"
            );
        }
    }
}

#[test]
fn limits_and_settings() {
    let parts = Parts::new(3);
    let now = || SplitMerge::default().with_patience(1).unwrap();
    for rule in [
        now().with_at_most(2).unwrap(),
        now().with_least_size(SIZE + 1).unwrap(),
    ] {
        let mut grouping = landmarks(2, rule);
        for seed in 0..5 {
            let axes = if seed == 0 { [0, 1, 1] } else { [0, 1, 2] };
            let (_, identities, _) = parts.show(&mut grouping, &axes, 6.0, seed);
            assert_eq!(identities.len(), 2);
        }
    }
    for (split, merge) in [(0.5, 0.5), (0.6, 0.5), (-0.1, 0.5), (f64::NAN, 1.0)] {
        let refused = SplitMerge::new(split, merge);
        assert!(matches!(refused, Err(GroupError::Hysteresis { .. })));
    }
}

#[test]
fn draws_that_hold_next_to_nothing() {
    let model = Itself::new(4);
    let rows = [
        vec![vec![1.0, 0.0, 0.0, 0.0]],
        vec![vec![0.0; 4]; 5],
        vec![vec![0.0, 1.0, 0.0, 0.0]; 40],
        (0..4)
            .map(|at| (0..4).map(|i| f32::from(u8::from(i == at))).collect())
            .collect(),
    ];
    for rows in rows {
        let traced = model.draw(&rows, &vec![1.0; rows.len()]);
        let spectral = Spectral::new(HowMany::Eigengap, 0);
        let rule = SplitMerge::default()
            .with_patience(1)
            .unwrap()
            .with_least_size(2)
            .unwrap();
        let mut grouping = landmarks(1, rule).with_spectral(spectral);
        for _ in 0..3 {
            grouping.stand(&Draw::from(&traced)).expect("defined");
            let groups = grouping.group(&Draw::from(&traced)).expect("defined");
            assert!(numbers(groups.membership()).iter().all(|m| m.is_finite()));
        }
    }
}
