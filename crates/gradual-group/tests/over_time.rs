//! Groups that are followed from draw to draw, and groups of density.

use crate::common::{Itself, draw, numbers, planted};
use gradual_group::{Draw, Grouping, Hdbscan, HowMany, Spectral, Tracked, adjusted_rand};

/// Rows of some of the planted groups only.
fn only(
    rows: &[Vec<f32>],
    labels: &[Option<usize>],
    wanted: &[usize],
) -> (Vec<Vec<f32>>, Vec<Option<usize>>) {
    let chosen = rows.iter().zip(labels);
    let chosen = chosen.filter(|(_, label)| label.is_some_and(|label| wanted.contains(&label)));
    chosen.map(|(row, label)| (row.clone(), *label)).unzip()
}

#[test]
fn groups_keep_their_numbers_through_other_draws() {
    let model = Itself::new(40);
    let mut tracked = Tracked::new(Spectral::new(HowMany::Eigengap, 0));
    let mut number_of: Option<Vec<usize>> = None;
    for seed in 0..4 {
        let (rows, labels) = planted(5, 20, 40, 4.0, true, seed);
        let traced = model.draw(&rows, &vec![1.0; rows.len()]);
        let groups = tracked.group(&Draw::from(&traced)).unwrap();
        let assignment = groups.assignment().unwrap();
        assert_eq!(adjusted_rand(assignment, &labels), Some(1.0), "seed {seed}");
        let numbers: Vec<usize> = (0..5).map(|label| assignment[label].unwrap()).collect();
        assert_eq!(groups.identities(), [0, 1, 2, 3, 4]);
        match &number_of {
            None => assert_eq!(groups.churn(), None),
            Some(before) => {
                assert_eq!(&numbers, before, "seed {seed}");
                let churn = groups.churn().unwrap();
                assert_eq!((churn.births, churn.deaths, churn.changed), (0, 0, 0.0));
                assert_eq!(churn.adjusted_rand, Some(1.0));
            }
        }
        number_of = Some(numbers);
    }
}

#[test]
fn births_and_deaths_are_counted() {
    let model = Itself::new(40);
    let mut tracked = Tracked::new(Spectral::new(HowMany::Eigengap, 0));
    let mut step = |wanted: &[usize], seed| {
        let (rows, labels) = planted(5, 20, 40, 4.0, true, seed);
        let (rows, labels) = only(&rows, &labels, wanted);
        let traced = model.draw(&rows, &vec![1.0; rows.len()]);
        let groups = tracked.group(&Draw::from(&traced)).unwrap();
        (groups, labels)
    };
    step(&[0, 1, 2], 0);
    // Group 2 is gone, groups 3 and 4 are new: one in its place, one in a new one.
    let (groups, labels) = step(&[0, 1, 3, 4], 1);
    let churn = groups.churn().unwrap();
    assert_eq!((churn.births, churn.deaths), (2, 1));
    assert_eq!(groups.num_groups(), 4);
    assert_eq!(
        groups
            .assignment()
            .map(|found| adjusted_rand(found, &labels)),
        Some(Some(1.0))
    );
    let mut identities = groups.identities().to_vec();
    identities.sort_unstable();
    assert_eq!(identities[2..], [3, 4], "new groups are no old ones");
    // Group means still divide by the group's size.
    let sums = numbers(&groups.membership().clone().sum_dim(1));
    assert!(sums.iter().all(|sum| (sum - 1.0).abs() < 1e-5), "{sums:?}");
}

#[test]
fn dense_groups_are_found_and_strays_left_out() {
    let (mut rows, mut labels) = planted(4, 25, 10, 30.0, true, 7);
    for along in 7..10 {
        let mut stray = vec![0.0; 10];
        stray[along] = 1.0;
        rows.push(stray);
        labels.push(None);
    }
    let traced = draw(&rows, &vec![1.0; rows.len()]);
    let groups = Hdbscan::new(5)
        .unwrap()
        .group(&Draw::from(&traced))
        .unwrap();
    assert_eq!(groups.num_groups(), 4);
    let assignment = groups.assignment().unwrap();
    assert_eq!(assignment[100..], [None; 3], "strays");
    assert!(adjusted_rand(assignment, &labels).unwrap() > 0.95);
    let kept = assignment.iter().flatten().count();
    assert!(kept > 80, "{kept} of 100");
}
