//! The summary of a run.

use std::collections::BTreeMap;

use gradual_measure::{
    CapabilityRecord, Evaluation, Lack, Measure, MeasureError, Metric, RunCurves, RunSummary,
    Timing,
};
use proptest::prelude::*;

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
            probability: Some(0.5 + 0.5 * skill * skill),
            progress: Some(((step as f64 - begin + 50.0) / (end - begin)).clamp(0.0, 1.0)),
            parts: Vec::new(),
        };
        (name.to_owned(), record)
    });
    Evaluation {
        schema: 1,
        step,
        examples: step * 64,
        train_loss: 0.5,
        standing_examples: None,
        gradient_evaluations: None,
        left_out: None,
        moved: None,
        compute: None,
        capabilities: capabilities.collect::<BTreeMap<_, _>>(),
    }
}

#[test]
fn two_capabilities() {
    let summary =
        RunSummary::from_evaluations(&run(&[("a", 0.0, 200.0), ("b", 200.0, 600.0)])).unwrap();
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
    close(Metric::StepsToWorst90, 200.0 + 0.8 * 400.0);
    close(Metric::ExamplesTo90, 440.0 * 64.0);
    close(Metric::ExamplesTo99, 584.0 * 64.0);
    close(Metric::Area, (900.0 + 600.0) / 2.0 / 1000.0);
    close(Metric::NeededCapabilities, 2.0);
    // Both are trained equally often.
    assert_eq!(summary.order, None);
    let timings: Vec<Timing> = (0..=10)
        .map(|index| Timing {
            schema: 1,
            step: index * 100,
            seconds: index as f64,
            peak_memory: None,
        })
        .collect();
    assert_eq!(summary.value(Metric::SecondsTo90), None);
    let timed = summary.clone().with_timings(&timings);
    assert!((timed.value(Metric::SecondsTo90).unwrap() - 4.4).abs() < 1e-9);
    // A clock that stops before the level, and one that stands still, say nothing.
    assert_eq!(
        summary.clone().with_timings(&timings[..3]).seconds_to_90,
        None
    );
    let still = summary.with_timings(&[timings[1], timings[1]]);
    assert_eq!(still.value(Metric::SecondsTo90), None);
}

#[test]
fn other_measures_tell_whether_it_is_the_threshold() {
    let summary =
        RunSummary::from_evaluations(&run(&[("a", 0.0, 200.0), ("b", 200.0, 600.0)])).unwrap();
    let b = &summary.capabilities["b"];
    let t50 = |measure| b.by(measure).unwrap().t50.unwrap();
    // The loss falls as the accuracy rises; the probability of the right answer is the square of the skill.
    assert!((t50(Measure::Accuracy) - 400.0).abs() < 1e-9);
    assert!((t50(Measure::Loss) - 400.0).abs() < 1e-9);
    assert!((t50(Measure::Probability) - (200.0 + 400.0 * 0.5_f64.sqrt())).abs() < 1.0);
    assert!((t50(Measure::Progress) - 350.0).abs() < 1e-9);
    assert!((b.hidden_lead().unwrap() - 400.0 / 350.0).abs() < 1e-9);
    assert!(summary.value(Metric::RelativeWidthByLoss).is_some());
    assert!(summary.value(Metric::RelativeWidthByProbability).is_some());
}

#[test]
fn frequent_ones_first() {
    let mut run = run(&[("a", 0.0, 200.0), ("b", 200.0, 600.0), ("c", 700.0, 9000.0)]);
    for evaluation in &mut run {
        for (name, frequency) in [("a", 0.6), ("b", 0.3), ("c", 0.1)] {
            evaluation.capabilities.get_mut(name).unwrap().frequency = frequency;
        }
    }
    assert_eq!(RunSummary::from_evaluations(&run).unwrap().order, Some(1.0));
    for evaluation in &mut run {
        evaluation.capabilities.get_mut("c").unwrap().frequency = 0.9;
    }
    let order = RunSummary::from_evaluations(&run).unwrap().order.unwrap();
    assert!((order - -1.0 / 3.0).abs() < 1e-12, "{order}");
}

#[test]
fn curves_know_what_counts() {
    let mut run = run(&[("a", 0.0, 200.0), ("b", 200.0, 600.0)]);
    for (index, evaluation) in run.iter_mut().enumerate() {
        evaluation.capabilities.get_mut("b").unwrap().frequency = 0.0;
        evaluation.compute = Some(index as f64);
    }
    let curves = RunCurves::from_evaluations(&run).unwrap();
    let counted: Vec<&str> = curves.counted().map(|one| one.name.as_str()).collect();
    assert_eq!((counted, curves.capabilities.len()), (vec!["a"], 2));
    assert_eq!(curves.compute.as_ref().unwrap().last_value(), 100.0);
    // One evaluation without the number: it is not known.
    run[3].compute = None;
    assert_eq!(RunCurves::from_evaluations(&run).unwrap().compute, None);
}

#[test]
fn a_capability_that_never_comes_is_counted() {
    let summary =
        RunSummary::from_evaluations(&run(&[("a", 0.0, 200.0), ("b", 2000.0, 3000.0)])).unwrap();
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
        RunSummary::from_evaluations(&trained).unwrap(),
        RunSummary::from_evaluations(&tested).unwrap(),
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
    let summary = RunSummary::from_evaluations(&[evaluation(0, &[("a", 0.0, 10.0)])]).unwrap();
    assert_eq!(summary.evaluations, 1);
    assert_eq!(summary.value(Metric::EffectiveIncrements), None);
    let late = RunSummary::from_evaluations(&[evaluation(10, &[("a", 0.0, 10.0)])]).unwrap();
    assert!((late.steps_to_90.unwrap() - 8.0).abs() < 1e-9);
}

#[test]
fn bad_runs_are_refused() {
    assert!(matches!(
        RunSummary::from_evaluations(&[]),
        Err(MeasureError::Empty {
            what: "evaluation",
            ..
        })
    ));
    assert!(matches!(
        RunSummary::from_evaluations(&[evaluation(0, &[])]),
        Err(MeasureError::Empty {
            what: "capability",
            ..
        })
    ));
    let (a, ab) = (&[("a", 0.0, 9.0)][..], &[("a", 0.0, 9.0), ("b", 0.0, 9.0)]);
    let message = |evaluations: &[Evaluation]| {
        RunSummary::from_evaluations(evaluations)
            .unwrap_err()
            .to_string()
    };
    assert!(message(&[evaluation(0, ab), evaluation(5, a)]).ends_with("at step 5, `b` is missing"));
    assert!(message(&[evaluation(0, a), evaluation(5, ab)]).ends_with("at step 5, `b` is new"));
    assert!(message(&[evaluation(5, a), evaluation(5, a)]).contains("got 5 after 5"));
    let mut certain = evaluation(3, a);
    certain.capabilities.get_mut("a").unwrap().chance = 1.0;
    assert!(message(&[certain]).contains("capability `a` at step 3, got 1"));
    let mut other = evaluation(5, a);
    other.capabilities.get_mut("a").unwrap().chance = 0.25;
    assert!(
        message(&[evaluation(3, a), other]).contains(
            "the chance 0.5 of the first evaluation for capability `a` at step 5, got 0.25"
        )
    );
    let mut broken = evaluation(3, a);
    broken.capabilities.get_mut("a").unwrap().accuracy = f64::NAN;
    assert!(message(&[broken]).contains("value NaN at position 0"));
}

/// Whatever a run looks like, every number is finite or absent.
fn odd_number() -> impl Strategy<Value = f64> {
    prop_oneof![
        0.0..1.0_f64,
        Just(0.0),
        Just(1.0),
        Just(1e-300),
        Just(1e300),
        -1e3..1e3_f64
    ]
}

#[test]
fn rises_that_follow_one_another_do_not_overlap() {
    let value = |rises: &[(&str, f64, f64)], metric| {
        let summary = RunSummary::from_evaluations(&run(rises)).unwrap();
        summary.value(metric).unwrap()
    };
    let dominoes = [("a", 0.0, 200.0), ("b", 200.0, 400.0), ("c", 400.0, 600.0)];
    let together = [("a", 100.0, 300.0), ("b", 100.0, 300.0)];
    assert_eq!(value(&dominoes, Metric::Overlap), 0.0);
    assert!((value(&together, Metric::Overlap) - 1.0).abs() < 1e-9);
    assert_eq!(value(&dominoes, Metric::Learned), 3.0);
    let late = [("a", 0.0, 200.0), ("b", 200.0, 4000.0)];
    assert_eq!(value(&late, Metric::Learned), 1.0);
    assert_eq!(value(&together, Metric::NeededForWorst), 1.0);
    assert_eq!(value(&dominoes, Metric::NeededForWorst), 3.0);
}

#[test]
fn the_tax_in_gradients_counts_standing_examples() {
    let rises = [("a", 0.0, 200.0), ("b", 200.0, 600.0)];
    let mut evaluations = run(&rises);
    let value = |evaluations: &[Evaluation]| {
        let summary = RunSummary::from_evaluations(evaluations).unwrap();
        summary.value(Metric::GradientsTo99).unwrap()
    };
    let examples = value(&evaluations);
    assert!((examples - 584.0 * 64.0).abs() < 64.0);
    for one in &mut evaluations {
        one.gradient_evaluations = Some(one.examples + 1_000);
    }
    assert!((value(&evaluations) - examples - 1_000.0).abs() < 1e-6);
}

#[test]
fn a_second_phase_tells_how_far_it_went_and_what_was_kept() {
    let mut evaluations = run(&[("a", 0.0, 200.0), ("b", 100.0, 300.0), ("c", 900.0, 1000.0)]);
    let summary = RunSummary::from_evaluations(&evaluations).unwrap();
    assert_eq!((summary.moved, summary.kept), (None, None));
    for one in evaluations.iter_mut().filter(|one| one.step > 500) {
        one.moved = Some(one.step as f64 / 1_000.0);
        // From 1 down to 0.75: what was lost. Of c nothing was there to be lost.
        one.capabilities.get_mut("b").unwrap().accuracy = 0.75;
        one.capabilities.get_mut("c").unwrap().accuracy = 0.1;
    }
    let summary = RunSummary::from_evaluations(&evaluations).unwrap();
    assert_eq!(summary.curves().phase.unwrap().begins, 500.0);
    assert_eq!(summary.value(Metric::Moved), Some(1.0));
    assert_eq!(summary.value(Metric::Kept), Some(0.75));
}

/// All are half learned when the last is: b after 200 and c after 950 steps, or so many after the second phase began.
#[test]
fn steps_to_half_are_counted_from_the_second_phase() {
    let mut evaluations = run(&[("a", 0.0, 200.0), ("b", 100.0, 300.0), ("c", 900.0, 1000.0)]);
    let of = |evaluations: &[Evaluation], capability: Option<&str>| {
        let summary = RunSummary::from_evaluations(evaluations).unwrap();
        summary.value_of(Metric::StepsToHalf, capability)
    };
    let close = |got: Option<f64>, expected: f64| {
        assert!(
            (got.unwrap() - expected).abs() < 1e-9,
            "{got:?}: {expected}"
        );
    };
    close(of(&evaluations, None), 950.0);
    close(of(&evaluations, Some("b")), 200.0);
    for one in evaluations.iter_mut().filter(|one| one.step > 500) {
        one.moved = Some(0.1);
    }
    close(of(&evaluations, None), 450.0);
    // It was half learned before: one step, of which a ratio can be taken.
    close(of(&evaluations, Some("b")), 1.0);
    assert_eq!(of(&evaluations, Some("d")), None);
    let summary = RunSummary::from_evaluations(&evaluations).unwrap();
    let lack = |capability| summary.lack_of(Metric::Spread, Some(capability));
    assert_eq!(lack("d"), Some(Lack::Capability));
    assert_eq!(lack("b"), Some(Lack::Several));
    evaluations.truncate(90);
    assert_eq!(of(&evaluations, None), None, "c never gets there");
}

/// What is only tested counts for nothing among the others, and by itself where it is asked for.
#[test]
fn one_capability_alone_is_the_run_of_it() {
    let mut evaluations = run(&[("a", 0.0, 200.0), ("b", 200.0, 600.0)]);
    let alone = RunSummary::from_evaluations(&run(&[("b", 200.0, 600.0)])).unwrap();
    for one in &mut evaluations {
        one.capabilities.get_mut("b").unwrap().frequency = 0.0;
    }
    let both = RunSummary::from_evaluations(&evaluations).unwrap();
    for &metric in Metric::ALL {
        assert_eq!(both.value_of(metric, None), both.value(metric));
        let of = both.value_of(metric, Some("b"));
        assert_eq!(of, alone.value(metric), "{}", metric.name());
    }
    assert_eq!(
        alone.value(Metric::Spread),
        None,
        "one is not apart from itself"
    );
}

proptest! {
    #[test]
    fn no_number_is_nan_or_infinite(
        numbers in prop::collection::vec((1..500_u64, odd_number(), odd_number(), odd_number()), 1..20),
        capabilities in 1..4_usize,
    ) {
        let mut step = 0;
        let run: Vec<Evaluation> = numbers.iter().map(|&(wait, accuracy, loss, probability)| {
            step += wait;
            let record = |index: usize| CapabilityRecord {
                accuracy: accuracy / (index + 1) as f64,
                loss: loss * (index + 1) as f64,
                chance: 0.1 * index as f64,
                frequency: 1.0 / (index + 1) as f64,
                probability: Some(probability),
                progress: Some(accuracy),
                parts: Vec::new(),
            };
            Evaluation {
                schema: 1,
                step,
                examples: step,
                train_loss: loss,
                standing_examples: None,
                gradient_evaluations: None,
                left_out: None,
                moved: Some(loss.abs()),
                compute: Some(loss),
                capabilities: (0..capabilities).map(|index| (format!("task-{index}"), record(index))).collect(),
            }
        }).collect();
        let summary = RunSummary::from_evaluations(&run).unwrap();
        let said = format!("{summary:?}");
        prop_assert!(!said.contains("NaN") && !said.contains("inf"), "{}", said);
    }
}
