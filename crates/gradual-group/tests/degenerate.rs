//! Every grouping on draws that hold next to nothing: a defined result or a named error.

use crate::common::entries::{self, by_default, context, variations};
use crate::common::{device, draw, numbers};
use burn::tensor::Tensor;
use gradual_grad::Metric;
use gradual_group::registry::{GROUPINGS, WRAPPERS};
use gradual_group::{
    Centroids, Damped, Draw, GroupError, Grouping, Groups, HowMany, KMeans, Labels, Landmarks,
    Needs, Priors, RandomGroups, Spectral, SphericalKMeans, Tracked,
};
use gradual_registry::{Entry, Spec, Value};

const GROUPS: usize = 3;

/// Every grouping of the registry that looks at gradients, in every way of choosing a number and with each of its other
/// settings; three groups where one is given. And the same in a metric, and in every wrapper.
fn groupings() -> Vec<(String, Box<dyn Grouping>)> {
    let mut all: Vec<(String, Box<dyn Grouping>)> = Vec::new();
    let mut add = |name: String, grouping: Box<dyn Grouping>| {
        if grouping.needs() == Needs::Gradients {
            all.push((name, grouping));
        }
    };
    let balanced = || Some(Metric::euclidean().balanced(true));
    let plain = context(GROUPS, None);
    for entry in GROUPINGS.iter() {
        // A high power of tiny singular values is out of range, which is an error.
        for spec in variations(entry, GROUPS, &["k", "power"]) {
            for spec in numbers_of_groups(entry, &spec) {
                add(spec.to_string(), entries::grouping(&spec, plain.clone()));
            }
        }
        let spec = by_default(entry, GROUPS);
        if !entries::grouping(&spec, plain.clone()).needs().gradients() {
            continue;
        }
        let in_a_metric = entries::grouping(&spec, context(GROUPS, balanced()));
        add(format!("{spec} in a metric"), in_a_metric);
        // Three groups, so that priors are one for each.
        if !entries::has(entry, "k") {
            continue;
        }
        let three = spec.with("k", Value::Count(GROUPS as u64));
        for wrapper in WRAPPERS.iter() {
            let spec = by_default(wrapper, GROUPS);
            let inner = entries::grouping(&three, plain.clone());
            let name = format!("{spec} around {three}");
            add(name, entries::wrapped(&spec, plain.clone(), inner));
        }
    }
    for spec in [
        "singular-vectors(membership = squared, power = 1)",
        "singular-vectors(membership = squared, power = 0, leading = 2, sketch = 8)",
        "landmarks(axes = 2, rank = 2)",
        "centroids(clusters = spectral, sketch = 64)",
    ] {
        let parsed = spec.parse().expect("a spec");
        add(spec.to_owned(), entries::grouping(&parsed, plain.clone()));
    }
    all
}

/// A spec with three groups, and with every rule for their number.
fn numbers_of_groups<C, T>(entry: &Entry<C, T>, spec: &Spec) -> Vec<Spec> {
    let Some(k) = entry.parameters.iter().find(|each| each.name == "k") else {
        return vec![spec.clone()];
    };
    let rules = k.words().iter().map(|&rule| Value::Word(rule.to_owned()));
    // Only a rule takes the most that it may find.
    let fits = |spec: &Spec| GROUPINGS.resolve(spec).is_ok();
    let all = rules.map(|rule| spec.clone().with("k", rule));
    all.filter(fits).collect()
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
                    Err(
                        GroupError::TooManyGroups {
                            groups: 3,
                            examples,
                            ..
                        }
                        | GroupError::TooFewStanding {
                            groups: 3,
                            examples,
                            ..
                        },
                    ) if examples == n && n < 3 => continue,
                    Err(error) => panic!("{place}: {error}"),
                };
                check(&groups, &rows, &place);
            }
        }
    }
}

fn check(groups: &Groups, rows: &[Vec<f32>], place: &str) {
    let (k, n) = (groups.num_groups(), rows.len());
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
    let none: [Box<dyn Grouping>; 3] = [
        Box::new(KMeans::new(0, 0)),
        Box::new(SphericalKMeans::new(0, 0)),
        Box::new(Spectral::new(0, 0)),
    ];
    for mut grouping in none {
        let error = grouping.group(&draw).unwrap_err();
        assert!(matches!(error, GroupError::NoGroups { .. }), "{error}");
    }
}

/// What is known before a run: more groups than a draw, or than the standing examples, can hold.
#[test]
fn more_groups_than_examples_are_known_before_the_first_draw() {
    let five = |spec: Spec| spec.with("k", Value::Count(5));
    let too_many = |grouping: &dyn Grouping, examples: usize| match grouping.check(examples) {
        Err(
            GroupError::TooManyGroups { groups: 5, .. }
            | GroupError::TooFewStanding { groups: 5, .. },
        ) => true,
        // Wrappers that know groups by their numbers have another reason.
        Ok(()) | Err(GroupError::Anew { .. } | GroupError::PriorsOfUnknown { .. }) => false,
        Err(error) => panic!("{error}"),
    };
    let plain = context(GROUPS, None);
    let mut by_draw = 0;
    for entry in GROUPINGS.iter().filter(|entry| entries::has(entry, "k")) {
        let spec = five(by_default(entry, 5));
        let build = |spec: &Spec| entries::grouping(spec, plain.clone());
        let grouping = build(&spec);
        if grouping.needs().labels() || entry.name == "random" {
            // Labels name what they name, and random groups may be empty.
            assert!(!too_many(&*grouping, 1), "{spec}");
            continue;
        }
        if entries::has(entry, "examples") {
            // Draws join the groups of standing examples, however small they are.
            let standing = |examples| build(&spec.clone().with("examples", Value::Count(examples)));
            assert!(!too_many(&*standing(5), 1), "{spec}");
            assert!(too_many(&*standing(4), 100), "{spec}");
            continue;
        }
        by_draw += 1;
        let in_a_metric = context(GROUPS, Some(Metric::euclidean()));
        let wrapped = WRAPPERS.iter().map(|wrapper| {
            let wrapper = by_default(wrapper, 5);
            entries::wrapped(&wrapper, plain.clone(), build(&spec))
        });
        let alone = [build(&spec), entries::grouping(&spec, in_a_metric)];
        for grouping in alone.into_iter().chain(wrapped) {
            assert!(
                !too_many(&*grouping, 5) && too_many(&*grouping, 4),
                "{spec}"
            );
        }
    }
    assert!(by_draw >= 3, "{by_draw}");
    let twice = Damped::new(Tracked::new(Spectral::new(5, 0)));
    let twice = Priors::new(twice, vec![1.0; 5]).unwrap();
    assert!(!too_many(&twice, 5) && too_many(&twice, 4));
    // A rule finds as many as there are.
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
            assert_eq!(groups_found.num_groups(), groups);
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
