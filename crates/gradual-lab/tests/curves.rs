//! Arms mean what they meant: losses of 200 steps, as they were written down before arms became data. (Those of `skills` and of
//! the `svd` arms after 200 steps were written down again when operations became of one piece: equal to 5e-6 after ten steps, and
//! rounding had grown since.)

use std::collections::BTreeMap;
use std::fs;

use crate::common::run;
use serde_json::Value;

/// Step, capability, loss.
type Row = (u64, &'static str, f64);

/// Largest difference of a loss that may come of another processor's rounding.
const TOLERANCE: f64 = 2e-3;
/// The same for groups that are found anew in every draw, where an example may change sides.
const LOOSE: f64 = 1e-2;
const FOUND_ANEW: [&str; 4] = ["kmeans", "spectral", "spherical", "svd-squared"];

#[test]
fn every_arm_gives_the_losses_that_it_gave() {
    let home = tempfile::tempdir().unwrap();
    let out = format!("--out={}", home.path().display());
    let mut expected = BTreeMap::<(&str, &str), Vec<Row>>::new();
    for line in include_str!("fixtures/curves.csv").lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let [experiment, arm, step, capability, loss] = fields[..] else {
            panic!("{line}");
        };
        let row = (step.parse().unwrap(), capability, loss.parse().unwrap());
        expected.entry((experiment, arm)).or_default().push(row);
    }
    for (experiment, draw) in [
        ("sparse-parity", "--draw=128"),
        ("skills", "--draw=32"),
        ("table", "--draw=64"),
    ] {
        let arms = expected
            .keys()
            .filter(|key| key.0 == experiment)
            .map(|key| key.1);
        let arms = format!("--arms={}", arms.collect::<Vec<_>>().join(","));
        run(&[
            experiment,
            "--quick",
            "--seeds=1",
            "--steps=200",
            draw,
            &arms,
            &out,
        ]);
    }
    for ((experiment, arm), rows) in expected {
        let file = home
            .path()
            .join(format!("{experiment}-quick/{arm}/seed-0/curves.jsonl"));
        let text = fs::read_to_string(file).unwrap();
        let lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let tolerance = if FOUND_ANEW.contains(&arm) {
            LOOSE
        } else {
            TOLERANCE
        };
        for (step, capability, loss) in rows {
            let line = lines.iter().find(|line| line["step"] == step).unwrap();
            let got = line["capabilities"][capability]["loss"].as_f64().unwrap();
            assert!(
                (got - loss).abs() < tolerance,
                "{experiment} {arm} step {step} {capability}: {got}, {loss} before"
            );
        }
    }
}
