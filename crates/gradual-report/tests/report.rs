//! The report of a synthetic experiment: numbers, files and odd shapes.

use std::fs;
use std::path::Path;

use crate::common::{Arm, Fixture, run_folder, write};
use gradual_measure::{Metric, Topic};
use gradual_report::report;
use serde_json::Value;
use tempfile::tempdir;

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

fn summary(dir: &Path) -> Value {
    serde_json::from_str(&read(&dir.join("report/summary.json"))).unwrap()
}

/// The page of a fixture after `change`, and its folder's summary.
fn reported(fixture: &Fixture, change: impl FnOnce(&Path)) -> (String, Value) {
    let root = tempdir().unwrap();
    let dir = fixture.write(root.path());
    change(&dir);
    let page = report(&dir).unwrap();
    assert_eq!(page, dir.join("report/index.html"));
    for figure in fs::read_dir(dir.join("report/figures")).unwrap() {
        let path = figure.unwrap().path();
        if path.extension().unwrap() != "svg" {
            continue;
        }
        let svg = read(&path);
        let document = roxmltree::Document::parse(&svg).unwrap();
        assert_eq!(document.root_element().tag_name().name(), "svg");
        assert!(!svg.contains("#0100") && !svg.contains("#0200") && !svg.contains("NaN"));
    }
    let html = read(&page);
    for svg in html.split("<svg ").skip(1) {
        let end = svg.find("</svg>").unwrap();
        roxmltree::Document::parse(&format!("<svg {}</svg>", &svg[..end])).unwrap();
    }
    // The one script is the page's own.
    assert_eq!(html.matches("<script").count(), 1);
    for outside in [
        "<script ", "<link", "<img", "@import", "url(", "src=", "http:", "https:",
    ] {
        let html = html.replace("http://www.w3.org/2000/svg", "");
        assert!(!html.contains(outside), "{outside}");
    }
    let (body, _) = html.split_once("<script>").unwrap();
    assert!(!body.contains("NaN") && !body.contains("inf "));
    (html, summary(&dir))
}

#[test]
fn verdicts_and_metrics_come_out_as_built() {
    let (html, summary) = reported(&Fixture::default(), |_| ());
    let verdicts: Vec<&str> = summary["verdicts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|held| held["verdict"].as_str().unwrap())
        .collect();
    assert_eq!(
        verdicts,
        ["supported", "not_supported", "supported", "supported"]
    );
    let arms = summary["arms"].as_array().unwrap();
    let names: Vec<&str> = arms
        .iter()
        .map(|arm| arm["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["erm", "labels", "singular-vectors"]);
    // Ratios 20, 20.8, … 23.2 of the fixture, seen through evaluations 50 steps apart.
    let metric = |name: &str| {
        let all = arms[0]["metrics"].as_array().unwrap();
        let found = all.iter().find(|one| one["metric"] == name).unwrap();
        found["sample"]["mean"].as_f64().unwrap()
    };
    assert!(
        (metric("spread") - 21.6).abs() < 1.0,
        "{}",
        metric("spread")
    );
    let ratio = summary["verdicts"][0]["effect"]["ratio"].as_f64().unwrap();
    assert!((ratio - 0.1).abs() < 0.005, "{ratio}");
    assert!((metric("steps_per_second") - 200.0).abs() < 1e-9);
    assert!((metric("seconds_to_90") - metric("steps_to_90") / 200.0).abs() < 1e-9);
    assert!((metric("order") - 1.0).abs() < 1e-9);
    assert!((metric("steps_to_worst_90") / metric("steps_to_90") - 1.0) > 0.05);
    // The three claims that hold, corrected for all four.
    for claim in [0, 2] {
        let (p, adjusted) = (
            &summary["verdicts"][claim]["p"],
            &summary["verdicts"][claim]["adjusted_p"],
        );
        assert!(
            p.as_f64() <= adjusted.as_f64() && adjusted.as_f64() < Some(0.05),
            "{p} {adjusted}"
        );
    }
    assert!(html.contains("Multitask parity: do groups rise &lt;together&gt;?"));
    assert!(html.contains("Of 4 claims: 3 supported and 1 not supported."));
    assert!(html.contains("15 runs of 3 arms on 6 capabilities, all finished."));
    assert!(html.contains("cargo xtask experiment parity"));
    assert!(html.contains("<dt>commit</dt><dd>0123abc</dd>"));
}

#[test]
fn tables_hold_every_number() {
    let root = tempdir().unwrap();
    let dir = Fixture::default().write(root.path());
    report(&dir).unwrap();
    let rows = |name: &str| -> Vec<String> {
        let text = read(&dir.join("report/tables").join(name));
        text.lines().map(str::to_owned).collect()
    };
    assert_eq!(
        rows("verdicts.csv")[0],
        "experiment,statement,source,arm,baseline,metric,capability,direction,smallest_effect,ratio,low,high,\
         bootstrap_low,bootstrap_high,p,adjusted_p,seeds,verdict,reason"
    );
    assert_eq!(rows("verdicts.csv").len(), 1 + 4);
    // The agreement with the baseline and steps per second beside the metrics; nothing is composed.
    let metrics = Metric::ALL.iter();
    let metrics = metrics.filter(|one| one.topic() != Topic::Composed).count();
    assert_eq!(rows("metrics.csv").len(), 1 + 3 * (metrics + 2));
    assert_eq!(rows("runs.csv").len(), 1 + 15);
    // By accuracy, loss and probability.
    assert_eq!(rows("capabilities.csv").len(), 1 + 15 * 6 * 3);
    assert_eq!(rows("curves.csv").len(), 1 + 15 * 6 * 81);
    assert!(rows("runs.csv")[1].starts_with("erm,0,true,4000,6,6,"));
    let left: Vec<_> = fs::read_dir(dir.join("report/tables"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".partial"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn equal_runs_give_equal_reports() {
    let (first, _) = reported(&Fixture::default(), |_| ());
    let (second, _) = reported(&Fixture::default(), |_| ());
    assert_eq!(first, second);
}

#[test]
fn odd_shapes_do_not_break_it() {
    for arms in [1, 12] {
        for capabilities in [1, 20] {
            for (seeds, evaluations) in [(1, 1), (2, 3), (5, 0)] {
                let fixture = Fixture {
                    arms: (0..arms)
                        .map(|index| {
                            let name = if index == 0 {
                                "erm".into()
                            } else {
                                format!("an arm with a rather long name {index}")
                            };
                            Arm::new(
                                &name,
                                50.0 + 60.0 * f64::from(index),
                                9.0,
                                0.4,
                                index % 2 == 1,
                            )
                        })
                        .collect(),
                    capabilities,
                    seeds,
                    evaluations,
                    unequal: false,
                    ..Fixture::default()
                };
                reported(&fixture, |_| ());
            }
        }
    }
}

#[test]
fn what_never_came_is_said() {
    let fixture = Fixture {
        steps: 1000,
        ..Fixture::default()
    };
    let (html, summary) = reported(&fixture, |_| ());
    assert!(html.contains("Capabilities that never reached a skill of 50 %: "));
    assert!(html.contains(" of 30 in <code>labels</code> (over 5 seeds)"));
    assert!(html.contains("mean accuracy never reaches 90 %"));
    assert_eq!(summary["verdicts"][0]["verdict"], "inconclusive");
    let reason = summary["verdicts"][0]["reason"].as_str().unwrap();
    assert_eq!(reason, "5 of 5 runs of labels never got there");
    assert_eq!(summary["arms"][0]["metrics"][0]["sample"], Value::Null);
    assert!(html.contains("of 30 reached"));
}

/// What part of the reference's effect an arm has: from the numbers of the runs, the plain way.
#[test]
fn arms_have_a_share_of_the_effect_of_a_reference() {
    let named = |dir: &Path| {
        let path = dir.join("experiment.json");
        let mut record: Value = serde_json::from_str(&read(&path)).unwrap();
        record["reference"] = "labels".into();
        write(&path, &record.to_string());
    };
    let (html, with) = reported(&Fixture::default(), named);
    let arms = with["arms"].as_array().unwrap();
    let logs = |arm: &Value, metric: &str| -> f64 {
        let seeds = arm["seeds"].as_array().unwrap().iter();
        let values = seeds.map(|seed| seed["metrics"][metric].as_f64().unwrap().ln());
        values.sum()
    };
    for metric in ["spread", "gap"] {
        let [erm, labels, vectors] = [0, 1, 2].map(|arm| logs(&arms[arm], metric));
        let shares = arms[2]["shares"].as_array().unwrap();
        let one = shares.iter().find(|one| one["metric"] == metric).unwrap();
        let expected = (vectors - erm) / (labels - erm);
        assert!(
            (one["share"].as_f64().unwrap() - expected).abs() < 1e-9,
            "{one}"
        );
        let (low, high) = (&one["interval"]["low"], &one["interval"]["high"]);
        assert!(low.as_f64().unwrap() <= expected && expected <= high.as_f64().unwrap());
        assert_eq!(one["seeds"], 5);
    }
    // Neither the baseline nor the reference has a share of itself.
    assert!(arms[0]["shares"].is_null() && arms[1]["shares"].is_null());
    assert!(html.contains("<h2>Share of the effect of <code>labels</code></h2>"));
    let (without, summary) = reported(&Fixture::default(), |_| ());
    assert!(!without.contains("Share of the effect"));
    assert!(summary["arms"][2]["shares"].is_null());
    let same = Fixture {
        arms: vec![
            Arm::new("erm", 100.0, 20.0, 0.3, false),
            Arm::new("labels", 100.0, 20.0, 0.3, true),
            Arm::new("found", 400.0, 4.0, 0.6, true),
        ],
        ..Fixture::default()
    };
    let root = tempdir().unwrap();
    let dir = same.write(root.path());
    named(&dir);
    // Whose effect is none at all, of that nobody has a share.
    let page = read(&report(&dir).unwrap());
    assert!(!page.contains("Share of the effect"));
    assert!(!dir.join("report/tables/shares.csv").exists());
}

#[test]
fn the_tax_has_another_goal_where_the_baseline_is_too_slow() {
    let fixture = Fixture {
        arms: vec![
            Arm::new("erm", 100.0, 20.0, 0.3, false),
            Arm::new("labels", 150.0, 3.0, 0.6, true),
        ],
        steps: 1000,
        ..Fixture::default()
    };
    let (html, summary) = reported(&fixture, |_| ());
    let metrics = summary["arms"][0]["metrics"].as_array().unwrap();
    let to_90 = metrics
        .iter()
        .find(|one| one["metric"] == "steps_to_90")
        .unwrap();
    assert_eq!(to_90["sample"], Value::Null);
    assert!(html.contains("steps to 50 % mean skill (the baseline never comes to 90 % accuracy)"));
    let (html, _) = reported(&Fixture::default(), |_| ());
    assert!(html.contains("the tax: steps to 99 % mean accuracy, as a multiple"));
}

#[test]
fn unfinished_runs_are_shown_and_not_counted() {
    let (html, summary) = reported(&Fixture::default(), |dir| {
        let folder = run_folder(dir, "labels", 2);
        fs::remove_file(folder.join("DONE")).unwrap();
        let curves = read(&folder.join("curves.jsonl"));
        let lines: Vec<&str> = curves.lines().take(20).collect();
        let torn = lines.join("\n") + "\n" + &lines[3][..40];
        write(&folder.join("curves.jsonl"), &torn);
    });
    assert_eq!(summary["arms"][1]["runs"], 5);
    assert_eq!(summary["arms"][1]["finished"], 4);
    assert_eq!(summary["verdicts"][0]["effect"]["seeds"], 4);
    assert_eq!(
        summary["verdicts"][0]["reason"],
        "4 pairs of seeds; a verdict takes at least 5"
    );
    assert!(html.contains("Arm <code>labels</code>, seed 2 is unfinished: 950 of 4000 steps."));
    assert!(html.contains("The torn last line 21 of "));
    assert!(html.contains("+ 1 unfinished, not counted"));
}

#[test]
fn an_arm_without_a_finished_run_is_provisional() {
    let (html, summary) = reported(&Fixture::default(), |dir| {
        for seed in 0..5 {
            fs::remove_file(run_folder(dir, "labels", seed).join("DONE")).unwrap();
        }
        fs::remove_dir_all(dir.join("singular-vectors")).unwrap();
    });
    assert_eq!(summary["arms"][1]["provisional"], true);
    assert_eq!(summary["verdicts"][0]["verdict"], "inconclusive");
    assert_eq!(
        summary["verdicts"][1]["reason"],
        "there is no run of singular-vectors"
    );
    assert!(html.contains("Arm <code>singular-vectors</code> has no evaluated run."));
}

#[test]
fn arms_without_runs_share_a_note() {
    let (html, _) = reported(&Fixture::default(), |dir| {
        for arm in ["labels", "singular-vectors"] {
            fs::remove_dir_all(dir.join(arm)).unwrap();
        }
    });
    let note = "Arms without an evaluated run: <code>labels</code>, <code>singular-vectors</code>.";
    assert!(html.contains(note));
}

#[test]
fn names_cannot_break_the_page() {
    let fixture = Fixture {
        arms: vec![
            Arm::new("erm", 100.0, 5.0, 0.3, false),
            Arm::new("a <b> & \"c\"", 100.0, 5.0, 0.3, true),
        ],
        ..Fixture::default()
    };
    let (html, _) = reported(&fixture, |_| ());
    assert!(html.contains("a &lt;b&gt; &amp; &quot;c&quot;"));
    assert!(!html.contains("<b> &"));
}

/// Of capabilities that are composed of others there is a table of its own, and nothing where there are none.
#[test]
fn composed_capabilities_have_a_table_of_their_own() {
    let (html, summary) = reported(&Fixture::default(), |_| ());
    assert!(!html.contains("<h2>Composed</h2>") && !html.contains("product of their parts"));
    assert!(!summary.to_string().contains("composed_"));
    let fixture = Fixture::default();
    let (html, summary) = reported(&fixture, |dir| {
        for arm in &fixture.arms {
            for seed in 0..fixture.seeds {
                let path = run_folder(dir, &arm.name, seed).join("curves.jsonl");
                let lines = read(&path);
                let lines = lines.lines().map(|line| {
                    let mut line: Value = serde_json::from_str(line).unwrap();
                    line["capabilities"]["task-01"]["parts"] = serde_json::json!(["task-00"]);
                    line.to_string() + "\n"
                });
                write(&path, &lines.collect::<String>());
            }
        }
    });
    let (_, table) = html.split_once("<h2>Composed</h2>").unwrap();
    let (table, _) = table.split_once("<h2>").unwrap_or((table, ""));
    for head in ["delay", "width", "final skill"] {
        assert!(table.contains(&format!(">{head}<")), "{table}");
    }
    // The second capability is learned after its only part.
    let delay = &summary["arms"][0]["metrics"]
        .as_array()
        .unwrap()
        .iter()
        .find(|metric| metric["metric"] == "composed_delay")
        .unwrap()["sample"]["mean"];
    assert!(delay.as_f64().unwrap() > 1.0, "{delay}");
}
