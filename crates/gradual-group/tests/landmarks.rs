//! Groups that are found once and stay.

use crate::common::{Itself, numbers, planted};
use gradual_grad::{Metric, Traced};
use gradual_group::{
    Average, Centroids, Damped, Draw, GroupError, Grouping, HowMany, InMetric, KMeans, Landmarks,
    Standing, Tracked, adjusted_rand,
};

const DIM: usize = 24;

/// Traces draws of one model, so that they can be compared.
struct Draws(Itself);

impl Draws {
    fn new() -> Self {
        Self(Itself::new(DIM))
    }

    fn of(&self, rows: &[Vec<f32>]) -> Traced {
        self.0.draw(rows, &vec![1.0; rows.len()])
    }

    fn planted(
        &self,
        groups: usize,
        size: usize,
        snr: f64,
        seed: u64,
    ) -> (Traced, Vec<Option<usize>>) {
        let (rows, labels) = planted(groups, size, DIM, snr, true, seed);
        (self.of(&rows), labels)
    }
}

fn landmarks(groups: impl Into<HowMany>) -> Landmarks {
    Landmarks::new(groups, Metric::euclidean(), 0)
        .with_examples(160)
        .unwrap()
}

/// What is known of examples gives the groups that their gradients give.
#[test]
fn groups_of_before_are_made_again() {
    let draws = Draws::new();
    let (standing, _) = draws.planted(4, 40, 4.0, 1);
    let (small, _) = draws.planted(4, 3, 4.0, 2);
    for average in [Average::Mean, Average::Sum] {
        let mut grouping = landmarks(4).with_average(average);
        assert!(grouping.is_lasting());
        let draw = Draw::from(&small);
        let error = grouping.regroup(&draw, vec![None; 12]).unwrap_err();
        assert!(matches!(error, GroupError::NoStanding { .. }), "{error}");
        grouping.stand(&Draw::from(&standing)).unwrap();
        let found = grouping.group(&draw).unwrap();
        let assignment = found.assignment().unwrap().to_vec();
        let again = grouping.regroup(&draw, assignment.clone()).unwrap();
        let (one, other) = (numbers(found.membership()), numbers(again.membership()));
        let pairs = one.iter().zip(&other);
        assert!(pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) < 1e-7);
        assert_eq!(again.assignment().unwrap(), assignment);
        assert_eq!(again.identities(), found.identities());
        assert_eq!(again.sizes(), found.sizes());
        assert_eq!(numbers(again.weights()), numbers(found.weights()));
        assert_eq!(again.spectrum(), found.spectrum());
        let error = grouping.regroup(&draw, vec![Some(4); 12]).unwrap_err();
        assert!(matches!(error, GroupError::LabelRange { .. }), "{error}");
    }
    assert!(!landmarks(4).with_refresh(0.5).unwrap().is_lasting());
    assert!(
        !landmarks(4)
            .with_split_merge(Default::default())
            .is_lasting()
    );
    // A wrapper may change what it is given, and k-means clusters each draw anew.
    let damped = Damped::new(landmarks(4));
    assert!(!damped.is_lasting());
    let error = damped.regroup(&Draw::from(&small), vec![None; 12]);
    assert!(matches!(error, Err(GroupError::Other { .. })));
    assert!(!KMeans::new(4, 0).is_lasting());
}

fn group(grouping: &mut impl Grouping, draw: &Traced) -> Vec<Option<usize>> {
    let groups = grouping.group(&Draw::from(draw)).expect("groups");
    groups.assignment().expect("hard groups").to_vec()
}

#[test]
fn small_draws_join_the_groups_of_a_large_one() {
    let draws = Draws::new();
    let (standing, known) = draws.planted(8, 20, 4.0, 1);
    let (small, labels) = draws.planted(8, 1, 4.0, 2);
    for mut grouping in [
        landmarks(HowMany::Eigengap),
        landmarks(HowMany::Eigengap).with_kept(usize::MAX).unwrap(),
        landmarks(HowMany::Eigengap).with_axes(2, 3).unwrap(),
    ] {
        grouping.stand(&Draw::from(&standing)).expect("a draw");
        let found = grouping.found().expect("groups were found");
        assert_eq!(adjusted_rand(found, &known), Some(1.0));
        // One example of each group: the same names as in the large draw.
        let found = group(&mut grouping, &small);
        let name = |label: usize| {
            let first = known.iter().position(|known| *known == Some(label));
            grouping.found().expect("found")[first.expect("20 of each")]
        };
        for (group, label) in found.iter().zip(&labels) {
            assert_eq!(*group, name(label.expect("a label")));
        }
    }
}

/// Σ_r (ĝ·a_r)² over all axes is the mean squared cosine to the landmarks.
#[test]
fn all_axes_are_all_landmarks() {
    let draws = Draws::new();
    let (standing, _) = draws.planted(4, 6, 0.3, 3);
    let mut plain = landmarks(4).with_kept(usize::MAX).unwrap();
    let mut axes = landmarks(4).with_axes(24, DIM).unwrap();
    for grouping in [&mut plain, &mut axes] {
        grouping.stand(&Draw::from(&standing)).expect("a draw");
    }
    for seed in 4..9 {
        let (draw, _) = draws.planted(4, 10, 0.3, seed);
        assert_eq!(group(&mut plain, &draw), group(&mut axes, &draw));
    }
}

#[test]
fn standing_examples_are_asked_for_again() {
    let draws = Draws::new();
    let (standing, _) = draws.planted(3, 5, 4.0, 1);
    let mut grouping = landmarks(3).with_every(2).unwrap();
    assert_eq!(grouping.wants(), Some(Standing::Fresh(160)));
    let error = grouping.group(&Draw::from(&standing)).unwrap_err();
    assert!(matches!(error, GroupError::NoStanding { .. }), "{error}");

    for _ in 0..2 {
        grouping.stand(&Draw::from(&standing)).expect("a draw");
        for _ in 0..2 {
            assert_eq!(grouping.wants(), None);
            group(&mut grouping, &standing);
        }
        assert_eq!(grouping.wants(), Some(Standing::Again));
    }
    // Others than those of before are refused, and those of before stay.
    let (other, _) = draws.planted(3, 4, 4.0, 1);
    let error = grouping.stand(&Draw::from(&other)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "landmarks: expected 15 standing examples, got 12"
    );
    grouping.stand(&Draw::from(&standing)).expect("a draw");
}

#[test]
fn landmarks_move_with_the_model() {
    let draws = Draws::new();
    let (before, labels) = draws.planted(3, 8, 9.0, 1);
    // Later the same examples have other gradients: each axis has become the next one.
    let (rows, _) = planted(3, 8, DIM, 9.0, true, 1);
    let turned: Vec<Vec<f32>> = rows
        .into_iter()
        .map(|mut row| {
            row.rotate_right(1);
            row
        })
        .collect();
    let after = draws.of(&turned);
    let mut grouping = landmarks(3);
    grouping.stand(&Draw::from(&before)).expect("a draw");
    let first = group(&mut grouping, &before);
    grouping.stand(&Draw::from(&after)).expect("a draw");
    assert_eq!(group(&mut grouping, &after), first);
    assert_eq!(adjusted_rand(&first, &labels), Some(1.0));
}

#[test]
fn draws_that_hold_next_to_nothing() {
    let draws = Draws::new();
    let axis = |along: usize| {
        let mut row = vec![0.0; DIM];
        row[along] = 1.0;
        row
    };
    let cases = [
        vec![axis(0)],
        vec![vec![0.0; DIM]; 5],
        vec![axis(1); 5],
        vec![axis(0), vec![0.0; DIM], axis(1)],
    ];
    for rows in cases {
        let draw = draws.of(&rows);
        for mut grouping in [
            landmarks(HowMany::Eigengap),
            landmarks(1).with_kept(3).unwrap(),
            landmarks(HowMany::Silhouette).with_axes(3, 2).unwrap(),
        ] {
            grouping
                .stand(&Draw::from(&draw))
                .expect("a defined result");
            let found = group(&mut grouping, &draw);
            for (row, group) in rows.iter().zip(found) {
                let zero = row.iter().all(|entry| *entry == 0.0);
                assert_eq!(group.is_none(), zero);
            }
        }
    }
    let mut rows = vec![axis(0), axis(1)];
    rows[1][3] = f32::NAN;
    let broken = draws.of(&rows);
    let error = landmarks(1).stand(&Draw::from(&broken)).unwrap_err();
    assert!(matches!(error, GroupError::NotFinite { .. }), "{error}");
}

#[test]
fn any_grouping_in_any_metric() {
    let draws = Draws::new();
    let (standing, known) = draws.planted(4, 12, 4.0, 1);
    let spectral = gradual_group::Spectral::new(HowMany::Eigengap, 0);
    let mut grouping = InMetric::new(Metric::euclidean().balanced(true), spectral);
    assert_eq!(grouping.wants(), None);
    let found = group(&mut grouping, &standing);
    assert_eq!(adjusted_rand(&found, &known), Some(1.0));
    let metric = Metric::whitened()
        .with_layers(&["nothing"])
        .expect("a glob");
    let mut grouping = InMetric::new(metric, gradual_group::KMeans::new(2, 0));
    let error = grouping.group(&Draw::from(&standing)).unwrap_err();
    let source = std::error::Error::source(&error).map(ToString::to_string);
    assert!(
        format!("{error} {source:?}").contains("nothing"),
        "{error} {source:?}"
    );
}

/// Standing examples are the first that a metric sees: it must observe them before it shows them. Unobserved it leaves
/// all parameters out, so that all cosines are 0 and every example is in no group.
#[test]
fn standing_examples_are_observed_before_they_are_shown() {
    let draws = Draws::new();
    let (standing, known) = draws.planted(8, 40, 40.0, 1);
    let (small, labels) = draws.planted(8, 2, 40.0, 2);
    let inner = || landmarks(HowMany::Eigengap).with_examples(320).unwrap();
    let centroids = || {
        let centroids = Centroids::new(HowMany::Eigengap, Metric::euclidean(), 0).spectral();
        centroids
            .with_examples(320)
            .unwrap()
            .with_sketch(256, 1)
            .unwrap()
    };
    let whitened = Metric::whitened;
    let mut groupings: [(&str, Box<dyn Grouping>); 4] = [
        ("landmarks", Box::new(InMetric::new(whitened(), inner()))),
        (
            "centroids",
            Box::new(InMetric::new(whitened(), centroids())),
        ),
        (
            "tracked landmarks",
            Box::new(InMetric::new(whitened(), Tracked::new(inner()))),
        ),
        (
            "damped landmarks",
            Box::new(Damped::new(InMetric::new(whitened(), inner()))),
        ),
    ];
    for (name, grouping) in &mut groupings {
        assert_eq!(grouping.wants(), Some(Standing::Fresh(320)), "{name}");
        grouping.stand(&Draw::from(&standing)).expect("a draw");
        for (draw, labels) in [(&standing, &known), (&small, &labels)] {
            let groups = grouping.group_ahead(&Draw::from(draw)).expect("groups");
            let found = groups.assignment().expect("hard groups");
            let rand = adjusted_rand(found, labels).expect("groups");
            assert!(rand > 0.9, "{name}: {rand}");
        }
    }
    // The metric is that of the standing examples, and of no draw that was refused.
    let mut direct = Landmarks::new(HowMany::Eigengap, Metric::whitened(), 0)
        .with_examples(320)
        .unwrap();
    direct.stand(&Draw::from(&standing)).expect("a draw");
    let mut around = InMetric::new(whitened(), inner());
    let mut rows = vec![vec![1.0; DIM]; 3];
    rows[1][2] = f32::NAN;
    let broken = draws.of(&rows);
    around.stand(&Draw::from(&broken)).unwrap_err();
    around.stand(&Draw::from(&standing)).expect("a draw");
    around.group(&Draw::from(&broken)).unwrap_err();
    assert_eq!(group(&mut around, &standing), group(&mut direct, &standing));
}

/// In no group an example would not be trained on: only one without any gradient is.
#[test]
fn examples_that_are_like_no_landmark_join_the_largest_group() {
    let draws = Draws::new();
    let axis = |at: usize| {
        let mut row = vec![0.0; DIM];
        row[at] = 1.0;
        row
    };
    let standing: Vec<_> = [0, 1, 1, 1, 2].map(axis).to_vec();
    let zero = vec![vec![0.0; DIM]; 5];
    let drawn = draws.of(&[axis(0), axis(1), axis(7), vec![0.0; DIM]]);
    let metric = Metric::euclidean;
    for grouping in [
        landmarks(3),
        landmarks(3).with_kept(9).unwrap(),
        landmarks(3).with_axes(2, 1).unwrap(),
    ] {
        let mut found = grouping.clone();
        found
            .stand(&Draw::from(&draws.of(&standing)))
            .expect("a draw");
        let groups = group(&mut found, &drawn);
        assert!(groups[0].is_some() && groups[0] != groups[1], "{groups:?}");
        assert_eq!(groups[2..], [groups[1], None]);
        // Where no standing example has a gradient, all others are one group.
        let mut nothing = grouping;
        nothing
            .stand(&Draw::from(&draws.of(&zero)))
            .expect("a draw");
        assert_eq!(
            group(&mut nothing, &drawn),
            [Some(0), Some(0), Some(0), None]
        );
    }
    for mut nothing in [
        Centroids::new(3, metric(), 0),
        Centroids::new(3, metric(), 0).sign_free(),
    ] {
        nothing
            .stand(&Draw::from(&draws.of(&zero)))
            .expect("a draw");
        for _ in 0..2 {
            assert_eq!(
                group(&mut nothing, &drawn),
                [Some(0), Some(0), Some(0), None]
            );
        }
    }
}
