//! Composed capabilities against the product of their parts.

use std::collections::BTreeMap;

use gradual_measure::{
    CapabilityRecord, Composed, Curve, Emergence, Evaluation, MeasureError, Metric, RunSummary,
};

/// A logistic rise around `middle`, of this scale.
fn logistic(step: f64, middle: f64, scale: f64) -> f64 {
    1.0 / (1.0 + ((middle - step) / scale).exp())
}

fn record(skill: f64, frequency: f64, parts: &[&str]) -> CapabilityRecord {
    CapabilityRecord {
        accuracy: 0.5 + 0.5 * skill,
        loss: 0.7 * (1.0 - skill),
        chance: 0.5,
        frequency,
        probability: None,
        progress: None,
        parts: parts.iter().map(|&part| part.to_owned()).collect(),
    }
}

fn evaluation(step: u64, capabilities: Vec<(&str, CapabilityRecord)>) -> Evaluation {
    let capabilities = capabilities
        .into_iter()
        .map(|(name, one)| (name.to_owned(), one));
    let mut evaluation: Evaluation = serde_json::from_value(serde_json::json!({
        "schema": 1, "step": step, "examples": step, "train_loss": 0.5, "capabilities": {},
    }))
    .unwrap();
    evaluation.capabilities = capabilities.collect::<BTreeMap<_, _>>();
    evaluation
}

/// x and y rise around 400 and 500 steps, z as `z` says.
fn run(z: fn(f64, f64) -> f64) -> Vec<Evaluation> {
    let at = |index: u64| {
        let step = index as f64 * 10.0;
        let (x, y) = (logistic(step, 400.0, 40.0), logistic(step, 500.0, 40.0));
        let capabilities = vec![
            ("x", record(x, 0.5, &[])),
            ("y", record(y, 0.5, &[])),
            ("z", record(z(step, x * y), 0.0, &["x", "y"])),
        ];
        evaluation(index * 10, capabilities)
    };
    (0..=300).map(at).collect()
}

fn values(evaluations: &[Evaluation]) -> [Option<f64>; 3] {
    let summary = RunSummary::from_evaluations(evaluations).unwrap();
    [
        Metric::ComposedDelay,
        Metric::ComposedWidth,
        Metric::ComposedSkill,
    ]
    .map(|metric| summary.value(metric))
}

#[test]
fn what_comes_with_its_parts_has_ratios_of_one() {
    for value in values(&run(|_, product| product)) {
        assert!((value.unwrap() - 1.0).abs() < 1e-9);
    }
}

/// Against t50 and the width of both curves, from the crossings of a plain loop.
#[test]
fn ratios_are_those_of_a_plain_loop() {
    let z = |step: f64, _: f64| 0.96 * logistic(step, 1_500.0, 60.0);
    let crossing = |of: &dyn Fn(f64) -> f64, level: f64| {
        let mut step = 0.0;
        while of(step) < level {
            step += 0.01;
        }
        step
    };
    let product = |step: f64| logistic(step, 400.0, 40.0) * logistic(step, 500.0, 40.0);
    let own = |step: f64| z(step, 0.0);
    let width =
        |of: &dyn Fn(f64) -> f64| (crossing(of, 0.9) - crossing(of, 0.1)) / crossing(of, 0.5);
    let [delay, relative, skill] = values(&run(z)).map(Option::unwrap);
    assert!(
        (delay - crossing(&own, 0.5) / crossing(&product, 0.5)).abs() < 1e-2,
        "{delay}"
    );
    assert!(
        (relative - width(&own) / width(&product)).abs() < 1e-2,
        "{relative}"
    );
    assert!((skill - 0.96).abs() < 1e-6, "{skill}");
}

#[test]
fn what_never_gets_there_has_no_number() {
    // z stays at chance; x and y are learned.
    let [delay, relative, skill] = values(&run(|_, _| 0.0));
    assert_eq!((delay, relative), (None, None));
    assert!((skill.unwrap() - 1e-3).abs() < 1e-6);
    // Below chance is no skill of the parts: two capabilities that are worse than guessing compose nothing.
    let worse = |index: u64| {
        let parts = vec![
            ("x", record(-0.9, 0.5, &[])),
            ("y", record(-0.9, 0.5, &[])),
            ("z", record(0.9, 0.0, &["x", "y"])),
        ];
        evaluation(index * 10, parts)
    };
    let below: Vec<Evaluation> = (0..20).map(worse).collect();
    assert_eq!(values(&below), [None; 3]);
    // Nothing is composed.
    let plain: Vec<Evaluation> = (0..20)
        .map(|index| {
            evaluation(
                index * 10,
                vec![("x", record(0.1 * index as f64 / 2.0, 1.0, &[]))],
            )
        })
        .collect();
    assert_eq!(values(&plain), [None; 3]);
}

/// The median over those that have a number; a composed capability need not be trained.
#[test]
fn the_median_is_over_composed_capabilities() {
    let at = |index: u64| {
        let step = index as f64 * 10.0;
        let x = logistic(step, 400.0, 40.0);
        let late = |factor: f64| record(logistic(step, 400.0 * factor, 40.0), 0.0, &["x"]);
        let capabilities = vec![
            ("x", record(x, 1.0, &[])),
            ("a", late(1.0)),
            ("b", late(2.0)),
            ("c", late(4.0)),
            ("never", record(0.0, 0.0, &["x"])),
        ];
        evaluation(index * 10, capabilities)
    };
    let evaluations: Vec<Evaluation> = (0..=300).map(at).collect();
    let [delay, ..] = values(&evaluations);
    assert!((delay.unwrap() - 2.0).abs() < 1e-6);
    let summary = RunSummary::from_evaluations(&evaluations).unwrap();
    let each: Vec<(&str, Composed)> = Composed::of_run(summary.curves()).collect();
    assert_eq!(each.len(), 4);
    assert_eq!(each[3].0, "never");
    assert_eq!(each[3].1.delay, None);
    // The same times as of every other capability.
    let own = summary.capabilities["b"].emergence.t50.unwrap();
    let part = summary.capabilities["x"].emergence.t50.unwrap();
    assert_eq!(each[1].1.delay, Some(own / part));
}

#[test]
fn parts_have_to_be_other_capabilities_of_the_run() {
    let refused = |parts: &[&str]| {
        let one = vec![("x", record(0.0, 0.5, &[])), ("z", record(0.0, 0.5, parts))];
        RunSummary::from_evaluations(&[evaluation(0, one)]).unwrap_err()
    };
    for parts in [&["w"][..], &["z"], &["x", "w"], &["x", "x"]] {
        let error = refused(parts);
        assert!(matches!(error, MeasureError::Parts { .. }), "{error}");
        assert!(error.to_string().contains("`z` at step 0"), "{error}");
    }
    let both = vec![
        ("x", record(0.0, 0.5, &["z"])),
        ("z", record(0.0, 0.5, &["x"])),
    ];
    let cycle = RunSummary::from_evaluations(&[evaluation(0, both)]).unwrap_err();
    assert!(
        cycle
            .to_string()
            .ends_with("got `x` of `z` of `x` at step 0"),
        "{cycle}"
    );
    let other = |step, parts: &[&str]| {
        let one = vec![("x", record(0.0, 0.5, &[])), ("z", record(0.0, 0.5, parts))];
        evaluation(step, one)
    };
    let changed = RunSummary::from_evaluations(&[other(0, &["x"]), other(10, &[])]).unwrap_err();
    assert!(
        changed
            .to_string()
            .contains("the same at every evaluation, got []"),
        "{changed}"
    );
}

#[test]
fn curves_on_other_steps_are_not_compared() {
    let curve = |last: f64| Curve::new(vec![0.0, last], vec![0.0, 1.0]).unwrap();
    assert_eq!(Composed::from_curves(&curve(10.0), &[&curve(20.0)]), None);
    assert_eq!(Composed::from_curves(&curve(10.0), &[]), None);
    let short = curve(10.0);
    assert!(Composed::from_curves(&short, &[&short]).is_some());
    assert_eq!(Emergence::from_curve(&short).t50, None);
}
