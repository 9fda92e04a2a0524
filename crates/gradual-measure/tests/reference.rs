//! Against the numbers of SciPy and statsmodels in `reference.json`; `reference.py` made them.

use gradual_measure::statistics::{deviation, mean, median};
use gradual_measure::{
    Curve, Effect, Emergence, Interval, gini, holm, kendall_tau, paired_ratio, spearman,
};
use serde_json::Value;

fn reference(name: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("reference.json")).unwrap();
    let entries = all[name].as_array().unwrap().clone();
    assert!(!entries.is_empty());
    entries
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(number).collect()
}

#[track_caller]
fn close(got: f64, expected: f64, tolerance: f64) {
    assert!(
        (got - expected).abs() <= tolerance * (1.0 + expected.abs()),
        "got {got}, expected {expected}"
    );
}

#[test]
fn means_and_t_intervals() {
    for entry in reference("samples") {
        let values = numbers(&entry["values"]);
        close(mean(&values).unwrap(), number(&entry["mean"]), 1e-12);
        close(
            deviation(&values).unwrap(),
            number(&entry["deviation"]),
            1e-12,
        );
        close(median(&values).unwrap(), number(&entry["median"]), 1e-12);
        let (interval, expected) = (
            Interval::of_mean(&values).unwrap(),
            numbers(&entry["t_interval"]),
        );
        close(interval.low, expected[0], 1e-9);
        close(interval.high, expected[1], 1e-9);
    }
}

/// SciPy draws 200 000 resamples and interpolates between them; up to ten values ours counts them all.
#[test]
fn bootstrap_intervals() {
    for entry in reference("samples") {
        let values = numbers(&entry["values"]);
        let (interval, expected) = (
            Interval::bca_of_mean(&values).unwrap(),
            numbers(&entry["bca_interval"]),
        );
        let width = expected[1] - expected[0];
        assert!(
            (interval.low - expected[0]).abs() <= 0.03 * width,
            "{interval:?} {expected:?}"
        );
        assert!(
            (interval.high - expected[1]).abs() <= 0.03 * width,
            "{interval:?} {expected:?}"
        );
    }
}

#[test]
fn p_values() {
    for entry in reference("samples") {
        // Log ratios that are the values.
        let arm = numbers(&entry["values"]).into_iter().map(f64::exp);
        let arm = (0..).zip(arm).collect::<std::collections::BTreeMap<_, _>>();
        let base = arm.keys().map(|&seed| (seed, 1.0)).collect();
        let effect: Effect = paired_ratio(&arm, &base).unwrap();
        for (at, p) in entry["p_of_mean"].as_object().unwrap() {
            let at: f64 = at.parse().unwrap();
            close(effect.p_value(at.exp()).unwrap(), number(p), 1e-9);
        }
    }
}

#[test]
fn rank_correlations() {
    for entry in reference("pairs") {
        let (a, b) = (numbers(&entry["a"]), numbers(&entry["b"]));
        close(
            kendall_tau(&a, &b).unwrap(),
            number(&entry["kendall"]),
            1e-12,
        );
        close(spearman(&a, &b).unwrap(), number(&entry["spearman"]), 1e-12);
    }
}

#[test]
fn corrections() {
    for entry in reference("holm") {
        let got = holm(&numbers(&entry["p"]));
        for (got, expected) in got.into_iter().zip(numbers(&entry["adjusted"])) {
            close(got, expected, 1e-12);
        }
    }
}

#[test]
fn gini_coefficients() {
    for entry in reference("gini") {
        close(
            gini(&numbers(&entry["values"])).unwrap(),
            number(&entry["gini"]),
            1e-12,
        );
    }
}

#[test]
fn logistic_fits() {
    for entry in reference("logistic") {
        let mut times = numbers(&entry["times"]);
        let mut skill = numbers(&entry["skill"]);
        times.insert(0, 0.0);
        skill.insert(0, 0.0);
        let fit = Emergence::from_curve(&Curve::new(times, skill).unwrap());
        let fit = fit.logistic.unwrap();
        close(fit.midpoint, number(&entry["midpoint"]), 1e-6);
        close(fit.scale, number(&entry["scale"]), 1e-5);
        close(fit.r_squared, number(&entry["r_squared"]), 1e-8);
    }
}
