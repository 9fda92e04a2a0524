//! Groups along a run, held against the true ones.

use std::path::PathBuf;

use serde_json::json;

use super::*;

/// The short protocol on `task` with these flags: what it prints, its folder, and its numbers.
fn protocol(home: &Path, task: &str, flags: &[&str]) -> (String, PathBuf, Value) {
    let (task_flag, out) = (
        format!("--task={task}"),
        format!("--out={}", home.display()),
    );
    let mut arguments = vec!["grouping-quality", &task_flag, "--quick", &out];
    arguments.extend(flags);
    let said = run(&arguments.into_iter().map(str::to_owned).collect::<Vec<_>>());
    let folder = home.join(format!("grouping-quality-{task}-quick"));
    let numbers = numbers(&folder);
    (said, folder, numbers)
}

/// What stands in `quality.json`.
fn numbers(folder: &Path) -> Value {
    let text = fs::read_to_string(folder.join("report/quality.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Every row at every step that is looked at, in lines, tables, a figure and a page.
#[test]
fn found_groups_are_held_against_tasks_and_codes() {
    let home = tempfile::tempdir().unwrap();
    let out = format!("--out={}", home.path().display());
    let arguments = [
        "grouping-quality",
        "--quick",
        "--aliases=2",
        "--depth=2",
        "--steps=2",
        "--draw=32",
        "--jobs=1",
        "--arms=erm",
        &out,
    ]
    .map(str::to_owned);
    let said = run(&arguments);
    let folder = home.path().join("grouping-quality-quick");
    assert!(said.contains("| spectral C², whitened gradients, first layer |"));
    assert!(said.contains("## Aliases partners, squared: all tasks"));
    let page = said.trim().lines().last().unwrap();
    assert_eq!(Path::new(page), folder.join("report/index.html"));
    assert!(fs::read_to_string(page).unwrap().contains("<svg"));
    let read = numbers(&folder);
    // A plain report of the folder would take its place, and hold nothing of it.
    let error = gradual_report::report(&folder).unwrap_err();
    assert!(error.to_string().contains("--collect"), "{error}");
    assert_eq!(numbers(&folder), read);
    assert_eq!(
        (&read["seeds"], &read["capabilities"], &read["codes"]),
        (&json!(1), &json!(8), &json!(16))
    );
    assert_eq!(read["stages"], json!({"before": 2}));
    let views: std::collections::BTreeSet<&str> = read["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["view"].as_str().unwrap())
        .collect();
    let expected = [
        "activations",
        "gradients",
        "inputs",
        "loss changes",
        "loss kernel",
        "loss trajectories",
        "output-gradients",
        "references",
    ];
    assert_eq!(views.into_iter().collect::<Vec<_>>(), expected);
    assert!(said.contains("## Before, during and after emergence"));
    for file in [
        "quality.json",
        "quality.md",
        "quality-tasks.svg",
        "quality-codes.svg",
        "aliases-partners-squared-all-tasks.svg",
    ] {
        assert!(folder.join("report").join(file).exists(), "{file}");
    }

    let run_folder = folder.join("erm/seed-0");
    let text = fs::read_to_string(run_folder.join("quality.jsonl")).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let steps: Vec<u64> = lines.iter().map(|l| l["step"].as_u64().unwrap()).collect();
    assert_eq!(steps, [0, 2]);
    let index = |grouping: &str, part: &str, layers: &str, against: &str| {
        let rows = lines[0]["rows"].as_array().unwrap();
        let row = rows.iter().find(|row| {
            row["grouping"] == grouping
                && (row["metric"] == "whitened" || row["metric"] == "")
                && row["part"] == part
                && row["layers"] == layers
                && row["against"] == against
        });
        let row = row.unwrap_or_else(|| panic!("{grouping} {part} {layers} {against}"));
        row["adjusted_rand"].as_f64().unwrap()
    };
    assert_eq!(index("the true groups", "", "", "tasks"), 1.0);
    assert!(index("random groups", "", "", "tasks").abs() < 0.05);
    let first = |against| index("spectral C²", "gradients", "first layer", against);
    assert!(first("codes") > 0.4, "{}", first("codes"));
    assert!(first("tasks") < first("codes"));
    index("spectral C²", "output-gradients", "layer 2", "codes");
    index("k-means", "loss trajectories", "no model", "tasks");
    for found in ["spectral C² by eigengap", "HDBSCAN", "diffusion"] {
        index(found, "gradients", "first layer", "codes");
    }
    let losses = fs::read_to_string(run_folder.join("trajectories.jsonl")).unwrap();
    assert_eq!(losses.lines().count(), 2);
    let true_slope = lines[0]["rows"].as_array().unwrap().iter();
    let mut true_slope = true_slope.filter(|row| row["grouping"] == "the true groups");
    let slope = true_slope.next().unwrap()["weight_mass_slope"].as_f64();
    assert!(slope.unwrap().abs() < 0.1, "{slope:?}");
    let csv = fs::read_to_string(folder.join("report/quality.csv")).unwrap();
    // Later steps have rows that the first can't have, such as changes of losses.
    let rows = |line: usize| lines[line]["rows"].as_array().unwrap().len();
    assert!(rows(0) < rows(1));
    assert_eq!(csv.lines().count(), 1 + 2 * rows(1));
    let cells = csv.lines().next().unwrap().split(',').count();
    assert!(csv.lines().all(|line| line.split(',').count() == cells));

    // A finished seed is kept; another configuration is refused.
    let timing = || fs::read_to_string(run_folder.join("timing.jsonl")).unwrap();
    let before = timing();
    assert_eq!(run(&arguments), said);
    assert_eq!(timing(), before);
    let mut other = arguments.clone();
    other[2] = "--aliases=3".to_owned();
    let message = refused(&other.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(
        message.contains("task.aliases is 2 in the folder and 3 asked"),
        "{message}"
    );

    // A look that is not there, in a journal whose digest agrees.
    let (journal, done) = (run_folder.join("quality.jsonl"), run_folder.join("DONE"));
    let (_, later) = text.split_once('\n').unwrap();
    fs::write(&journal, later).unwrap();
    let mut signed: Value = serde_json::from_str(&fs::read_to_string(&done).unwrap()).unwrap();
    let digest = gradual::runs::Digest::of_file(&journal).unwrap();
    signed["journals"]["quality.jsonl"] = serde_json::to_value(digest).unwrap();
    fs::write(&done, signed.to_string()).unwrap();
    let message = refused(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(
        message.contains("its looks are at the steps 2, and config.json beside it asks for 0, 2"),
        "{message}"
    );
}

/// The same for the skills of a decoder: every layer, the control, and who shares a group with whom.
#[test]
fn found_groups_are_held_against_skills() {
    let home = tempfile::tempdir().unwrap();
    let out = format!("--out={}", home.path().display());
    let arguments = [
        "grouping-quality-skills",
        "--quick",
        "--steps=2",
        "--draw=8",
        &out,
    ];
    let said = run(&arguments.map(str::to_owned));
    let folder = home.path().join("grouping-quality-skills-quick");
    for row in [
        "| skills learned | 0 | 0 |",
        "| spectral C², whitened gradients, feed-forward 2 |",
        "| k-means, raw gradients, embedding and read-out |",
        "| singular vectors, whitened gradients, query 1 |",
        "| k-means, whitened counts of characters, no model |",
        "| eigengap: whitened gradients, last norm |",
    ] {
        assert!(said.contains(row), "{row}");
    }
    for file in [
        "quality-skills-spectral-c2-whitened-gradients.svg",
        "quality-skills-controls-and-references.svg",
        "shared-2.svg",
    ] {
        assert!(folder.join("report").join(file).exists(), "{file}");
    }

    let text = fs::read_to_string(folder.join("erm/seed-0/quality.jsonl")).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["names"].as_array().unwrap().len(), 8);
    let rows = lines[0]["rows"].as_array().unwrap();
    let counts = |row: &Value| -> Vec<Vec<u64>> {
        serde_json::from_value(row["contingency"].clone()).unwrap()
    };
    let named = |name: &str| rows.iter().find(|row| row["grouping"] == name).unwrap();
    let of_truth = counts(named("the true groups"));
    for (group, counts) in of_truth.iter().enumerate() {
        let elsewhere = counts
            .iter()
            .enumerate()
            .filter(|(label, _)| *label != group);
        assert_eq!(elsewhere.map(|(_, count)| count).sum::<u64>(), 0);
    }
    let sizes: Vec<u64> = of_truth.iter().map(|group| group.iter().sum()).collect();
    assert_eq!(sizes.iter().sum::<u64>(), 120);
    for row in rows.iter().filter(|row| row["grouping"] != "diffusion") {
        // Whatever the groups, they hold each skill's examples once.
        let counts = counts(row);
        for (label, &size) in sizes.iter().enumerate() {
            let held: u64 = counts.iter().map(|group| group[label]).sum();
            match row["grouping"] == "HDBSCAN" {
                // Which leaves out what is in no dense part.
                true => assert!(held <= size, "{row}"),
                false => assert_eq!(held, size, "{row}"),
            }
        }
    }
    assert!(
        named("random groups")["adjusted_rand"]
            .as_f64()
            .unwrap()
            .abs()
            < 0.1
    );
}

/// Two fields of the code tell the task only together: no cut of the inputs into as many groups finds the tasks.
#[test]
fn inputs_are_at_chance_where_fields_are_permuted() {
    let home = tempfile::tempdir().unwrap();
    let flags = ["--steps=2", "--draw=16", "--arms=erm"];
    let (.., read) = protocol(home.path(), "permuted", &flags);
    assert_eq!(
        (&read["capabilities"], &read["codes"]),
        (&json!(4), &json!(16))
    );
    let mut seen = 0;
    for row in read["rows"].as_array().unwrap() {
        // Where the number is found, groups may be codes, each of which is part of one task.
        if row["view"] == "inputs" && row["against"] == "tasks" && row["number"] == "told" {
            let index = row["scores"]["0"]["adjusted_rand"]["mean"]
                .as_f64()
                .unwrap();
            assert!(index.abs() < 0.1, "{row}");
            seen += 1;
        }
    }
    assert_eq!(seen, 4);
    assert!(refused(&["grouping-quality", "--task=permutted"]).contains("did you mean 'permuted'"));
}

/// The digits of sums: what inputs show (the place) is no more than part of what is asked, and losses are seen as they change.
#[test]
fn found_groups_are_held_against_carries() {
    let home = tempfile::tempdir().unwrap();
    let flags = ["--steps=2", "--draw=16", "--evaluate-every=1"];
    let (.., read) = protocol(home.path(), "addition", &flags);
    assert_eq!(read["capabilities"], json!(4));
    let rows = read["rows"].as_array().unwrap();
    let index = |grouping: &str, against: &str| {
        let row = rows
            .iter()
            .find(|row| row["grouping"] == grouping && row["against"] == against);
        row.unwrap()["scores"]["2"]["adjusted_rand"]["mean"].as_f64()
    };
    assert_eq!(index("the true groups", "skills"), Some(1.0));
    assert_eq!(index("the true groups", "places"), Some(1.0));
    // One place of three is cut in two by the carry.
    let places = index("the places", "skills").unwrap();
    assert!((0.6..0.95).contains(&places), "{places}");
    let seen = |view: &str| rows.iter().any(|row| row["view"] == view);
    assert!(seen("tokens by position") && seen("loss trajectories") && seen("loss changes"));
}

/// Minorities among outliers, and what training on the groups of every view gives, beside the true groups.
#[test]
fn training_on_found_groups_has_a_share_of_the_effect_of_true_ones() {
    let home = tempfile::tempdir().unwrap();
    let flags = ["--steps=120", "--draw=64", "--evaluate-every=5"];
    let (said, folder, read) = protocol(home.path(), "subpopulations", &flags);
    assert_eq!(read["capabilities"], json!(4));
    // Outliers are none of the subpopulations, or one more.
    let index = |grouping: &str, against: &str| {
        let rows = read["rows"].as_array().unwrap().iter();
        let mut own = rows.filter(|row| row["grouping"] == grouping && row["against"] == against);
        own.next().unwrap()["scores"]["0"]["adjusted_rand"]["mean"]
            .as_f64()
            .unwrap()
    };
    let both = "subpopulations and outliers";
    assert_eq!(index("the true groups", both), 1.0);
    assert_eq!(index(&format!("the {both}"), "subpopulations"), 1.0);
    assert_eq!(index("the true groups", "subpopulations"), 1.0);

    let trained = read["training"].as_array().unwrap();
    let names: Vec<&str> = trained
        .iter()
        .map(|arm| arm["arm"].as_str().unwrap())
        .collect();
    let expected = [
        "erm",
        "grouped",
        "whitened",
        "lens",
        "inputs",
        "activations",
        "random",
    ];
    assert_eq!(names, expected);
    let gap = |arm: &Value| {
        let metrics = arm["metrics"].as_array().unwrap().iter();
        let mut gaps = metrics.filter(|one| one["metric"] == "gap");
        gaps.next().unwrap()["sample"]["mean"].as_f64().unwrap()
    };
    for arm in &trained[2..] {
        let shares = arm["shares"].as_array().unwrap().iter();
        let mut shares = shares.filter(|one| one["metric"] == "gap");
        let share = shares.next().unwrap()["share"].as_f64().unwrap();
        let log = |arm: &Value| (gap(arm) / gap(&trained[0])).ln();
        let expected = log(arm) / log(&trained[1]);
        assert!(
            (share - expected).abs() < 1e-6 * expected.abs().max(1.0),
            "{arm}"
        );
    }
    assert!(said.contains("## What training on groups gives"));
    // Groups are looked at along the first arm alone.
    let looked = |arm: &str| {
        let text = fs::read_to_string(folder.join(arm).join("seed-0/quality.jsonl"));
        text.is_ok_and(|text| !text.is_empty())
    };
    assert!(looked("erm"));
    assert!(expected[1..].iter().all(|arm| !looked(arm)));
}

/// Arms that train where no reference is named: their numbers, and no word of shares.
#[test]
fn without_a_reference_nothing_is_shared() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("mine.toml");
    let text = "name = \"mine\"\narms = [\"erm\", \"grouped\"]\n[task.subpopulations]\nheld_out = 20\n[run]\nseeds = 1\nsteps = 20\n\
                draw = 32\nevaluate_every = 5\n[quality]\nexamples = 40\n";
    fs::write(&file, text).unwrap();
    let (file, out) = (
        file.display().to_string(),
        format!("--out={}", home.path().display()),
    );
    let said = run(&[file, out]);
    assert!(said.contains("| grouped | sum of squares over the known groups |"));
    assert!(!said.contains("share of the effect"), "{said}");
    let read = numbers(&home.path().join("mine"));
    assert_eq!(read["training"].as_array().unwrap().len(), 2);
}

/// What can be known of a protocol before it trains is said before.
#[test]
fn a_protocol_that_makes_no_sense_is_refused_before_it_trains() {
    let home = tempfile::tempdir().unwrap();
    let written = |run: &str, more: &str| {
        let text = format!(
            "name = \"mine\"\narms = [\"erm\", \"grouped\"]\n{run}[task.sparse-parity]\ntasks = 4\nheld_out = 40\n[run]\nseeds = 1\n\
             steps = 20\ndraw = 32\n{more}"
        );
        let file = home.path().join("mine.toml");
        fs::write(&file, text).unwrap();
        file.display().to_string()
    };
    let out = format!("--out={}", home.path().display());
    for (first, more, expected) in [
        ("", "[quality]\nexamples = 3\n", "give at least 4"),
        (
            "",
            "[quality]\nexamples = 40\n[[claim]]\nstatement = \"s\"\nsource = \"own\"\narm = \"grouped\"\nmetric = \"spread\"\n\
             direction = \"lower\"\nsmallest_effect = 0.8\n",
            "an experiment with [quality] judges none",
        ),
        ("reference = \"erm\"\n", "", "'erm' is the baseline"),
    ] {
        let said = refused(&[&written(first, more), &out]);
        assert!(said.contains(expected), "{said}");
        assert!(!home.path().join("mine").exists(), "{expected}");
    }
    let file = written("", "[quality]\nexamples = 40\nsteps = [5000]\n");
    let output = lab(&[&file, &out, "--arms=erm"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("names step 5000"), "{said}");
    // The table is made along runs of the mean loss.
    let elsewhere = home.path().join("elsewhere");
    let said = refused(&[
        &file,
        &format!("--out={}", elsewhere.display()),
        "--arms=grouped",
    ]);
    assert!(
        said.contains("along the runs of the arm erm, and there are none"),
        "{said}"
    );
    assert!(!elsewhere.join("mine").exists());
}
