//! How often each rule for the number of groups is right on planted groups.

mod common;

use common::{along, draw, planted};
use gradual_group::{
    Cosines, Draw, Grouping, HowMany, Similarity, Spectral, SphericalKMeans, adjusted_rand,
};

/// Every rule that looks for the number itself.
const RULES: [HowMany; 9] = [
    HowMany::Eigengap,
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
    let cosines = Cosines::of_gram("planted", gram, rows.len()).unwrap();
    let similarities = cosines.similarity(Similarity::Squared);
    let mut spectral = Spectral::new(rule, seed)
        .with_at_most(AT_MOST)
        .with_restarts(3);
    spectral.clusters(&similarities).unwrap().groups
}

/// What clustering by axis answers.
fn by_axis(rule: HowMany, rows: &[Vec<f32>], seed: u64) -> usize {
    let traced = draw(rows, &vec![1.0; rows.len()]);
    let clusters = SphericalKMeans::new(rule, seed)
        .sign_free()
        .with_at_most(AT_MOST)
        .with_restarts(3);
    let groups = { clusters }.group(&Draw::from(&traced)).unwrap();
    groups.count()
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
