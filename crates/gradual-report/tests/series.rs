//! Arms of a series: the front, the figures of metrics against strength, and the order of emergence.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::common::{Arm, Fixture, run_folder, write};
use gradual_report::report;
use gradual_runs::Digest;
use serde_json::{Value, json};
use tempfile::tempdir;

/// Rows of a table as maps.
fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let heads = reader.headers().unwrap().clone();
    let rows = reader.records().map(Result::unwrap);
    rows.map(|row| {
        let cells = heads.iter().zip(row.iter());
        cells
            .map(|(head, cell)| (head.to_owned(), cell.to_owned()))
            .collect()
    })
    .collect()
}

fn number(row: &BTreeMap<String, String>, key: &str) -> f64 {
    row[key].parse().unwrap()
}

fn fixture() -> Fixture {
    Fixture {
        arms: vec![
            Arm::new("erm", 100.0, 8.0, 0.3, false),
            Arm::new("power1", 130.0, 6.0, 0.4, true),
            Arm::new("power4", 160.0, 4.0, 0.5, true),
            Arm::new("power16", 200.0, 3.0, 0.9, true),
            Arm::new("labels", 500.0, 1.2, 0.6, true),
        ],
        ..Fixture::default()
    }
}

fn changed(path: &Path, change: impl Fn(&mut Value)) {
    let mut value: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    change(&mut value);
    write(path, &value.to_string());
}

/// The powers of [`fixture`] in a series, in another order than theirs.
fn in_series(dir: &Path) {
    changed(&dir.join("experiment.json"), |record| {
        for arm in record["arms"].as_array_mut().unwrap() {
            let name = arm["name"].as_str().unwrap();
            if let Some(at) = name.strip_prefix("power") {
                let at: f64 = at.parse().unwrap();
                arm["series"] = json!({ "name": "power", "at": at });
            }
        }
    });
}

fn geometric(values: &[f64]) -> f64 {
    (values.iter().map(|value| value.ln()).sum::<f64>() / values.len() as f64).exp()
}

#[test]
fn the_front_compares_each_run_with_the_baseline_of_its_seed() {
    let root = tempdir().unwrap();
    let dir = fixture().write(root.path());
    in_series(&dir);
    let html = fs::read_to_string(report(&dir).unwrap()).unwrap();
    let runs = rows(&dir.join("report/tables/runs.csv"));
    let of = |arm: &str, seed: &str, metric: &str| {
        let mut found = runs
            .iter()
            .filter(|row| row["arm"] == arm && row["seed"] == seed);
        number(found.next().unwrap(), metric)
    };
    let points = rows(&dir.join("report/figures/tax.csv"));
    let mut seen = 0;
    for point in &points {
        let (arm, seed) = (&point["arm"], &point["seed"]);
        let against = |metric: &str| of(arm, seed, metric) / of("erm", seed, metric);
        let tax = match point["tax_in"].as_str() {
            "steps" => against("steps_to_99"),
            "examples" => against("examples_to_99"),
            _ => against("gradients_to_99"),
        };
        let value = match point["metric"].as_str() {
            "relative_width_ratio" => against("relative_width"),
            _ => of(arm, seed, "spread"),
        };
        assert!((number(point, "tax") / tax - 1.0).abs() < 1e-9, "{point:?}");
        assert!(
            (number(point, "value") / value - 1.0).abs() < 1e-9,
            "{point:?}"
        );
        assert_eq!(
            point["series"],
            if arm.starts_with("power") {
                "power"
            } else {
                ""
            }
        );
        seen += 1;
    }
    // Two metrics against steps, and one against examples and against gradients.
    assert_eq!(seen, 5 * 5 * 4);
    // Which are as many as steps here, so that they have no panels.
    let figures = dir.join("report/figures");
    assert!(!figures.join("tax-width-examples.svg").exists());
    assert!(
        html.contains("In examples and in gradients the tax of every run is the same as in steps.")
    );
    // Few arms have their names beside their marks.
    let svg = fs::read_to_string(figures.join("tax-width.svg")).unwrap();
    for arm in ["erm", "power1", "power4", "power16", "labels"] {
        assert!(svg.contains(&format!("\n{arm}\n</text>")), "{arm}");
    }
    assert!(!svg.contains("at no tax"), "no claim asks for it");
    assert!(!html.contains("The shaded part"));
}

#[test]
fn what_claims_ask_for_is_shaded() {
    let root = tempdir().unwrap();
    let dir = fixture().write(root.path());
    changed(&dir.join("experiment.json"), |record| {
        let claim = |metric: &str, direction: &str, effect: f64| {
            json!({
                "statement": "It is so.", "source": "a test", "arm": "labels", "metric": metric,
                "direction": direction, "smallest_effect": effect
            })
        };
        record["claims"] = json!([
            claim("relative_width", "higher", 1.5),
            claim("steps_to_99", "lower", 1.0)
        ]);
    });
    let html = fs::read_to_string(report(&dir).unwrap()).unwrap();
    let svg = fs::read_to_string(dir.join("report/figures/tax-width.svg")).unwrap();
    assert!(svg.contains("≥ 1.5 times wider at no tax") && html.contains("The shaded part"));
    let spread = fs::read_to_string(dir.join("report/figures/tax-spread.svg")).unwrap();
    assert!(!spread.contains("at no tax"));
}

#[test]
fn many_arms_have_letters() {
    let root = tempdir().unwrap();
    let names: Vec<String> = (0..59)
        .map(|at| format!("arm-of-a-long-name-{at}"))
        .collect();
    let arms = names
        .iter()
        .enumerate()
        .map(|(at, name)| Arm::new(name, 100.0 + at as f64, 4.0, 0.3 + 0.01 * at as f64, false));
    let many = Fixture {
        arms: [Arm::new("erm", 110.0, 4.0, 0.4, false)]
            .into_iter()
            .chain(arms)
            .collect(),
        seeds: 3,
        evaluations: 40,
        capabilities: 3,
        ..Fixture::default()
    };
    let dir = many.write(root.path());
    report(&dir).unwrap();
    let svg = fs::read_to_string(dir.join("report/figures/tax-width.svg")).unwrap();
    let texts = roxmltree::Document::parse(&svg).unwrap();
    let texts: Vec<String> = texts
        .descendants()
        .filter(|node| node.has_tag_name("text"))
        .map(|node| node.text().unwrap_or_default().trim().to_owned())
        .collect();
    // Once beside the mark and once in the legend.
    for letter in ["A", "H", "Z", "a", "h", "z", "AA", "AH"] {
        assert_eq!(
            texts.iter().filter(|text| *text == letter).count(),
            2,
            "{letter}"
        );
    }
}

#[test]
fn series_of_three_arms_are_drawn_against_strength() {
    let root = tempdir().unwrap();
    let dir = fixture().write(root.path());
    report(&dir).unwrap();
    let figures = dir.join("report/figures");
    assert!(!figures.join("strength.csv").exists(), "there is no series");
    in_series(&dir);
    let html = fs::read_to_string(report(&dir).unwrap()).unwrap();
    assert!(html.contains("Metric against strength"));
    for metric in ["gap", "spread", "relative-width"] {
        assert!(
            figures.join(format!("strength-at-{metric}.svg")).exists(),
            "{metric}"
        );
    }
    let runs = rows(&dir.join("report/tables/runs.csv"));
    let points = rows(&figures.join("strength.csv"));
    for metric in ["gap", "spread", "relative_width"] {
        let ours: Vec<_> = points
            .iter()
            .filter(|row| row["metric"] == metric)
            .collect();
        let at: Vec<f64> = ours.iter().map(|row| number(row, "at")).collect();
        assert_eq!(at, [1.0, 4.0, 16.0], "in order of strength");
        for point in ours {
            let values = runs.iter().filter(|row| row["arm"] == point["arm"]);
            let values: Vec<f64> = values.map(|row| number(row, metric)).collect();
            assert_eq!(values.len(), 5);
            let mean = number(point, "mean");
            assert!((mean / geometric(&values) - 1.0).abs() < 1e-9, "{point:?}");
            assert!(number(point, "low") < mean && mean < number(point, "high"));
        }
    }

    // Two arms are no series to draw.
    changed(&dir.join("experiment.json"), |record| {
        record["arms"][1].as_object_mut().unwrap().remove("series");
    });
    let html = fs::read_to_string(report(&dir).unwrap()).unwrap();
    assert!(!html.contains("Metric against strength"));
}

/// Gives all runs of an arm this recipe, and proves their journals as they are now.
fn with_recipe(dir: &Path, arm: &str, recipe: &Value) {
    for seed in 0..5 {
        let folder = run_folder(dir, arm, seed);
        changed(&folder.join("config.json"), |config| {
            config["recipe"] = recipe.clone();
        });
        let mut marks = serde_json::Map::new();
        for journal in ["curves.jsonl", "groups.jsonl", "timing.jsonl"] {
            if let Ok(bytes) = fs::read(folder.join(journal)) {
                let digest = serde_json::to_value(Digest::of(&bytes)).unwrap();
                marks.insert(journal.to_owned(), digest);
            }
        }
        write(
            &folder.join("DONE"),
            &json!({ "end": "completed", "journals": marks }).to_string(),
        );
    }
}

/// Where the strength is the size of the model, the exponent of the final loss is told, and every capability is drawn.
#[test]
fn sizes_have_an_exponent_and_a_line_for_each_capability() {
    let root = tempdir().unwrap();
    let dir = fixture().write(root.path());
    in_series(&dir);
    for (arm, size) in [("power1", 1.0_f64), ("power4", 4.0), ("power16", 16.0)] {
        for seed in 0..5 {
            let path = run_folder(&dir, arm, seed).join("curves.jsonl");
            let text = fs::read_to_string(&path).unwrap();
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            let mut last: Value = serde_json::from_str(lines.last().unwrap()).unwrap();
            for one in last["capabilities"].as_object_mut().unwrap().values_mut() {
                one["loss"] = json!(3.0 * size.powf(-0.5) * (1.0 + 0.1 * seed as f64));
            }
            *lines.last_mut().unwrap() = last.to_string();
            write(&path, &(lines.join("\n") + "\n"));
        }
        with_recipe(
            &dir,
            arm,
            &json!({ "size": { "name": "model", "hidden": size } }),
        );
    }
    for arm in ["erm", "labels"] {
        with_recipe(&dir, arm, &json!({}));
    }
    let html = fs::read_to_string(report(&dir).unwrap()).unwrap();
    assert!(html.contains("Capabilities against size"));
    let told =
        "the final mean loss goes with the size to the power -0.500 (-0.500 to -0.500) in power;";
    assert!(html.contains(told), "{html}");
    let figures = dir.join("report/figures");
    assert!(figures.join("strength-sizes-final-loss.svg").exists());
    assert!(!figures.join("strength-at-gap.svg").exists());
    let points = rows(&figures.join("sizes.csv"));
    assert_eq!(points.len(), 3 * 6, "sizes and capabilities");
    let ends = rows(&dir.join("report/tables/curves.csv"));
    for point in points {
        let of = |row: &&BTreeMap<String, String>| {
            row["arm"] == point["arm"]
                && row["capability"] == point["capability"]
                && row["step"] == "4000"
        };
        let skills: Vec<f64> = ends
            .iter()
            .filter(of)
            .map(|row| (number(row, "accuracy") - 0.5) / 0.5)
            .collect();
        assert_eq!(skills.len(), 5);
        let mean = skills.iter().sum::<f64>() / 5.0;
        assert!((number(&point, "skill") - mean).abs() < 1e-9, "{point:?}");
        assert_eq!(point["arm"], format!("power{}", number(&point, "size")));
    }
}

/// Where the strength is the number of groups, what rules found is marked.
#[test]
fn numbers_of_groups_that_rules_found_are_marked() {
    let root = tempdir().unwrap();
    let dir = fixture().write(root.path());
    in_series(&dir);
    for (arm, k) in [
        ("erm", Value::Null),
        ("power1", json!(1)),
        ("power4", json!(4)),
        ("power16", json!(16)),
        ("labels", json!("eigengap")),
    ] {
        with_recipe(
            &dir,
            arm,
            &json!({ "grouping": { "name": "spectral", "k": k } }),
        );
    }
    let html = fs::read_to_string(report(&dir).unwrap()).unwrap();
    assert!(html.contains("Dotted: the number of groups that an arm found by a rule"));
    let svg = fs::read_to_string(dir.join("report/figures/strength-groups-gap.svg")).unwrap();
    assert!(svg.contains("groups, k") && svg.contains("labels"), "{svg}");
    assert!(!dir.join("report/figures/strength-at-gap.svg").exists());
}

#[test]
fn the_order_of_emergence_is_compared_with_the_baseline_and_between_seeds() {
    let root = tempdir().unwrap();
    let dir = fixture().write(root.path());
    // One arm in the reverse order: the last capability of the others is its first.
    for seed in 0..5 {
        let curves = run_folder(&dir, "labels", seed).join("curves.jsonl");
        let text = fs::read_to_string(&curves).unwrap();
        let reversed = text.lines().map(|line| {
            let mut value: Value = serde_json::from_str(line).unwrap();
            let before = value["capabilities"].as_object().unwrap().clone();
            let names: Vec<&String> = before.keys().collect();
            for (at, name) in names.iter().enumerate() {
                let other = &before[names[names.len() - 1 - at]];
                for key in ["accuracy", "loss", "probability"] {
                    value["capabilities"][name.as_str()][key] = other[key].clone();
                }
            }
            value.to_string() + "\n"
        });
        write(&curves, &reversed.collect::<String>());
    }
    let html = fs::read_to_string(report(&dir).unwrap()).unwrap();
    assert!(html.contains("<h2>Order of emergence</h2>") && html.contains("arXiv 2604.08510"));
    for row in rows(&dir.join("report/tables/order.csv")) {
        let with = &row["with_baseline"];
        match row["arm"].as_str() {
            "erm" => assert_eq!(with, ""),
            "labels" => assert_eq!(with, "-1.0"),
            _ => assert_eq!(with, "1.0"),
        }
        assert_eq!(
            row["between_seeds"], "1.0",
            "the seeds of the fixture have one order"
        );
        assert_eq!(row["seeds"], "5");
    }

    // Where one capability emerges there is no order.
    let short = Fixture {
        arms: vec![
            Arm::new("erm", 100.0, 1000.0, 0.3, false),
            Arm::new("labels", 100.0, 1000.0, 0.3, false),
        ],
        capabilities: 2,
        ..Fixture::default()
    };
    let root = tempdir().unwrap();
    let html = fs::read_to_string(report(&short.write(root.path())).unwrap()).unwrap();
    assert!(!html.contains("Order of emergence"));
}
