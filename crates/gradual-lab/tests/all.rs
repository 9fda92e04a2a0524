//! `experiment all`: what is missing is done, one that fails stops no other, and a page lists them.

use std::fs;
use std::path::Path;

use crate::common::{lab, refused, run};
use serde_json::Value;

/// The experiments that test claims, by the list.
fn all() -> Vec<String> {
    let list: Value = serde_json::from_str(&run(&["--list", "--json"])).unwrap();
    let experiments = list["experiments"].as_array().unwrap();
    let wanted = experiments.iter().filter(|one| one["in_all"] == true);
    wanted
        .map(|one| one["name"].as_str().unwrap().to_owned())
        .collect()
}

fn short(out: &Path) -> Vec<String> {
    let flags = [
        "all",
        "--quick",
        "--seeds=1",
        "--steps=2",
        "--draw=32",
        "--arms=erm",
    ];
    let mut flags: Vec<String> = flags.map(str::to_owned).into();
    flags.push(format!("--out={}", out.display()));
    flags
}

#[test]
fn all_runs_every_experiment_that_tests_claims_and_lists_them() {
    let names = all();
    for name in ["sparse-parity", "gradualness", "skills", "table"] {
        assert!(names.iter().any(|one| one == name), "{name}: {names:?}");
    }
    for name in ["grouping-quality", "text"] {
        assert!(names.iter().all(|one| one != name), "{name}: {names:?}");
    }
    let home = tempfile::tempdir().unwrap();
    let out = home.path().join("runs");
    // A folder where a file of one of them should go.
    let in_the_way = out.join("table-quick/erm/seed-0/environment.json");
    fs::create_dir_all(in_the_way.join("in-the-way")).unwrap();
    let arguments = short(&out);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let said = refused(&arguments);
    assert!(
        said.contains("experiments failed: table-quick; the same command"),
        "{said}"
    );
    let page = fs::read_to_string(out.join("index.html")).unwrap();
    for name in &names {
        let link = format!("href=\"{name}-quick/report/index.html\"");
        // Some begin with another seed than 0.
        let seeds = fs::read_dir(out.join(format!("{name}-quick/erm"))).unwrap();
        let mut curves = seeds.map(|seed| seed.unwrap().path().join("curves.jsonl"));
        assert_eq!(page.contains(&link), name != "table", "{name}");
        assert_eq!(curves.any(|path| path.exists()), name != "table", "{name}");
    }
    assert!(said.contains("environment.json"), "{said}");
    assert!(
        page.contains("<strong>Failed:</strong> 1 run failed"),
        "{page}"
    );
    assert!(
        page.contains("inconclusive</b>") && page.contains("<img "),
        "{page}"
    );

    // The same command does what is missing, and nothing else.
    fs::remove_dir_all(&in_the_way).unwrap();
    let first = out.join(format!("{}-quick/erm/seed-0", names[0]));
    let written = |file: &str| fs::metadata(first.join(file)).unwrap().modified().unwrap();
    let before = (written("curves.jsonl"), written("DONE"));
    let output = lab(&[&arguments[..], &["--json"]].concat());
    assert!(output.status.success());
    assert_eq!(before, (written("curves.jsonl"), written("DONE")));
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said["experiments"].as_array().unwrap().len(), names.len());
    let page = fs::read_to_string(out.join("index.html")).unwrap();
    assert!(page.contains("href=\"table-quick/report/index.html\""));
    assert!(!page.contains("Failed:"));
    // Each is recorded as the command that makes it alone.
    let record = fs::read_to_string(out.join("table-quick/experiment.json")).unwrap();
    assert!(
        record.contains("cargo xtask experiment table --quick --seeds=1"),
        "{record}"
    );

    // A page that is somebody else's stays, and nothing runs before that is said.
    fs::remove_dir_all(&first).unwrap();
    fs::write(out.join("index.html"), "mine").unwrap();
    let said = refused(&arguments);
    assert!(
        said.contains("index.html: it is there and no page of experiments"),
        "{said}"
    );
    assert_eq!(fs::read_to_string(out.join("index.html")).unwrap(), "mine");
    assert!(!first.exists());
}

#[test]
fn flags_of_one_task_do_not_go_with_all() {
    let said = refused(&["all", "--data", "x.csv"]);
    assert!(said.contains("experiment all has no --data"), "{said}");
}
