//! How near the best clusters a default clustering comes, and what its runs cost.

mod common;

use std::time::Instant;

use common::{along, draw};
use gradual_grad::Traced;
use gradual_group::{Draw, Grouping, KMeans, Spectral, SphericalKMeans};
use linfa::DatasetBase;
use linfa::traits::{Fit, Predict};
use ndarray::Array2;

const DRAWS: u64 = 10;

/// Clear and unclear groups, of equal and unequal sizes, as in a draw of 512.
fn cases() -> Vec<(&'static str, usize, Vec<usize>, f64)> {
    let equal = |groups: usize| (0..512).map(|j| j % groups).collect::<Vec<_>>();
    // As 1/1, 1/2, 1/3 …
    let zipf = |groups: usize| {
        let total: f64 = (1..=groups).map(|g| 1.0 / g as f64).sum();
        let size = |g: usize| (512.0 / (g as f64 + 1.0) / total).round() as usize;
        (0..groups)
            .flat_map(|g| vec![g; size(g).max(1)])
            .collect::<Vec<_>>()
    };
    vec![
        ("8 equal, 4", 8, equal(8), 4.0),
        ("20 equal, 4", 20, equal(20), 4.0),
        ("20 equal, 0.5", 20, equal(20), 0.5),
        ("20 as 1/g, 4", 20, zipf(20), 4.0),
        ("20 as 1/g, 0.5", 20, zipf(20), 0.5),
    ]
}

/// Sum of squared distances of unit gradients to the means of their clusters.
fn inertia(rows: &[Vec<f32>], assignment: &[Option<usize>], groups: usize) -> f64 {
    let mut sums = vec![vec![0.0f64; rows[0].len()]; groups];
    let mut sizes = vec![0.0f64; groups];
    for (row, group) in rows.iter().zip(assignment) {
        let norm = row
            .iter()
            .map(|&x| f64::from(x) * f64::from(x))
            .sum::<f64>()
            .sqrt();
        let group = group.expect("no gradient is zero");
        sizes[group] += 1.0;
        for (sum, &x) in sums[group].iter_mut().zip(row) {
            *sum += f64::from(x) / norm;
        }
    }
    let held = sums
        .iter()
        .zip(&sizes)
        .map(|(sum, size)| sum.iter().map(|x| x * x).sum::<f64>() / size.max(1.0));
    rows.len() as f64 - held.sum::<f64>()
}

/// The inertia of a clustering of a draw, and the seconds that it took.
fn measured(
    clustering: &mut dyn Grouping,
    rows: &[Vec<f32>],
    traced: &Traced,
    groups: usize,
) -> (f64, f64) {
    let started = Instant::now();
    let found = clustering.group(&Draw::from(traced)).unwrap();
    let seconds = started.elapsed().as_secs_f64();
    (inertia(rows, found.assignment().unwrap(), groups), seconds)
}

/// One run of k-means was up to 15 % above the best of thirty.
#[test]
fn default_clusters_are_near_the_best_of_thirty() {
    for (name, groups, axes, snr) in cases() {
        let mut near = 0;
        for seed in 0..DRAWS {
            let rows = along(&axes, 64, snr, false, seed);
            let traced = draw(&rows, &vec![1.0; rows.len()]);
            let of = |mut clustering: KMeans| measured(&mut clustering, &rows, &traced, groups).0;
            let best = of(KMeans::new(groups, 100 + seed).with_restarts(30).unwrap());
            let found = of(KMeans::new(groups, seed));
            near += usize::from(found <= 1.02 * best);
            assert!(found <= 1.1 * best, "{name}: {found} against {best}");
        }
        assert!(near >= 9, "{name}: {near} of {DRAWS} within 2 %");
    }
}

/// The k-means of linfa-clustering, which is a plain twin: as many runs, the same points.
#[test]
fn clusters_are_as_near_as_those_of_linfa() {
    for (name, groups, axes, snr) in cases() {
        for seed in 0..3 {
            let rows = along(&axes, 64, snr, false, seed);
            let traced = draw(&rows, &vec![1.0; rows.len()]);
            let found = measured(&mut KMeans::new(groups, seed), &rows, &traced, groups).0;

            let unit = |row: &Vec<f32>| {
                let square = |&x: &f32| f64::from(x) * f64::from(x);
                let norm = row.iter().map(square).sum::<f64>().sqrt();
                row.iter()
                    .map(move |&x| f64::from(x) / norm)
                    .collect::<Vec<_>>()
            };
            let points: Vec<f64> = rows.iter().flat_map(unit).collect();
            let points = Array2::from_shape_vec((rows.len(), rows[0].len()), points).unwrap();
            let model = linfa_clustering::KMeans::params(groups)
                .n_runs(10)
                .max_n_iterations(300)
                .tolerance(1e-4)
                .fit(&DatasetBase::from(points.view()))
                .unwrap();
            let theirs: Vec<Option<usize>> = model
                .predict(&points)
                .iter()
                .map(|&group| Some(group))
                .collect();
            let theirs = inertia(&rows, &theirs, groups);
            assert!(
                found <= 1.03 * theirs,
                "{name}, {seed}: {found} against {theirs}"
            );
        }
    }
}

/// Prints what restarts bring and cost.
#[test]
#[ignore = "prints a table"]
#[allow(clippy::print_stdout, reason = "the table is what it is for")]
fn what_restarts_bring() {
    type Made = fn(usize, usize, u64) -> Box<dyn Grouping>;
    let kinds: [(&str, Made); 3] = [
        ("k-means", |k, runs, seed| {
            Box::new(KMeans::new(k, seed).with_restarts(runs).unwrap())
        }),
        ("spherical", |k, runs, seed| {
            Box::new(SphericalKMeans::new(k, seed).with_restarts(runs).unwrap())
        }),
        ("spectral", |k, runs, seed| {
            Box::new(Spectral::new(k, seed).with_restarts(runs).unwrap())
        }),
    ];
    for (kind, made) in kinds {
        println!("\n| {kind} | 1 | 3 | 5 | 10 | 20 |\n|---|---|---|---|---|---|");
        for (name, groups, axes, snr) in cases() {
            let mut cells = vec![(Vec::new(), 0.0); 5];
            for seed in 0..DRAWS {
                let rows = along(&axes, 64, snr, false, seed);
                let traced = draw(&rows, &vec![1.0; rows.len()]);
                let of = |runs, seed| {
                    measured(made(groups, runs, seed).as_mut(), &rows, &traced, groups)
                };
                let runs = [1, 3, 5, 10, 20].map(|runs| of(runs, seed));
                let best = runs
                    .iter()
                    .fold(of(30, 100 + seed).0, |best, run| best.min(run.0));
                for ((over, seconds), run) in cells.iter_mut().zip(runs) {
                    over.push(run.0 / best - 1.0);
                    *seconds += run.1 / DRAWS as f64;
                }
            }
            let cells = cells.iter().map(|(over, seconds)| {
                let most = over.iter().copied().fold(0.0, f64::max);
                let many = over.iter().filter(|&&over| over > 0.02).count();
                format!("{:.1} % ({many}), {:.0} ms", 100.0 * most, 1e3 * seconds)
            });
            println!("| {name} | {} |", cells.collect::<Vec<_>>().join(" | "));
        }
    }
}
