//! How often each rule for the number of groups is right on planted groups.

mod common;

use common::{along, draw, planted};
use gradual_group::{
    Cosines, Draw, Grouping, HowMany, Similarity, Spectral, SphericalKMeans, adjusted_rand,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Every rule that looks for the number itself.
const RULES: [HowMany; 10] = [
    HowMany::Eigengap,
    HowMany::TestedEigengap,
    HowMany::Silhouette,
    HowMany::Gap,
    HowMany::Stability,
    HowMany::SignFlip,
    HowMany::ParticipationRatio,
    HowMany::EffectiveRank,
    HowMany::StableRank,
    HowMany::Energy(0.9),
];

const AT_MOST: usize = 20;

/// Groups planted, and dimensions.
const GROUPS: usize = 8;
const DIM: usize = 128;

/// Examples in each group: as many in all, or as 1/1, 1/2, … 1/8.
const EQUAL: [usize; GROUPS] = [30; GROUPS];
const UNEQUAL: [usize; GROUPS] = [88, 44, 29, 22, 18, 15, 13, 11];

fn rows(sizes: &[usize; GROUPS], snr: f64, seed: u64) -> Vec<Vec<f32>> {
    let axes = sizes.iter().enumerate();
    let axes: Vec<usize> = axes
        .flat_map(|(axis, &size)| std::iter::repeat_n(axis, size))
        .collect();
    along(&axes, DIM, snr, true, seed)
}

/// What spectral clustering of squared cosines answers.
fn spectral(rule: HowMany, rows: &[Vec<f32>], seed: u64) -> usize {
    let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let gram: Vec<f32> = rows
        .iter()
        .flat_map(|a| rows.iter().map(move |b| product(a, b)))
        .collect();
    let cosines = Cosines::from_gram("planted", gram, rows.len()).unwrap();
    let similarities = cosines.similarity(Similarity::Squared);
    let mut spectral = Spectral::new(rule, seed)
        .with_at_most(AT_MOST)
        .unwrap()
        .with_restarts(3)
        .unwrap();
    spectral.clusters(&similarities).unwrap().groups
}

/// What clustering by axis answers.
fn by_axis(rule: HowMany, rows: &[Vec<f32>], seed: u64) -> usize {
    let traced = draw(rows, &vec![1.0; rows.len()]);
    let clusters = SphericalKMeans::new(rule, seed)
        .sign_free()
        .with_at_most(AT_MOST)
        .unwrap()
        .with_restarts(3)
        .unwrap();
    let groups = { clusters }.group(&Draw::from(&traced)).unwrap();
    groups.num_groups()
}

/// Where the signal is as strong as the noise, the rules that look for a line find it.
#[test]
fn clear_groups_are_counted() {
    let clear = rows(&EQUAL, 4.0, 1);
    for rule in [HowMany::Eigengap, HowMany::Silhouette, HowMany::SignFlip] {
        assert_eq!(spectral(rule, &clear, 1), GROUPS, "{}", rule.name());
    }
    for rule in [HowMany::Eigengap, HowMany::Silhouette] {
        assert_eq!(by_axis(rule, &clear, 1), GROUPS, "{}", rule.name());
    }
    let noisy = rows(&EQUAL, 1.0, 2);
    assert_eq!(spectral(HowMany::Eigengap, &noisy, 2), GROUPS);
    assert_eq!(spectral(HowMany::Silhouette, &noisy, 2), GROUPS);
}

/// A draw and how many groups it has.
struct Case {
    name: &'static str,
    groups: usize,
    rows: fn(u64) -> Vec<Vec<f32>>,
}

/// Along one axis each, `size` examples along each of `groups`, 128 dimensions, either sign.
fn even(groups: usize, size: usize, snr: f64, seed: u64) -> Vec<Vec<f32>> {
    planted(groups, size, DIM, snr, true, seed).0
}

/// Noise alone.
fn noise(examples: usize, dim: usize, seed: u64) -> Vec<Vec<f32>> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut row = || {
        (0..dim)
            .map(|_| random.random_range(-1.0f32..1.0))
            .collect()
    };
    (0..examples).map(|_| row()).collect()
}

/// One axis, and noise whose variance in dimension i is as 1/i^`power`.
fn uneven(power: i32, snr: f64, seed: u64) -> Vec<Vec<f32>> {
    let total: f64 = (1..=DIM).map(|i| (i as f64).powi(-power)).sum();
    let mut rows = noise(240, DIM, seed);
    for (j, row) in rows.iter_mut().enumerate() {
        for (i, entry) in row.iter_mut().enumerate() {
            let variance = (i as f64 + 1.0).powi(-power) / total;
            *entry *= (3.0 * variance / snr).sqrt() as f32;
        }
        row.push(if j % 3 == 0 { -1.0 } else { 1.0 });
    }
    rows
}

/// Two groups of unequal size.
fn two_unequal(snr: f64, seed: u64) -> Vec<Vec<f32>> {
    let axes: Vec<usize> = (0..240).map(|j| usize::from(j % 6 == 0)).collect();
    along(&axes, DIM, snr, true, seed)
}

/// Draws with one group, with several, and with none, which are one.
const CASES: [Case; 16] = [
    Case {
        name: "noise in 20 dimensions",
        groups: 1,
        rows: |seed| noise(240, 20, seed),
    },
    Case {
        name: "noise in 128 dimensions",
        groups: 1,
        rows: |seed| noise(240, 128, seed),
    },
    Case {
        name: "noise in 1000 dimensions",
        groups: 1,
        rows: |seed| noise(240, 1_000, seed),
    },
    Case {
        name: "1 group, 4",
        groups: 1,
        rows: |seed| even(1, 240, 4.0, seed),
    },
    Case {
        name: "1 group, 1",
        groups: 1,
        rows: |seed| even(1, 240, 1.0, seed),
    },
    Case {
        name: "1 group, 0.25",
        groups: 1,
        rows: |seed| even(1, 240, 0.25, seed),
    },
    Case {
        name: "1 group of 40, 1",
        groups: 1,
        rows: |seed| even(1, 40, 1.0, seed),
    },
    Case {
        name: "1 group, noise as 1/i, 1",
        groups: 1,
        rows: |seed| uneven(1, 1.0, seed),
    },
    Case {
        name: "1 group, noise as 1/i², 0.25",
        groups: 1,
        rows: |seed| uneven(2, 0.25, seed),
    },
    Case {
        name: "2 groups, 1",
        groups: 2,
        rows: |seed| even(2, 120, 1.0, seed),
    },
    Case {
        name: "2 groups, 0.25",
        groups: 2,
        rows: |seed| even(2, 120, 0.25, seed),
    },
    Case {
        name: "2 groups, 5 to 1, 1",
        groups: 2,
        rows: |seed| two_unequal(1.0, seed),
    },
    Case {
        name: "5 groups, 1",
        groups: 5,
        rows: |seed| even(5, 48, 1.0, seed),
    },
    Case {
        name: "5 groups of 8, 1",
        groups: 5,
        rows: |seed| even(5, 8, 1.0, seed),
    },
    Case {
        name: "20 groups, 1",
        groups: 20,
        rows: |seed| even(20, 12, 1.0, seed),
    },
    Case {
        name: "20 groups, 0.5",
        groups: 20,
        rows: |seed| even(20, 12, 0.5, seed),
    },
];

/// One capability is one group, noise is no two groups, and groups are still counted.
#[test]
fn one_group_can_be_told_from_several() {
    const SEEDS: u64 = 3;
    let tested = HowMany::TestedEigengap;
    let mut eigengap = Vec::new();
    for Case { name, groups, rows } in CASES {
        // Where the noise falls into few directions there is no telling.
        if name.contains("i²") {
            continue;
        }
        let (mut by_spectral, mut by_axes) = (0, 0);
        for seed in 0..SEEDS {
            let rows = rows(seed);
            by_spectral += usize::from(spectral(tested, &rows, seed) == groups);
            by_axes += usize::from(by_axis(tested, &rows, seed) == groups);
            if groups == 1 {
                eigengap.push(spectral(HowMany::Eigengap, &rows, seed));
            }
        }
        // One in twenty-one clouds passes for groups.
        assert!(
            by_spectral >= 2 && by_axes >= 2,
            "{name}: {by_spectral} and {by_axes} of 3"
        );
    }
    assert!(
        eigengap.iter().all(|&k| k >= 2),
        "the eigengap never says one: {eigengap:?}"
    );
}

/// Prints the table of one group in `docs/how-many-groups.md`.
#[test]
#[ignore = "takes minutes; prints a table"]
#[allow(clippy::print_stdout, reason = "the table is what it is for")]
fn calibration_of_one() {
    const SEEDS: u64 = 20;
    let rules = [
        HowMany::TestedEigengap,
        HowMany::Eigengap,
        HowMany::SignFlip,
        HowMany::Silhouette,
    ];
    type Answer = fn(HowMany, &[Vec<f32>], u64) -> usize;
    let kinds: [(&str, Answer); 2] = [("spectral", spectral), ("by axis", by_axis)];
    for (kind, answer) in kinds {
        println!("\n| {kind} | {} |", rules.map(HowMany::name).join(" | "));
        println!("|---|{}", "---|".repeat(rules.len()));
        for Case { name, groups, rows } in CASES {
            let cells = rules.map(|rule| {
                // It clusters for every number, and takes its time.
                let seeds = match rule {
                    HowMany::Silhouette => 5,
                    _ => SEEDS,
                };
                let mut answers: Vec<_> = (0..seeds)
                    .map(|seed| answer(rule, &rows(seed), seed))
                    .collect();
                answers.sort_unstable();
                let hits = answers.iter().filter(|&&k| k == groups).count();
                format!("{hits} of {seeds} ({})", answers[answers.len() / 2])
            });
            println!("| {name} | {} |", cells.join(" | "));
        }
    }
}

/// The number found, the groups are the planted ones.
#[test]
fn clear_groups_are_found() {
    let (rows, labels) = planted(GROUPS, 30, DIM, 2.0, true, 3);
    let traced = draw(&rows, &vec![1.0; rows.len()]);
    let draw = Draw::from(&traced);
    let found = |grouping: &mut dyn Grouping| {
        let groups = grouping.group(&draw).unwrap();
        adjusted_rand(groups.assignment().unwrap(), &labels).unwrap()
    };
    for similarity in [Similarity::Squared, Similarity::Absolute] {
        let mut spectral = Spectral::new(HowMany::Eigengap, 0).with_similarity(similarity);
        assert!(found(&mut spectral) > 0.95, "{similarity:?}");
    }
    let mut axes = SphericalKMeans::new(HowMany::Silhouette, 0).sign_free();
    assert!(found(&mut axes) > 0.95);
    // Each axis has two ends for what sees the sign.
    let mut signed = SphericalKMeans::new(2 * GROUPS, 0);
    let ends = signed.group(&draw).unwrap();
    let rand = adjusted_rand(ends.assignment().unwrap(), &labels).unwrap();
    assert!(rand < 0.8, "{rand}");
}

/// Prints the table of `docs/how-many-groups.md`.
#[test]
#[ignore = "takes minutes; prints a table"]
#[allow(clippy::print_stdout, reason = "the table is what it is for")]
fn calibration() {
    const SEEDS: u64 = 10;
    const RATIOS: [f64; 6] = [4.0, 1.0, 0.5, 0.33, 0.25, 0.125];
    type Answer = fn(HowMany, &[Vec<f32>], u64) -> usize;
    let kinds: [(&str, Answer, [usize; GROUPS]); 4] = [
        ("spectral, equal groups", spectral, EQUAL),
        ("spectral, unequal groups", spectral, UNEQUAL),
        ("by axis, equal groups", by_axis, EQUAL),
        ("by axis, unequal groups", by_axis, UNEQUAL),
    ];
    println!("{GROUPS} groups of {EQUAL:?} or {UNEQUAL:?} in {DIM} dimensions");
    println!("at most {AT_MOST} groups, {SEEDS} seeds: hits, and the median answer in brackets");
    for (kind, answer, sizes) in kinds {
        let head = RATIOS.map(|snr| format!("{snr}")).join(" | ");
        println!("\n| {kind} | {head} |");
        println!("|---|{}", "---|".repeat(RATIOS.len()));
        for rule in RULES {
            let cells = RATIOS.map(|snr| {
                let mut answers: Vec<_> = (0..SEEDS)
                    .map(|seed| answer(rule, &rows(&sizes, snr, seed), seed))
                    .collect();
                answers.sort_unstable();
                let hits = answers.iter().filter(|&&k| k == GROUPS).count();
                format!("{hits} ({})", answers[answers.len() / 2])
            });
            println!("| {} | {} |", rule.name(), cells.join(" | "));
        }
    }
}
