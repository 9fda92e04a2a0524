//! The summary of a run.

use std::collections::BTreeMap;

use gradual_measure::{CapabilityRecord, Evaluation, MeasureError, Metric, RunSummary, SCHEMA};

/// Capabilities that rise linearly within `[begin, end]`, evaluated every 10 of 1000 steps.
fn run(rises: &[(&str, f64, f64)]) -> Vec<Evaluation> {
    (0..=100_u64)
        .map(|index| evaluation(index * 10, rises))
        .collect()
}

fn evaluation(step: u64, rises: &[(&str, f64, f64)]) -> Evaluation {
    let capabilities = rises.iter().map(|&(name, begin, end)| {
        let skill = ((step as f64 - begin) / (end - begin)).clamp(0.0, 1.0);
        let record = CapabilityRecord {
            accuracy: 0.5 + 0.5 * skill,
            loss: 0.7 * (1.0 - skill),
            chance: 0.5,
            frequency: 1.0 / rises.len() as f64,
            probability: None,
        };
        (name.to_owned(), record)
    });
    Evaluation {
        schema: SCHEMA,
        step,
        examples: step * 64,
        train_loss: 0.5,
        capabilities: capabilities.collect::<BTreeMap<_, _>>(),
    }
}

#[test]
fn two_capabilities() {
    let summary = RunSummary::of(&run(&[("a", 0.0, 200.0), ("b", 200.0, 600.0)])).unwrap();
    let close = |metric, expected: f64| {
        let got = summary.value(metric).unwrap();
        assert!((got - expected).abs() < 1e-3, "{metric:?}: {got}");
    };
    close(Metric::Spread, 4.0);
    close(Metric::Gap, 0.5);
    close(Metric::StepsTo90, 440.0);
    close(Metric::StepsTo99, 584.0);
    close(Metric::RelativeWidth, (1.6 + 0.8) / 2.0);
    close(Metric::FinalAccuracy, 1.0);
    assert_eq!(summary.last_step, 1000);
    assert_eq!(summary.worst_accuracy, 1.0);
    assert_eq!(summary.spread.of, 2);
    assert_eq!(summary.capabilities["b"].emergence.t50, Some(400.0));
    // Nothing is lost on the way to JSON: only the censored ratio is absent.
    let text = serde_json::to_string(&summary).unwrap();
    assert_eq!(text.matches("null").count(), 1, "{text}");
}

#[test]
fn a_capability_that_never_comes_is_counted() {
    let summary = RunSummary::of(&run(&[("a", 0.0, 200.0), ("b", 2000.0, 3000.0)])).unwrap();
    assert_eq!(summary.value(Metric::Spread), None);
    assert_eq!((summary.spread.reached, summary.spread.of), (1, 2));
    assert_eq!(summary.spread.at_least, Some(10.0));
    assert_eq!(summary.value(Metric::StepsTo90), None);
    assert_eq!(summary.worst_accuracy, 0.5);
}

#[test]
fn a_capability_that_is_only_tested_stands_apart() {
    let trained = run(&[("a", 0.0, 200.0), ("b", 200.0, 600.0)]);
    let mut tested = run(&[
        ("a", 0.0, 200.0),
        ("b", 200.0, 600.0),
        ("c", 2000.0, 3000.0),
    ]);
    for evaluation in &mut tested {
        evaluation.capabilities.get_mut("c").unwrap().frequency = 0.0;
    }
    let (without, with) = (
        RunSummary::of(&trained).unwrap(),
        RunSummary::of(&tested).unwrap(),
    );
    for metric in [
        Metric::Spread,
        Metric::Gap,
        Metric::StepsTo99,
        Metric::FinalAccuracy,
    ] {
        assert_eq!(without.value(metric), with.value(metric), "{metric:?}");
    }
    assert_eq!(with.worst_accuracy, 1.0);
    assert_eq!(with.capabilities["c"].final_accuracy, 0.5);
}

#[test]
fn one_evaluation_is_enough() {
    let summary = RunSummary::of(&[evaluation(0, &[("a", 0.0, 10.0)])]).unwrap();
    assert_eq!(summary.evaluations, 1);
    assert_eq!(summary.value(Metric::EffectiveIncrements), None);
    let late = RunSummary::of(&[evaluation(10, &[("a", 0.0, 10.0)])]).unwrap();
    assert!((late.steps_to_90.unwrap() - 8.0).abs() < 1e-9);
}

#[test]
fn bad_runs_are_refused() {
    assert!(matches!(
        RunSummary::of(&[]),
        Err(MeasureError::Empty {
            what: "evaluation",
            ..
        })
    ));
    assert!(matches!(
        RunSummary::of(&[evaluation(0, &[])]),
        Err(MeasureError::Empty {
            what: "capability",
            ..
        })
    ));
    let (a, ab) = (&[("a", 0.0, 9.0)][..], &[("a", 0.0, 9.0), ("b", 0.0, 9.0)]);
    let message = |evaluations: &[Evaluation]| RunSummary::of(evaluations).unwrap_err().to_string();
    assert!(message(&[evaluation(0, ab), evaluation(5, a)]).ends_with("at step 5, `b` is missing"));
    assert!(message(&[evaluation(0, a), evaluation(5, ab)]).ends_with("at step 5, `b` is new"));
    assert!(message(&[evaluation(5, a), evaluation(5, a)]).contains("got 5 after 5"));
    let mut certain = evaluation(3, a);
    certain.capabilities.get_mut("a").unwrap().chance = 1.0;
    assert!(message(&[certain]).contains("capability `a` at step 3, got 1"));
    let mut broken = evaluation(3, a);
    broken.capabilities.get_mut("a").unwrap().accuracy = f64::NAN;
    assert!(message(&[broken]).contains("value NaN at position 0"));
}
