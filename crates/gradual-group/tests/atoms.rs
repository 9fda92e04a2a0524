//! Groups that overlap: sparse atoms.

use crate::common::{Itself, along, numbers, parallel};
use gradual_grad::{Metric, Traced};
use gradual_group::{Draw, GroupError, Grouping, Groups, Labels, SparseAtoms, Standing};

fn atoms(k: usize) -> SparseAtoms {
    SparseAtoms::new(k, Metric::euclidean(), 3).unwrap()
}

fn group(
    grouping: &mut SparseAtoms,
    standing: &Traced,
    rows: &[Vec<f32>],
    model: &Itself,
) -> Groups {
    if grouping.wants().is_some() {
        grouping.stand(&Draw::from(standing)).expect("stands");
    }
    let draw = model.draw(rows, &vec![1.0; rows.len()]);
    grouping.group(&Draw::from(&draw)).expect("groups")
}

/// How much of each example is in each group, `[k][n]`, before the mean is taken.
fn shares(groups: &Groups) -> Vec<Vec<f64>> {
    let n = groups.num_examples();
    let membership = numbers(groups.membership());
    let rows = membership.chunks(n).zip(groups.sizes());
    let of =
        |(row, size): (&[f32], &f64)| row.iter().map(|share| f64::from(*share) * size).collect();
    rows.map(of).collect()
}

/// Orthogonal groups of parallel gradients are the atoms, whatever their signs and lengths.
#[test]
fn orthogonal_groups_are_the_known_labels() {
    let model = Itself::new(4);
    let (rows, labels) = parallel(
        4,
        &[
            vec![1.0, -2.0, 3.0],
            vec![-1.0],
            vec![0.5, 0.5],
            vec![9.0, -1.0, 1.0, 1.0],
        ],
    );
    let traced = model.draw(&rows, &vec![1.0; rows.len()]);
    for sparsity in [1, 2] {
        let mut grouping = atoms(4).with_sparsity(sparsity).unwrap();
        let soft = group(&mut grouping, &traced, &rows, &model);
        let labels: Vec<Option<usize>> = labels.iter().copied().map(Some).collect();
        let hard = Labels::new(4)
            .group(&Draw::from(&traced).with_labels(&labels))
            .unwrap();
        let rows_of = |groups: &Groups| {
            let mut rows: Vec<Vec<i64>> = numbers(groups.membership())
                .chunks(rows.len())
                .map(|row| {
                    row.iter()
                        .map(|share| (share * 1e4).round() as i64)
                        .collect()
                })
                .collect();
            rows.sort();
            rows
        };
        assert_eq!(rows_of(&soft), rows_of(&hard));
        assert_eq!(numbers(soft.weights()), [1.0; 4]);
    }
}

/// An example of two capabilities belongs to both, by the squares of what it has of each; one of none to all alike.
#[test]
fn mixtures_belong_to_what_they_are_made_of() {
    let model = Itself::new(5);
    let (nodes, _) = parallel(5, &[vec![1.0; 5], vec![1.0; 5], vec![1.0; 5]]);
    let standing = model.draw(&nodes, &[1.0; 15]);
    let rows = vec![
        vec![1.0, 0.0, 0.0, 0.0, 0.0],
        vec![0.0, 2.0, 0.0, 0.0, 0.0],
        vec![0.0, 0.0, -1.0, 0.0, 0.0],
        vec![1.0, -1.0, 0.0, 0.0, 0.0],
        vec![0.0, 2.0, 1.0, 0.0, 0.0],
        vec![0.0, 0.0, 0.0, 4.0, 0.0],
        vec![0.0; 5],
    ];
    let mut grouping = atoms(3);
    let found = shares(&group(&mut grouping, &standing, &rows, &model));
    // The names of the atoms, from the examples of one alone.
    let named = |example: usize| (0..3).find(|&atom| found[atom][example] > 0.5).unwrap();
    let names = [named(0), named(1), named(2)];
    let third = 1.0 / 3.0;
    let expected = [
        [1.0, 0.0, 0.0],
        [0.0, 1.0, 0.0],
        [0.0, 0.0, 1.0],
        [0.5, 0.5, 0.0],
        [0.0, 0.8, 0.2],
        [third; 3],
        [0.0; 3],
    ];
    for (example, expected) in expected.iter().enumerate() {
        for (name, expected) in names.iter().zip(expected) {
            let share = found[*name][example];
            assert!(
                (share - expected).abs() < 1e-4,
                "example {example}: {share}, not {expected}"
            );
        }
    }
}

#[test]
fn planted_groups_are_found_in_noise() {
    let model = Itself::new(30);
    let axes: Vec<usize> = (0..200).map(|j| j % 4).collect();
    let standing = model.draw(&along(&axes, 30, 2.0, true, 1), &[1.0; 200]);
    let mut grouping = atoms(4).with_sparsity(1).unwrap();
    let found = shares(&group(
        &mut grouping,
        &standing,
        &along(&axes[..80], 30, 2.0, true, 2),
        &model,
    ));
    // Atom by atom the most frequent axis among its examples.
    let right: f64 = found
        .iter()
        .map(|row| {
            let of = |axis: usize| {
                (0..80)
                    .filter(|j| axes[*j] == axis)
                    .map(|j| row[j])
                    .sum::<f64>()
            };
            (0..4).map(of).fold(0.0, f64::max)
        })
        .sum();
    assert!(right > 72.0, "{right} of 80");
}

#[test]
fn atoms_move_with_the_standing_examples() {
    let model = Itself::new(6);
    let (nodes, _) = parallel(6, &[vec![1.0; 4], vec![1.0; 4], vec![1.0; 4]]);
    let mut grouping = atoms(3).with_examples(12).unwrap().with_every(1).unwrap();
    assert_eq!(grouping.wants(), Some(Standing::Fresh(12)));
    let error = grouping
        .group(&Draw::from(&model.draw(&nodes, &[1.0; 12])))
        .unwrap_err();
    assert!(matches!(error, GroupError::NoStanding { .. }), "{error}");
    let standing = model.draw(&nodes, &[1.0; 12]);
    let before = shares(&group(&mut grouping, &standing, &nodes, &model));
    assert_eq!(grouping.wants(), Some(Standing::Again));
    // The same examples three axes further.
    let moved: Vec<Vec<f32>> = nodes
        .iter()
        .map(|row| [&row[3..], &row[..3]].concat())
        .collect();
    let after = shares(&group(
        &mut grouping,
        &model.draw(&moved, &[1.0; 12]),
        &moved,
        &model,
    ));
    for (one, other) in before.concat().iter().zip(after.concat()) {
        assert!((one - other).abs() < 1e-4);
    }
    grouping.group(&Draw::from(&standing)).unwrap();
    let error = grouping
        .stand(&Draw::from(&model.draw(&nodes[..5], &[1.0; 5])))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "sparse atoms: expected 12 standing examples, got 5"
    );
}

#[test]
fn bad_settings_are_named() {
    let none = SparseAtoms::new(0, Metric::euclidean(), 0).unwrap_err();
    assert_eq!(
        none.to_string(),
        "sparse atoms: the number of atoms must be at least 1, got 0"
    );
    // Not more than there are standing examples, and not so many that their products don't fit.
    let error = atoms(20).with_examples(12).unwrap().check(64).unwrap_err();
    assert!(
        matches!(error, GroupError::TooFewStanding { .. }),
        "{error}"
    );
    let nodes = vec![vec![1.0, 0.0]; 3];
    let few = Itself::new(2).draw(&nodes, &[1.0; 3]);
    let error = atoms(4).stand(&Draw::from(&few)).unwrap_err();
    assert!(
        matches!(error, GroupError::TooFewStanding { .. }),
        "{error}"
    );
    for (refused, what) in [
        (atoms(2).with_sparsity(0), "the sparsity"),
        (atoms(2).with_rounds(0), "the number of rounds"),
        (atoms(2).with_directions(0), "the number of directions"),
        (atoms(2).with_examples(0), "the number of examples"),
    ] {
        let said = refused.unwrap_err().to_string();
        assert_eq!(
            said,
            format!("sparse atoms: {what} must be at least 1, got 0")
        );
    }
}
