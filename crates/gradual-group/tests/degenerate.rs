//! Every grouping on draws that hold next to nothing: a defined result or a named error.

mod common;

use burn::tensor::Tensor;
use common::{device, draw, numbers};
use gradual_grad::Metric;
use gradual_group::{
    Centroids, Damped, Draw, GroupError, Grouping, Groups, Hdbscan, HowMany, InMetric, KMeans,
    Labels, Landmarks, Membership, Priors, RandomGroups, Similarity, SingularVectors, Spectral,
    SphericalKMeans, Tracked,
};

/// Every grouping that looks at gradients, in every way of choosing a number; three groups where
/// one is given.
fn groupings() -> Vec<(String, Box<dyn Grouping>)> {
    let rules = [
        HowMany::Fixed(3),
        HowMany::Silhouette,
        HowMany::Gap,
        HowMany::Eigengap,
        HowMany::TestedEigengap,
        HowMany::ParticipationRatio,
        HowMany::EffectiveRank,
        HowMany::StableRank,
        HowMany::Energy(0.9),
        HowMany::SignFlip,
        HowMany::Stability,
    ];
    let mut all: Vec<(String, Box<dyn Grouping>)> = Vec::new();
    for rule in rules {
        let mut add = |name: &str, grouping: Box<dyn Grouping>| {
            all.push((format!("{name}, {}", rule.name()), grouping));
        };
        add("k-means", Box::new(KMeans::new(rule, 0)));
        let everywhere = KMeans::new(rule, 0).with_dimensions(usize::MAX);
        add("k-means in all directions", Box::new(everywhere));
        add("spherical", Box::new(SphericalKMeans::new(rule, 0)));
        let axes = SphericalKMeans::new(rule, 0).sign_free();
        add("diametrical", Box::new(axes));
        for similarity in [
            Similarity::Squared,
            Similarity::Absolute,
            Similarity::Angular,
        ] {
            let spectral = Spectral::new(rule, 0).with_similarity(similarity);
            add(&format!("spectral, {similarity:?}"), Box::new(spectral));
        }
        let merged = Spectral::new(rule, 0).with_least_size(3);
        add("spectral with a least size", Box::new(merged));
        add("tracked", Box::new(Tracked::new(Spectral::new(rule, 0))));
    }
    let singular = SingularVectors::squared;
    let mut add = |name: &str, grouping: Box<dyn Grouping>| all.push((name.to_owned(), grouping));
    add("singular vectors", Box::new(singular()));
    add("published", Box::<SingularVectors>::default());
    for directions in [2, usize::MAX] {
        let leading = SingularVectors::default().with_leading(directions);
        add("published, directions", Box::new(leading));
    }
    let absolute = singular()
        .with_power(2)
        .with_membership(Membership::Absolute);
    add("singular vectors, |α|", Box::new(absolute));
    add("leading", Box::new(singular().with_leading(2)));
    add("sketched", Box::new(singular().with_sketch(8, 1)));
    add("hdbscan", Box::new(Hdbscan::new(2)));
    let angular = Hdbscan::new(2).with_neighbours(1);
    let angular = angular.with_similarity(Similarity::Angular);
    add("hdbscan, angular", Box::new(angular));
    let plain = Metric::euclidean;
    for rule in [HowMany::Fixed(3), HowMany::Eigengap] {
        let mut add = |name: &str, grouping: Box<dyn Grouping>| {
            all.push((format!("{name}, {}", rule.name()), grouping));
        };
        let landmarks = || Landmarks::new(rule, plain(), 0);
        add("landmarks", Box::new(landmarks()));
        add("landmarks one by one", Box::new(landmarks().with_kept(2)));
        add("landmarks, two axes", Box::new(landmarks().with_axes(2, 2)));
        let centroids = || Centroids::new(rule, plain(), 0).with_sketch(64, 1);
        add("centroids", Box::new(centroids()));
        add("centroids by axis", Box::new(centroids().sign_free()));
        add("spectral centroids", Box::new(centroids().spectral()));
        let balanced = || plain().balanced(true);
        add(
            "k-means in a metric",
            Box::new(InMetric::new(balanced(), KMeans::new(rule, 0))),
        );
        add(
            "landmarks in a metric",
            Box::new(InMetric::new(balanced(), landmarks())),
        );
        add("damped", Box::new(Damped::new(Spectral::new(rule, 0))));
    }
    all
}

/// The groups of a draw, the same draw standing where examples are to stand.
fn group(grouping: &mut dyn Grouping, draw: &Draw<'_>) -> Result<Groups, GroupError> {
    if grouping.wants().is_some() {
        grouping.stand(draw)?;
    }
    grouping.group(draw)
}

/// Draws and their names.
fn draws() -> Vec<(&'static str, Vec<Vec<f32>>)> {
    let axis = |along: usize| {
        let mut row = vec![0.0; 6];
        row[along] = 1.0;
        row
    };
    let mut distinct = vec![vec![1.0, 2.0, 0.0, 0.0, 0.0, 0.0]; 4];
    distinct.extend(vec![vec![0.0, 0.0, 3.0, 0.0, 0.0, 0.0]; 4]);
    vec![
        ("one example", vec![axis(0)]),
        ("one zero gradient", vec![vec![0.0; 6]]),
        ("all zero", vec![vec![0.0; 6]; 7]),
        ("identical", vec![axis(1); 7]),
        (
            "opposite",
            vec![axis(0), axis(0).iter().map(|x| -x).collect()],
        ),
        ("two distinct gradients", distinct),
        ("equal singular values", (0..6).map(axis).collect()),
        (
            "as many as groups, two alike",
            vec![axis(0), axis(1), axis(1)],
        ),
        (
            "as many as groups, one zero",
            vec![axis(0), vec![0.0; 6], axis(1)],
        ),
        (
            "one gradient among zeros",
            vec![vec![0.0; 6], axis(2), vec![0.0; 6], vec![0.0; 6]],
        ),
        (
            "tiny",
            (0..5)
                .map(|j| axis(j).iter().map(|x| 1e-18 * x).collect())
                .collect(),
        ),
        (
            "huge",
            (0..5)
                .map(|j| axis(j).iter().map(|x| 1e15 * x).collect())
                .collect(),
        ),
    ]
}

fn finite(tensor: &[f32]) -> bool {
    tensor.iter().all(|value| value.is_finite())
}

#[test]
fn every_grouping_on_every_draw() {
    for (name, rows) in draws() {
        let n = rows.len();
        let traced = draw(&rows, &vec![1.0; n]);
        let draw = Draw::from(&traced);
        for (grouping_name, mut grouping) in groupings() {
            let place = format!("{grouping_name} on {name}");
            // Twice: what is kept from a degenerate draw must not spoil the next.
            for _ in 0..2 {
                let groups = match group(grouping.as_mut(), &draw) {
                    Ok(groups) => groups,
                    Err(GroupError::TooManyGroups {
                        groups: 3,
                        examples,
                        ..
                    }) if examples == n && n < 3 => continue,
                    Err(error) => panic!("{place}: {error}"),
                };
                check(&groups, &rows, &place);
            }
        }
    }
}

fn check(groups: &Groups, rows: &[Vec<f32>], place: &str) {
    let (k, n) = (groups.count(), rows.len());
    let membership = numbers(groups.membership());
    assert!(k > 0 && membership.len() == k * n, "{place}");
    assert!(finite(&membership), "{place}: {membership:?}");
    assert!(finite(&numbers(groups.weights())), "{place}");
    assert!(groups.spectrum().iter().all(|s| s.is_finite()), "{place}");
    for (estimator, said) in groups.estimates() {
        assert!(*said >= 1 && *said <= n, "{place}: {estimator} said {said}");
    }
    for (j, row) in rows.iter().enumerate() {
        let mass: f32 = (0..k).map(|g| membership[g * n + j].abs()).sum();
        let zero = row.iter().all(|&x| x == 0.0);
        assert_eq!(zero, mass == 0.0, "{place}: example {j} has mass {mass}");
    }
    let Some(assignment) = groups.assignment() else {
        return;
    };
    assert!(assignment.iter().flatten().all(|&g| g < k), "{place}");
    // Equal gradients are in one group, however many groups were asked for.
    for (a, x) in assignment.iter().zip(rows) {
        for (b, y) in assignment.iter().zip(rows) {
            assert!(x != y || a == b, "{place}: {assignment:?}");
        }
    }
    // Empty groups weigh nothing.
    let weights = numbers(groups.weights());
    for (size, weight) in groups.sizes().iter().zip(weights) {
        assert_eq!(*size > 0.0, weight > 0.0, "{place}");
    }
}

#[test]
fn what_is_not_a_number_is_named() {
    for bad in [f32::NAN, f32::INFINITY] {
        let rows = [
            vec![1.0, 0.0],
            vec![1.0, bad],
            vec![0.0, 1.0],
            vec![1.0, 1.0],
        ];
        let traced = draw(&rows, &[1.0; 4]);
        for (name, mut grouping) in groupings() {
            match group(grouping.as_mut(), &Draw::from(&traced)) {
                Err(GroupError::NotFinite { example: 1, .. }) => {}
                // A metric names the parameter.
                Err(GroupError::Gradients { source, .. }) if name.contains("in a metric") => {
                    assert!(
                        source.to_string().contains("not finite"),
                        "{name}: {source}"
                    );
                }
                other => panic!("{name}: {other:?}"),
            }
        }
    }
}

#[test]
fn draws_without_examples_or_gradients_are_named() {
    let losses = Tensor::<1>::zeros([2], &device());
    let empty = Tensor::<1>::zeros([0], &device());
    for (name, mut grouping) in groupings() {
        match group(grouping.as_mut(), &Draw::new(&losses)) {
            Err(GroupError::NoGradients { .. }) => {}
            other => panic!("{name}: {other:?}"),
        }
        match group(grouping.as_mut(), &Draw::new(&empty)) {
            Err(GroupError::EmptyDraw { .. }) => {}
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn numbers_of_groups_that_cannot_be_are_named() {
    let traced = draw(&[vec![1.0], vec![2.0]], &[1.0; 2]);
    let draw = Draw::from(&traced);
    let none: [Box<dyn Grouping>; 4] = [
        Box::new(KMeans::new(0, 0)),
        Box::new(SphericalKMeans::new(0, 0)),
        Box::new(Spectral::new(0, 0)),
        Box::new(Spectral::new(HowMany::Eigengap, 0).with_at_most(0)),
    ];
    for mut grouping in none {
        let error = grouping.group(&draw).unwrap_err();
        assert!(matches!(error, GroupError::NoGroups { .. }), "{error}");
    }
}

/// What is known before a run: more groups than a draw, or than the standing examples, can hold.
#[test]
fn more_groups_than_examples_are_known_before_the_first_draw() {
    let metric = Metric::euclidean;
    let by_draw: [Box<dyn Grouping>; 8] = [
        Box::new(KMeans::new(5, 0)),
        Box::new(SphericalKMeans::new(5, 0)),
        Box::new(Spectral::new(5, 0)),
        Box::new(InMetric::new(metric(), KMeans::new(5, 0))),
        Box::new(Tracked::new(KMeans::new(5, 0))),
        Box::new(Damped::new(KMeans::new(5, 0))),
        Box::new(Priors::new(KMeans::new(5, 0), vec![1.0; 5]).unwrap()),
        Box::new(
            Priors::new(Damped::new(Tracked::new(Spectral::new(5, 0))), vec![1.0; 5]).unwrap(),
        ),
    ];
    for grouping in by_draw {
        grouping.check(5).unwrap();
        let error = grouping.check(4).unwrap_err();
        assert!(
            matches!(
                error,
                GroupError::TooManyGroups {
                    groups: 5,
                    examples: 4,
                    ..
                }
            ),
            "{error}"
        );
    }
    // Draws join the groups of standing examples, however small they are.
    let landmarks = |examples| Landmarks::new(5, metric(), 0).with_examples(examples);
    let centroids = |examples| Centroids::new(5, metric(), 0).with_examples(examples);
    landmarks(5).check(1).unwrap();
    centroids(5).check(1).unwrap();
    assert!(landmarks(4).check(100).is_err() && centroids(4).check(100).is_err());
    // A rule finds as many as there are, and labels name what they name.
    KMeans::new(HowMany::Eigengap, 0).check(1).unwrap();
    Labels::new(200).check(1).unwrap();
    assert!(Labels::new(0).check(1).is_err() && RandomGroups::new(0, 0).check(1).is_err());
}

/// What can't be known before: groups that no distinct gradient is left for stay empty.
#[test]
fn groups_beyond_the_distinct_gradients_are_empty() {
    let axis = |along: usize| {
        let mut row = vec![0.0; 6];
        row[along] = 1.0;
        row
    };
    // Three directions among nine examples, one of which has no gradient.
    let mut rows: Vec<Vec<f32>> = (0..8).map(|j| axis(j % 3)).collect();
    rows.push(vec![0.0; 6]);
    let traced = draw(&rows, &[1.0; 9]);
    for groups in [5, 8, 9] {
        let found: [Box<dyn Grouping>; 6] = [
            Box::new(KMeans::new(groups, 0)),
            Box::new(SphericalKMeans::new(groups, 0)),
            Box::new(SphericalKMeans::new(groups, 0).sign_free()),
            Box::new(Spectral::new(groups, 0)),
            Box::new(Landmarks::new(groups, Metric::euclidean(), 0)),
            Box::new(Centroids::new(groups, Metric::euclidean(), 0)),
        ];
        for mut grouping in found {
            let groups_found = group(grouping.as_mut(), &Draw::from(&traced)).unwrap();
            assert_eq!(groups_found.count(), groups);
            let weights = numbers(groups_found.weights());
            assert_eq!(weights.iter().filter(|&&weight| weight == 1.0).count(), 3);
            assert_eq!(
                weights.iter().filter(|&&weight| weight == 0.0).count(),
                groups - 3
            );
            let mut sizes = groups_found.sizes().to_vec();
            sizes.sort_by(|a, b| b.total_cmp(a));
            assert_eq!(sizes[..4], [3.0, 3.0, 2.0, 0.0]);
        }
    }
}
