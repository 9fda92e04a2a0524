//! Claims against another arm than the baseline, or against a number.

use std::fs;

use crate::common::{Fixture, write};
use gradual_report::{claims, report};
use serde_json::{Value, json};
use tempfile::tempdir;

/// The experiment of the fixture with one claim: the spread of `labels` (about 2.2) against `against`.
fn with_claim(root: &std::path::Path, against: &Value, smallest_effect: f64) -> std::path::PathBuf {
    let dir = Fixture::default().write(root);
    let path = dir.join("experiment.json");
    let mut record: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    let mut claim = record["claims"][0].clone();
    claim["against"] = against.clone();
    claim["smallest_effect"] = json!(smallest_effect);
    record["claims"] = json!([claim]);
    write(&path, &record.to_string());
    dir
}

fn judged(dir: &std::path::Path) -> Value {
    report(dir).unwrap();
    let text = fs::read_to_string(dir.join("report/summary.json")).unwrap();
    let summary: Value = serde_json::from_str(&text).unwrap();
    summary["verdicts"][0].clone()
}

#[test]
fn a_claim_compares_with_the_arm_that_it_names() {
    let root = tempdir().unwrap();
    let dir = with_claim(root.path(), &json!("singular-vectors"), 0.8);
    let held = judged(&dir);
    assert_eq!(held["baseline"], "singular-vectors");
    assert_eq!(held["verdict"], "supported");
    // 2 against 4.
    let ratio = held["effect"]["ratio"].as_f64().unwrap();
    assert!((ratio - 0.5).abs() < 0.05, "{ratio}");
    let page = root.path().join("claims.md");
    claims(std::slice::from_ref(&dir), &page).unwrap();
    let text = fs::read_to_string(&page).unwrap();
    assert!(
        text.contains("of `labels` against `singular-vectors`"),
        "{text}"
    );
}

#[test]
fn a_claim_compares_with_a_number() {
    for (number, verdict) in [(2.0, "supported"), (1.0, "not_supported")] {
        let root = tempdir().unwrap();
        let dir = with_claim(root.path(), &json!(number), 1.5);
        let held = judged(&dir);
        assert_eq!(held["baseline"], number);
        assert_eq!(held["verdict"], verdict);
        let ratio = held["effect"]["ratio"].as_f64().unwrap();
        assert!((ratio * number - 2.2).abs() < 0.3, "{ratio}");
        let page = root.path().join("claims.md");
        claims(std::slice::from_ref(&dir), &page).unwrap();
        let text = fs::read_to_string(&page).unwrap();
        assert!(
            text.contains(&format!("of `labels` against `{number}`")),
            "{text}"
        );
        // A row for the arm alone.
        let figure = root.path().join("figures/claims/claim-parity-1.svg");
        let svg = fs::read_to_string(figure).unwrap();
        assert_eq!(svg.matches("<title>").count(), 5);
    }
}

#[test]
fn a_claim_on_a_number_that_runs_cannot_have_says_why() {
    let root = tempdir().unwrap();
    let small = Fixture {
        seeds: 2,
        unequal: false,
        thresholdless: false,
        ..Fixture::default()
    };
    let dir = small.write(root.path());
    let path = dir.join("experiment.json");
    let mut record: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    let claim = |metric: &str, arm: &str| {
        let mut claim = record["claims"][0].clone();
        (claim["metric"], claim["arm"]) = (json!(metric), json!(arm));
        claim
    };
    let cases = [
        ("moved", "there is no second phase"),
        ("kept", "there is no second phase"),
        ("composed_delay", "no capability is composed of others"),
        ("composed_width", "no capability is composed of others"),
        ("composed_skill", "no capability is composed of others"),
        ("order", "all capabilities are equally frequent"),
        (
            "relative_width_by_probability",
            "the probability of the right answer is not recorded",
        ),
        ("hidden_lead", "hidden progress is not recorded"),
    ];
    let mut claims: Vec<Value> = cases.map(|(metric, _)| claim(metric, "labels")).to_vec();
    claims.push(claim("gap", "forgotten"));
    record["claims"] = json!(claims);
    write(&path, &record.to_string());
    report(&dir).unwrap();
    let text = fs::read_to_string(dir.join("report/summary.json")).unwrap();
    let summary: Value = serde_json::from_str(&text).unwrap();
    for (at, (metric, why)) in cases.into_iter().enumerate() {
        let held = &summary["verdicts"][at];
        assert_eq!(held["verdict"], "inconclusive", "{metric}");
        let said = format!("2 of 2 runs of labels can't have this number, for {why}");
        assert_eq!(held["reason"], said, "{metric}");
    }
    let reason = &summary["verdicts"][cases.len()]["reason"];
    assert_eq!(reason, "there is no run of forgotten");
}

#[test]
fn several_experiments_keep_what_their_claims_compare_with() {
    let (one, other) = (tempdir().unwrap(), tempdir().unwrap());
    let dirs =
        [one.path(), other.path()].map(|root| with_claim(root, &json!("singular-vectors"), 0.8));
    let out = tempdir().unwrap();
    let to = out.path().join("both");
    gradual_report::Report::new(dirs)
        .with_out(&to)
        .write()
        .unwrap();
    let text = fs::read_to_string(to.join("summary.json")).unwrap();
    let summary: Value = serde_json::from_str(&text).unwrap();
    let held = summary["verdicts"].as_array().unwrap();
    assert_eq!(held[0]["baseline"], "parity/singular-vectors");
    assert_eq!(held[1]["baseline"], "parity-2/singular-vectors");
    assert!(held.iter().all(|held| held["verdict"] == "supported"));
}

/// A claim may be about one capability: the ratio is then that of its own times.
#[test]
fn a_claim_on_one_capability_looks_at_it_alone() {
    let root = tempdir().unwrap();
    let dir = with_claim(root.path(), &json!("singular-vectors"), 0.8);
    let path = dir.join("experiment.json");
    let mut record: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    let curves = fs::read_to_string(dir.join("labels/seed-0/curves.jsonl")).unwrap();
    let line: Value = serde_json::from_str(curves.lines().next().unwrap()).unwrap();
    let names: Vec<String> = line["capabilities"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    let of = |name: &str| {
        let mut claim = record["claims"][0].clone();
        claim["metric"] = json!("steps_to_half");
        claim["capability"] = json!(name);
        claim
    };
    let claims: Vec<Value> = names
        .iter()
        .map(|name| of(name))
        .chain([of("nothing")])
        .collect();
    record["claims"] = json!(claims);
    write(&path, &record.to_string());
    report(&dir).unwrap();
    let text = fs::read_to_string(dir.join("report/summary.json")).unwrap();
    let summary: Value = serde_json::from_str(&text).unwrap();
    let held = summary["verdicts"].as_array().unwrap();
    let ratios: Vec<f64> = held[..names.len()]
        .iter()
        .map(|one| one["effect"]["ratio"].as_f64().unwrap())
        .collect();
    // Against the t50 of every run, capability by capability.
    let table = fs::read_to_string(dir.join("report/tables/capabilities.csv")).unwrap();
    let mut rows = csv::Reader::from_reader(table.as_bytes());
    let heads = rows.headers().unwrap().clone();
    let column = |name: &str| heads.iter().position(|head| head == name).unwrap();
    let rows: Vec<csv::StringRecord> = rows.records().map(Result::unwrap).collect();
    for (name, ratio) in names.iter().zip(ratios) {
        let logs = |arm: &str| -> Vec<f64> {
            let own = rows.iter().filter(|row| {
                row[column("arm")] == *arm
                    && row[column("capability")] == **name
                    && row[column("measure")] == *"accuracy"
            });
            own.map(|row| row[column("t50")].parse::<f64>().unwrap().ln())
                .collect()
        };
        let mean = |logs: Vec<f64>| logs.iter().sum::<f64>() / logs.len() as f64;
        let expected = (mean(logs("labels")) - mean(logs("singular-vectors"))).exp();
        assert!(
            (ratio - expected).abs() < 1e-3,
            "{name}: {ratio} and {expected}"
        );
    }
    let reason = held[names.len()]["reason"].as_str().unwrap();
    assert!(reason.contains("there is no such capability"), "{reason}");
    let html = fs::read_to_string(dir.join("report/index.html")).unwrap();
    assert!(html.contains(&format!("steps to half of the skill ({})", names[0])));
}
