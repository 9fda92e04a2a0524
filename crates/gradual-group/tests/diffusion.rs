//! Soft groups without a number: against known labels, a plain twin, and what must not matter.

use crate::common::{Itself, along, device, numbers, parallel};
use burn::tensor::{Tensor, TensorData};
use faer::{Mat, Side};
use gradual_grad::{Metric, Traced};
use gradual_group::{
    Diffusion, Draw, GroupError, Grouping, Groups, InMetric, Labels, Standing, weight_mass_slope,
};
use proptest::prelude::*;

fn losses(n: usize) -> Vec<f32> {
    (0..n).map(|j| 0.5 + 0.1 * (j % 7) as f32).collect()
}

/// c = ∂/∂ℓ Σ_g s_g (Mℓ)_g², in double precision.
fn coefficients(groups: &Groups, losses: &[f32]) -> Vec<f64> {
    let membership = numbers(groups.membership());
    let mut coefficients = vec![0.0; losses.len()];
    for (row, weight) in membership
        .chunks(losses.len())
        .zip(numbers(groups.weights()))
    {
        let pairs = row.iter().zip(losses);
        let loss: f64 = pairs.map(|(m, l)| f64::from(*m) * f64::from(*l)).sum();
        for (coefficient, share) in coefficients.iter_mut().zip(row) {
            *coefficient += 2.0 * f64::from(weight) * loss * f64::from(*share);
        }
    }
    coefficients
}

fn close(one: &[f64], other: &[f64], tolerance: f64, what: &str) {
    assert_eq!(one.len(), other.len());
    for (example, (one, other)) in one.iter().zip(other).enumerate() {
        assert!(
            (one - other).abs() <= tolerance,
            "{what}: {one} and {other} of example {example}"
        );
    }
}

/// The sum of the weights: a soft number of groups.
fn number(groups: &Groups) -> f64 {
    numbers(groups.weights())
        .iter()
        .map(|&w| f64::from(w))
        .sum()
}

/// Groups of `draw`, after `standing` where standing examples are wanted.
fn group(grouping: &mut Diffusion, standing: &Traced, draw: &Traced) -> Groups {
    if grouping.wants().is_some() {
        grouping.stand(&Draw::from(standing)).expect("stands");
    }
    grouping.group(&Draw::from(draw)).expect("groups")
}

/// Of standing examples and of the draw itself.
fn both(diffusion: &Diffusion) -> [(&'static str, Diffusion); 2] {
    [
        ("standing", diffusion.clone()),
        ("in the draw", diffusion.clone().in_the_draw()),
    ]
}

/// Orthogonal groups of parallel gradients of any signs, lengths and sizes, one of a single example.
#[test]
fn orthogonal_groups_are_the_known_labels() {
    let lengths = vec![
        vec![1.0, -2.0, 0.5, 3.0, -1.0, 1.0, 1.0, 2.0],
        vec![4.0, -0.1, 1.0],
        vec![7.0],
        vec![-1.0, 1.0, 2.0, -2.0, 1.0],
    ];
    let (rows, labels) = parallel(4, &lengths);
    let losses = losses(rows.len());
    let model = Itself::new(4);
    let traced = model.draw(&rows, &losses);
    let labels: Vec<Option<usize>> = labels.into_iter().map(Some).collect();
    let hard = Labels::new(4)
        .group(&Draw::from(&traced).with_labels(&labels))
        .unwrap();
    let known = coefficients(&hard, &losses);
    for time in [1.0, 2.5, 16.0] {
        // All in a group are neighbours.
        let diffusion = Diffusion::new().with_time(time).unwrap();
        let diffusion = diffusion.with_neighbours(7).unwrap();
        for (mode, mut diffusion) in both(&diffusion) {
            let soft = group(&mut diffusion, &traced, &traced);
            let what = format!("{mode}, T = {time}");
            // Squares are of a third of the draw at most, so that this is rounding.
            close(&coefficients(&soft, &losses), &known, 1e-5, &what);
            assert!((number(&soft) - 4.0).abs() < 1e-5, "{what}");
            assert_eq!(soft.num_groups(), rows.len());
        }
    }
}

/// The kernel by distributions: every similarity, walk and cosine in plain loops, but for the eigenvalues below zero.
struct Twin {
    neighbours: usize,
    density: f64,
    time: usize,
    power: f64,
}

impl Twin {
    /// Squared cosines of `rows` with `nodes`.
    fn similarities(rows: &[Vec<f32>], nodes: &[Vec<f32>]) -> Vec<Vec<f64>> {
        let product = |a: &[f32], b: &[f32]| -> f64 {
            a.iter()
                .zip(b)
                .map(|(a, b)| f64::from(*a) * f64::from(*b))
                .sum()
        };
        let squared =
            |a: &Vec<f32>, b: &Vec<f32>| product(a, b).powi(2) / product(a, a) / product(b, b);
        rows.iter()
            .map(|a| nodes.iter().map(|b| squared(a, b)).collect())
            .collect()
    }

    fn coefficients(
        &self,
        rows: &[Vec<f32>],
        nodes: &[Vec<f32>],
        own: bool,
        losses: &[f32],
    ) -> Vec<f64> {
        let (n, m) = (rows.len(), nodes.len());
        let between = Self::similarities(nodes, nodes);
        let mut edge = vec![vec![false; m]; m];
        for l in 0..m {
            let mut others: Vec<usize> = (0..m).filter(|&k| k != l).collect();
            others.sort_by(|&a, &b| between[l][b].total_cmp(&between[l][a]));
            for &k in others.iter().take(self.neighbours) {
                edge[l][k] = true;
                edge[k][l] = true;
            }
        }
        let weight = |l: usize, k: usize| if edge[l][k] { between[l][k] } else { 0.0 };
        let density: Vec<f64> = (0..m)
            .map(|l| (0..m).map(|k| weight(l, k)).sum::<f64>().powf(self.density))
            .collect();
        let corrected = |l: usize, k: usize| weight(l, k) / density[l] / density[k];
        let degree: Vec<f64> = (0..m)
            .map(|l| (0..m).map(|k| corrected(l, k)).sum())
            .collect();
        let total: f64 = degree.iter().sum();
        // The symmetric form of the walk, without what goes to and fro and without the constant direction.
        let share = |l: usize| (degree[l] / total).sqrt();
        let symmetric = Mat::from_fn(m, m, |l, k| {
            corrected(l, k) / (degree[l] * degree[k]).sqrt() - share(l) * share(k)
        });
        let eigen = symmetric.self_adjoint_eigen(Side::Lower).unwrap();
        let mut forth = vec![vec![0.0; m]; m];
        for (i, &value) in eigen.S().column_vector().iter().enumerate() {
            for (l, row) in forth.iter_mut().enumerate() {
                for (k, entry) in row.iter_mut().enumerate() {
                    let kept = if value > 1e-9 {
                        [value, 1.0]
                    } else {
                        [0.0, 0.0]
                    };
                    *entry +=
                        kept[usize::from(self.time == 1)] * eigen.U()[(l, i)] * eigen.U()[(k, i)];
                }
            }
        }
        // Where a walk from each example is after T steps, as p / √π.
        let mut reached = Self::similarities(rows, nodes);
        for (j, row) in reached.iter_mut().enumerate() {
            if own {
                row[j] = 0.0;
            }
            row.iter_mut().zip(&density).for_each(|(s, q)| *s /= q);
            let sum: f64 = row.iter().sum();
            for (l, s) in row.iter_mut().enumerate() {
                *s /= sum * share(l);
            }
            for _ in 0..(self.time - 1).max(1) {
                let step = |k: usize| -> f64 { (0..m).map(|l| row[l] * forth[l][k]).sum() };
                *row = (0..m).map(step).collect();
            }
        }
        let product =
            |a: usize, b: usize| -> f64 { (0..m).map(|l| reached[a][l] * reached[b][l]).sum() };
        let kernel = |a: usize, b: usize| match a == b {
            true => 1.0,
            false => (product(a, b) / (product(a, a) * product(b, b)).sqrt())
                .max(0.0)
                .powf(self.power),
        };
        let kernel: Vec<Vec<f64>> = (0..n)
            .map(|a| (0..n).map(|b| kernel(a, b)).collect())
            .collect();
        let sums: Vec<f64> = kernel.iter().map(|row| row.iter().sum()).collect();
        let mut coefficients = vec![0.0; n];
        for (row, d) in kernel.iter().zip(&sums) {
            let loss: f64 = row
                .iter()
                .zip(losses)
                .map(|(k, l)| k / d * f64::from(*l))
                .sum();
            for (coefficient, k) in coefficients.iter_mut().zip(row) {
                *coefficient += 2.0 / d * loss * k / d;
            }
        }
        coefficients
    }
}

#[test]
fn the_map_is_that_of_plain_walks() {
    let axes: Vec<usize> = (0..30).map(|j| [0, 0, 0, 1, 1, 2][j % 6]).collect();
    let (nodes, rows) = (
        along(&axes, 12, 2.0, true, 1),
        along(&axes[..18], 12, 2.0, true, 2),
    );
    let model = Itself::new(12);
    let held = losses(rows.len());
    let (standing, draw) = (model.draw(&nodes, &losses(30)), model.draw(&rows, &held));
    for (neighbours, density, time, power) in [
        (4, 1.0, 1, 2.0),
        (4, 1.0, 3, 2.0),
        (7, 0.0, 2, 1.0),
        (3, 0.5, 6, 3.0),
    ] {
        let twin = Twin {
            neighbours,
            density,
            time,
            power,
        };
        let settings = Diffusion::new().with_neighbours(neighbours).unwrap();
        let settings = settings
            .with_density(density)
            .unwrap()
            .with_time(time as f64)
            .unwrap();
        let settings = settings.with_power(power).unwrap();
        for (mode, mut diffusion) in both(&settings) {
            let found = coefficients(&group(&mut diffusion, &standing, &draw), &held);
            let plain = match mode {
                "standing" => twin.coefficients(&rows, &nodes, false, &held),
                _ => twin.coefficients(&rows, &rows, true, &held),
            };
            close(
                &found,
                &plain,
                2e-4,
                &format!("{mode}, {neighbours} {density} {time} {power}"),
            );
        }
    }
}

/// Frequencies 8 : 4 : 2 : 1. Neither their number nor a scale is told.
#[test]
fn the_time_is_chosen_and_rare_groups_weigh_as_much() {
    let frequency = [8.0f64, 4.0, 2.0, 1.0];
    let label = |j: usize| [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3][j % 15];
    let axes = |n: usize| (0..n).map(label).collect::<Vec<usize>>();
    let (nodes, rows) = (axes(300), axes(300));
    let model = Itself::new(40);
    let standing = model.draw(&along(&nodes, 40, 1.0, true, 3), &losses(300));
    let draw = model.draw(&along(&rows, 40, 1.0, true, 4), &[1.0; 300]);
    for (mode, mut diffusion) in both(&Diffusion::new()) {
        let groups = group(&mut diffusion, &standing, &draw);
        let mut mass = [0.0; 4];
        for (label, c) in rows.iter().zip(coefficients(&groups, &[1.0; 300])) {
            mass[*label] += c;
        }
        let slope = weight_mass_slope(&mass, &frequency).unwrap();
        assert!(slope.abs() < 0.25, "{mode}: {slope}, {mass:?}");
        assert!(
            (3.0..6.0).contains(&number(&groups)),
            "{mode}: {}",
            number(&groups)
        );
        assert!(
            diffusion.time().is_some() && diffusion.stability().unwrap() > 0.7,
            "{mode}"
        );
    }
}

/// Where halves find nothing in common, all examples are one group.
#[test]
fn without_stable_groups_all_are_one() {
    let model = Itself::new(60);
    let held = losses(40);
    for (what, snr, axes) in [("noise", 1e-6, 40), ("one direction", 1e6, 1)] {
        let of = |n: usize| (0..n).map(|j| j % axes).collect::<Vec<usize>>();
        let standing = model.draw(&along(&of(200), 60, snr, true, 5), &losses(200));
        let draw = model.draw(&along(&of(40), 60, snr, true, 6), &held);
        for (mode, mut diffusion) in both(&Diffusion::new()) {
            let groups = group(&mut diffusion, &standing, &draw);
            let c = coefficients(&groups, &held);
            close(&c, &[c[0]; 40], 1e-6, &format!("{what}, {mode}"));
            assert!((number(&groups) - 1.0).abs() < 1e-5, "{what}, {mode}");
            assert_eq!(diffusion.time(), None, "{what}, {mode}");
        }
    }
}

#[test]
fn strangers_are_alone_and_zero_gradients_in_no_group() {
    let model = Itself::new(5);
    let (nodes, _) = parallel(5, &[vec![1.0; 6], vec![1.0; 6]]);
    let standing = model.draw(&nodes, &losses(12));
    let rows = vec![
        vec![1.0, 0.0, 0.0, 0.0, 0.0],
        vec![-3.0, 0.0, 0.0, 0.0, 0.0],
        vec![0.0, 0.0, 1.0, 0.0, 0.0],
        vec![0.0; 5],
        vec![0.0, 0.0, 0.0, 2.0, 0.0],
    ];
    let mut diffusion = Diffusion::new().with_time(2.0).unwrap();
    let groups = group(&mut diffusion, &standing, &model.draw(&rows, &[1.0; 5]));
    close(
        &coefficients(&groups, &[1.0; 5]),
        &[1.0, 1.0, 2.0, 0.0, 2.0],
        1e-5,
        "by hand",
    );
    assert_eq!(numbers(groups.weights())[3], 0.0);
    assert_eq!(groups.sizes()[3], 0.0);
}

#[test]
fn standing_examples_keep_their_places() {
    let model = Itself::new(20);
    let axes: Vec<usize> = (0..60).map(|j| j % 3).collect();
    let standing = model.draw(&along(&axes, 20, 3.0, true, 7), &losses(60));
    // The same examples under another model: their groups are no longer to be seen.
    let lost = model.draw(&along(&[5; 60], 20, 3.0, true, 8), &losses(60));
    let draw = model.draw(&along(&axes[..30], 20, 3.0, true, 9), &losses(30));
    let settings = Diffusion::new()
        .with_examples(60)
        .unwrap()
        .with_every(2)
        .unwrap();
    for rebuild in [false, true] {
        let mut diffusion = settings.clone().with_rebuilding(rebuild);
        assert_eq!(diffusion.wants(), Some(Standing::Fresh(60)));
        let error = diffusion.group(&Draw::from(&draw)).unwrap_err();
        assert!(matches!(error, GroupError::NoStanding { .. }), "{error}");
        diffusion.stand(&Draw::from(&standing)).unwrap();
        let (time, first) = (diffusion.time(), group(&mut diffusion, &standing, &draw));
        assert!((number(&first) - 3.0).abs() < 0.5, "{}", number(&first));
        assert_eq!(diffusion.wants(), None);
        group(&mut diffusion, &standing, &draw);
        assert_eq!(diffusion.wants(), Some(Standing::Again));
        let error = diffusion.stand(&Draw::from(&draw)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "diffusion: expected 60 standing examples, got 30"
        );
        diffusion.stand(&Draw::from(&lost)).unwrap();
        match rebuild {
            true => assert_eq!(diffusion.time(), None),
            false => assert_eq!(diffusion.time(), time),
        }
        diffusion.stand(&Draw::from(&standing)).unwrap();
        let again = diffusion.group(&Draw::from(&draw)).unwrap();
        assert_eq!(
            numbers(again.membership()),
            numbers(first.membership()),
            "{rebuild}"
        );
    }
}

/// What all have in common hides the groups, and whitening shows them.
#[test]
fn a_metric_is_looked_through() {
    let model = Itself::new(5);
    let hidden = |axes: &[usize], seed| -> Vec<Vec<f32>> {
        let mut rows = along(axes, 5, 6.0, true, seed);
        rows.iter_mut().for_each(|row| row[4] += 30.0);
        rows
    };
    let axes: Vec<usize> = (0..80).map(|j| j % 4).collect();
    let standing = model.draw(&hidden(&axes, 11), &losses(80));
    let draw = model.draw(&hidden(&axes, 12), &losses(80));
    for (mode, plain) in both(&Diffusion::new()) {
        let mut whitened = plain.clone().with_metric(Metric::whitened());
        let found = number(&group(&mut whitened, &standing, &draw));
        assert!((3.5..12.0).contains(&found), "{mode}: {found}");
        let raw = number(&group(&mut plain.clone(), &standing, &draw));
        assert!(raw < 3.0, "{mode}: {raw}");
        // The metric around it is that in it.
        if mode == "in the draw" {
            let mut around = InMetric::new(Metric::whitened(), plain);
            let mut within = Diffusion::new()
                .in_the_draw()
                .with_metric(Metric::whitened());
            let (one, other) = (
                around.group(&Draw::from(&draw)).unwrap(),
                within.group(&Draw::from(&draw)).unwrap(),
            );
            assert_eq!(numbers(one.membership()), numbers(other.membership()));
        }
    }
}

#[test]
fn inner_products_alone_are_enough_in_the_draw() {
    let axes: Vec<usize> = (0..40).map(|j| j % 4).collect();
    let traced = crate::common::draw(&along(&axes, 30, 4.0, true, 13), &losses(40));
    let gram = traced.gradients.gram();
    let alone = Draw::new(&traced.losses).with_gram(&gram);
    let mut diffusion = Diffusion::new().in_the_draw();
    let one = diffusion.clone().group(&Draw::from(&traced)).unwrap();
    let other = diffusion.group(&alone).unwrap();
    assert_eq!(numbers(one.membership()), numbers(other.membership()));
    let mut standing = Diffusion::new();
    standing.stand(&Draw::from(&traced)).unwrap();
    let error = standing.group(&alone).unwrap_err();
    assert!(
        matches!(error, GroupError::InnerProductsAlone { .. }),
        "{error}"
    );
}

#[test]
fn bad_settings_and_gradients_are_named() {
    let new = Diffusion::new;
    for (refused, message) in [
        (
            new().with_time(0.5),
            "diffusion: the time must be at least 1, got 0.5",
        ),
        (
            new().with_time(f64::NAN),
            "diffusion: the time must be at least 1, got NaN",
        ),
        (
            new().with_power(0.0),
            "diffusion: the power must be above 0, got 0",
        ),
        (
            new().with_density(2.0),
            "diffusion: the power of the density must be from 0 to 1, got 2",
        ),
        (
            new().with_neighbours(0),
            "diffusion: the number of neighbours must be at least 1, got 0",
        ),
        (
            new().with_directions(0),
            "diffusion: the number of directions must be at least 1, got 0",
        ),
    ] {
        assert_eq!(refused.unwrap_err().to_string(), message);
    }
    let model = Itself::new(3);
    let mut rows = vec![
        vec![1.0, 0.0, 0.5],
        vec![0.0, 1.0, 0.2],
        vec![1.0, 1.0, 0.0],
    ];
    let good = model.draw(&rows, &losses(3));
    rows[1][2] = f32::NAN;
    let bad = model.draw(&rows, &losses(3));
    for (mode, mut diffusion) in both(&new()) {
        if diffusion.wants().is_some() {
            let error = diffusion.stand(&Draw::from(&bad)).unwrap_err();
            assert_eq!(
                error.to_string(),
                "diffusion: the gradient of example 1 is not finite, or its square is not"
            );
            diffusion.stand(&Draw::from(&good)).unwrap();
        }
        let error = diffusion.group(&Draw::from(&bad)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "diffusion: the gradient of example 1 is not finite, or its square is not",
            "{mode}"
        );
    }
    let many = new().check(20_000).unwrap_err().to_string();
    assert!(many.contains("20000 examples have"), "{many}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Coefficients follow examples that change places, and see neither signs nor lengths of gradients. None is negative,
    /// and the soft number of groups is from 1 to the number of examples.
    #[test]
    fn order_signs_and_lengths_do_not_matter(
        seed in any::<u64>(),
        n in 2usize..24,
        snr in 0.1f64..8.0,
        time in 1.0f64..10.0,
        exponents in prop::collection::vec((-6i32..6, any::<bool>()), 24),
    ) {
        let axes: Vec<usize> = (0..n).map(|j| j % 3).collect();
        let rows = along(&axes, 9, snr, true, seed);
        let held = losses(n);
        let model = Itself::new(9);
        let diffusion = Diffusion::new().in_the_draw().with_time(time).unwrap();
        let of = |rows: &[Vec<f32>], held: &[f32]| {
            let groups = diffusion.clone().group(&Draw::from(&model.draw(rows, held))).unwrap();
            (coefficients(&groups, held), number(&groups))
        };
        let (plain, groups) = of(&rows, &held);
        prop_assert!(plain.iter().all(|c| *c >= 0.0));
        prop_assert!((0.999..=n as f64 + 1e-3).contains(&groups), "{groups}");
        let scaled: Vec<Vec<f32>> = rows
            .iter()
            .zip(&exponents)
            .map(|(row, (exponent, turned))| {
                let by = if *turned { -(2f32.powi(*exponent)) } else { 2f32.powi(*exponent) };
                row.iter().map(|entry| entry * by).collect()
            })
            .collect();
        let (others, _) = of(&scaled, &held);
        for (one, other) in plain.iter().zip(&others) {
            prop_assert!((one - other).abs() < 1e-4 * (1.0 + one.abs()), "{one} {other}");
        }
        let turned: Vec<Vec<f32>> = rows.iter().rev().cloned().collect();
        let held: Vec<f32> = held.iter().rev().copied().collect();
        let (back, _) = of(&turned, &held);
        for (one, other) in plain.iter().zip(back.iter().rev()) {
            prop_assert!((one - other).abs() < 1e-3 * (1.0 + one.abs()), "{one} {other}");
        }
    }
}

/// A weight matrix is what `Groups` documents: memberships `[n, n]` whose rows sum to one.
#[test]
fn memberships_are_means() {
    let axes: Vec<usize> = (0..30).map(|j| j % 5).collect();
    let traced = crate::common::draw(&along(&axes, 20, 2.0, true, 14), &losses(30));
    let groups = Diffusion::new()
        .in_the_draw()
        .group(&Draw::from(&traced))
        .unwrap();
    let ones = Tensor::<1>::from_data(TensorData::new(vec![1.0f32; 30], [30]), &device());
    let sums: Vec<f64> = numbers(&groups.losses(ones))
        .into_iter()
        .map(f64::from)
        .collect();
    close(&sums, &[1.0; 30], 1e-5, "a mean of ones");
    let masses: Vec<f64> = numbers(groups.weights())
        .into_iter()
        .map(|w| 1.0 / f64::from(w))
        .collect();
    close(groups.sizes(), &masses, 1e-3, "masses");
}
