//! How often verdicts are wrong, and how often they come. `docs/verdicts.md` has the same from more draws.

#[path = "simulated/mod.rs"]
mod simulated;

use simulated::{Noise, Share, power, wrong};

#[track_caller]
fn about(got: f64, percent: f64, within: f64) {
    assert!(
        (100.0 * got - percent).abs() <= within,
        "got {} %, expected {percent} ± {within}",
        100.0 * got
    );
}

/// What the t-test promises for normal log ratios, and keeps for heavy tails.
#[test]
fn one_table_in_twenty_where_log_ratios_are_symmetric() {
    for noise in [Noise::Normal, Noise::HeavyTails] {
        for (seeds, claims, tables) in [(5, 1, 4000), (5, 15, 400), (8, 1, 1500)] {
            let share = wrong(noise, seeds, claims, tables);
            assert!(
                share.plain < 0.065 && share.verdict < 0.06,
                "{noise:?} {seeds} {claims} {share:?}"
            );
            assert!(
                share.verdict > 0.005,
                "{noise:?} {seeds} {claims} {share:?}"
            );
        }
    }
}

/// What it does not keep for skewed ones, and what the checks take back.
#[test]
fn more_where_they_are_skewed() {
    for (noise, seeds, tables, plain, verdict) in [
        (Noise::Exponential, 5, 4000, 11.5, 9.0),
        (Noise::LogNormal, 5, 4000, 17.7, 13.7),
        (Noise::Exponential, 8, 1500, 10.7, 9.0),
        (Noise::LogNormal, 8, 1500, 17.0, 13.5),
    ] {
        let share = wrong(noise, seeds, 1, tables);
        about(share.plain, plain, 3.0);
        about(share.verdict, verdict, 3.0);
        assert!(
            share.verdict < 0.9 * share.plain,
            "{noise:?} {seeds} {share:?}"
        );
    }
}

/// With twenty seeds skewness shows: the t-test is no better than with five, the verdict is.
#[test]
fn with_many_seeds_skewness_is_seen() {
    let Share {
        plain,
        verdict,
        skewed,
        ..
    } = wrong(Noise::LogNormal, 20, 1, 400);
    assert!(plain > 0.09, "{plain}");
    assert!(
        verdict < 0.7 * plain && skewed > 0.0,
        "{verdict} of {plain}"
    );
}

/// The power of the t-test at five seeds, for a ratio of 0.7 against a claim of 0.8, and what the checks cost.
#[test]
fn power_at_five_seeds() {
    for (deviation, plain, verdict) in [(0.05, 99.0, 96.0), (0.1, 60.0, 53.0)] {
        let share = power(0.7, 0.8, deviation, 5, 4000);
        about(share.plain, plain, 2.5);
        about(share.verdict, verdict, 3.0);
    }
}
