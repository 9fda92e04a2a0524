//! Records: the exact lines, the round trip, and what is refused.

use std::collections::BTreeMap;

use gradual_measure::{Claim, Direction, Metric};
use gradual_runs::{
    ArmRecord, CapabilityRecord, ChurnRecord, Evaluation, ExperimentRecord, GroupingRecord,
    InSeries, Record, RunConfig, RunsError, SCHEMA, Timing,
};
use proptest::prelude::*;

fn evaluation(loss: f64) -> Evaluation {
    Evaluation {
        schema: SCHEMA,
        step: 60,
        examples: 30720,
        train_loss: 0.69,
        standing_examples: None,
        gradient_evaluations: None,
        left_out: None,
        moved: None,
        compute: None,
        capabilities: BTreeMap::from([(
            "task-00".to_owned(),
            CapabilityRecord {
                accuracy: 0.51,
                loss,
                chance: 0.5,
                frequency: 0.204,
                probability: None,
                progress: None,
                parts: Vec::new(),
            },
        )]),
    }
}

fn grouping() -> GroupingRecord {
    GroupingRecord {
        schema: SCHEMA,
        step: 3,
        groups: 2,
        sizes: vec![],
        members: vec![],
        identities: vec![],
        shares: BTreeMap::new(),
        negative: None,
        spectrum: vec![],
        recovery: None,
        estimates: BTreeMap::new(),
        churn: None,
    }
}

fn round_trip<R: Record + PartialEq + std::fmt::Debug>(record: &R) {
    let line = record.to_line().unwrap();
    assert!(!line.contains('\n'));
    assert_eq!(&R::from_line(&line).unwrap(), record);
}

#[test]
fn evaluation_line_is_as_designed() {
    let line = r#"{"schema":1,"step":60,"examples":30720,"train_loss":0.69,"capabilities":{"task-00":{"accuracy":0.51,"loss":0.693,"chance":0.5,"frequency":0.204}}}"#;
    assert_eq!(evaluation(0.693).to_line().unwrap(), line);
    assert_eq!(Evaluation::from_line(line).unwrap(), evaluation(0.693));
}

#[test]
fn grouping_line_leaves_out_what_is_empty() {
    let line = r#"{"schema":1,"step":3,"groups":2}"#;
    assert_eq!(grouping().to_line().unwrap(), line);
    round_trip(&grouping());
    round_trip(&GroupingRecord {
        sizes: vec![3, 5],
        members: vec![
            BTreeMap::from([("a".to_owned(), 3)]),
            BTreeMap::from([("a".to_owned(), 1), ("b".to_owned(), 4)]),
        ],
        identities: vec![0, 7],
        shares: BTreeMap::from([("a".to_owned(), 0.25), ("b".to_owned(), 0.75)]),
        spectrum: vec![2.0, 0.1],
        recovery: Some(0.3),
        estimates: BTreeMap::from([("eigengap".to_owned(), 20)]),
        churn: Some(ChurnRecord {
            births: 1,
            deaths: 2,
            changed: 0.25,
            adjusted_rand: Some(0.9),
        }),
        ..grouping()
    });
}

#[test]
fn files_come_back_as_they_were() {
    round_trip(&Timing {
        schema: SCHEMA,
        step: 5,
        seconds: 0.1,
        peak_memory: Some(3 << 20),
    });
    round_trip(&RunConfig {
        schema: SCHEMA,
        experiment: "parity".into(),
        arm: "erm".into(),
        seed: 0,
        steps: 1000,
        draw: 512,
        backend: "flex".into(),
        task: serde_json::json!({"bits": 4}),
        recipe: serde_json::json!({"composition": {"cvar": {"alpha": 0.5}}, "layers": ["first", "last"]}),
        settings: serde_json::json!({"evaluate_every": 10}),
    });
    round_trip(&ExperimentRecord {
        schema: SCHEMA,
        name: "parity".into(),
        title: "Parity".into(),
        claim: "gradually".into(),
        baseline: "erm".into(),
        reference: None,
        arms: vec![ArmRecord {
            name: "erm".into(),
            about: "mean loss".into(),
            control: Some("the learning rate".into()),
            series: Some(InSeries {
                name: "rate".into(),
                at: 0.1,
            }),
            runs: Some(5),
        }],
        claims: Metric::ALL
            .iter()
            .map(|&metric| Claim {
                statement: metric.label().into(),
                source: "post".into(),
                arm: "grouped".into(),
                against: None,
                capability: (metric == Metric::Gap).then(|| String::from("add")),
                metric,
                direction: Direction::Lower,
                smallest_effect: 0.8,
            })
            .collect(),
        notes: vec![String::from("wine.csv: 3 missing cells")],
        commands: vec![String::from("cargo xtask experiment parity").into()],
    });
}

#[test]
fn metrics_and_directions_have_their_names() {
    for &metric in Metric::ALL {
        let name = serde_json::to_value(metric).unwrap();
        assert_eq!(name, metric.name());
        assert!(!metric.label().is_empty());
    }
    // Names that run folders hold already.
    for name in [
        "spread",
        "gap",
        "steps_to_90",
        "steps_to_99",
        "relative_width",
        "effective_increments",
        "final_accuracy",
    ] {
        assert!(
            Metric::ALL.iter().any(|metric| metric.name() == name),
            "{name}"
        );
    }
    let directions = serde_json::to_string(&[Direction::Lower, Direction::Higher]).unwrap();
    assert_eq!(directions, r#"["lower","higher"]"#);
}

#[test]
fn optional_numbers_are_left_out_and_come_back() {
    let mut full = evaluation(0.5);
    full.compute = Some(1e15);
    let capability = full.capabilities.get_mut("task-00").unwrap();
    (capability.probability, capability.progress) = (Some(0.6), Some(0.25));
    round_trip(&full);
    // A line as it was before there were these fields.
    let old = r#"{"schema":1,"name":"p","title":"P","claim":"c","baseline":"erm","arms":[{"name":"erm","about":"mean"}],"claims":[],"command":"x"}"#;
    let record = ExperimentRecord::from_line(old).unwrap();
    assert_eq!(record.arms[0].control, None);
    assert_eq!(record.commands, [String::from("x").into()]);
    // The command is one of several since.
    let new = old.replace(r#""command":"x""#, r#""commands":[{"command":"x"}]"#);
    assert_eq!(record.to_line().unwrap(), new);
    assert_eq!(ExperimentRecord::from_line(&new).unwrap(), record);
}

#[test]
fn numbers_that_json_cannot_hold_are_refused_by_name() {
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let cases = [
            (evaluation(number).to_line(), "capabilities.task-00.loss"),
            (
                GroupingRecord {
                    recovery: Some(number),
                    ..grouping()
                }
                .to_line(),
                "recovery",
            ),
            (
                GroupingRecord {
                    spectrum: vec![1.0, number],
                    ..grouping()
                }
                .to_line(),
                "spectrum[1]",
            ),
            (
                GroupingRecord {
                    shares: BTreeMap::from([("add".to_owned(), number)]),
                    ..grouping()
                }
                .to_line(),
                "shares.add",
            ),
        ];
        for (result, field) in cases {
            let message = result.unwrap_err().to_string();
            assert!(
                message.contains(&format!(
                    "expected a finite number at {field}, got {number}"
                )),
                "{message}"
            );
        }
    }
}

#[test]
fn torn_lines_and_other_schemas_are_refused() {
    let line = evaluation(0.693).to_line().unwrap();
    for end in 0..line.len() {
        assert!(matches!(
            Evaluation::from_line(&line[..end]),
            Err(RunsError::Read { .. })
        ));
    }
    let later = line.replace("\"schema\":1", "\"schema\":2");
    let message = Evaluation::from_line(&later).unwrap_err().to_string();
    assert_eq!(message, "read evaluation: expected schema 1, got 2");
}

proptest! {
    #[test]
    fn every_finite_number_comes_back_bit_for_bit(bits: u64) {
        let number = f64::from_bits(bits);
        prop_assume!(number.is_finite());
        let back = Evaluation::from_line(&evaluation(number).to_line().unwrap()).unwrap();
        prop_assert_eq!(back.capabilities["task-00"].loss.to_bits(), bits);
    }
}

/// Nothing is written that could not be read back.
#[test]
fn lines_that_nobody_would_read_are_not_written() {
    let mut long = evaluation(1.0);
    let record = long.capabilities.values().next().unwrap().clone();
    for at in 0..30_000 {
        let name = format!("{}{at}", "\u{1f600}".repeat(150));
        long.capabilities.insert(name, record.clone());
    }
    let error = long.to_line().unwrap_err().to_string();
    assert!(
        error.contains("the evaluation has") && error.contains("16777216 is the most that is read"),
        "{error}"
    );
}
