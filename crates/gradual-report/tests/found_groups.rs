//! What found groups hold, on the page, and the names that somebody gave them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use crate::common::{Arm, Fixture, run_folder, write};
use gradual_report::{Report, report};
use gradual_runs::{GroupMembers, MembersRecord, Record, SCHEMA};
use tempfile::tempdir;

const NASTY: &str = "</script><script>alert(1)</script>\u{202e}]]>&amp;\"'\u{1b}[2J";

fn fixture(seeds: u64) -> Fixture {
    Fixture {
        arms: vec![
            Arm::new("erm", 100.0, 10.0, 0.3, false),
            Arm::new("found", 100.0, 10.0, 0.3, true),
        ],
        capabilities: 3,
        seeds,
        evaluations: 10,
        ..Fixture::default()
    }
}

fn members(group: u64, share: f64, example: &str) -> GroupMembers {
    GroupMembers {
        group,
        share,
        loss: 0.25,
        capabilities: BTreeMap::from([("task-00".to_owned(), 3), ("task-01".to_owned(), 1)]),
        nearest: vec![example.to_owned(), format!("{example} again")],
    }
}

/// Writes records of these groups, by step.
fn record(dir: &Path, seed: u64, steps: &[(u64, Vec<GroupMembers>)]) {
    let lines: String = steps
        .iter()
        .map(|(step, found)| {
            let record = MembersRecord {
                schema: SCHEMA,
                step: *step,
                examples: 64,
                groups: found.len() as u64,
                found: found.clone(),
            };
            record.to_line().unwrap() + "\n"
        })
        .collect();
    write(
        &run_folder(dir, "found", seed).join("members.jsonl"),
        &lines,
    );
}

fn page(dir: &Path) -> String {
    fs::read_to_string(report(dir).unwrap()).unwrap()
}

#[test]
fn groups_are_shown_with_their_examples_and_names() {
    let root = tempdir().unwrap();
    let dir = fixture(2).write(root.path());
    assert!(!page(&dir).contains("Found groups"));
    record(
        &dir,
        0,
        &[
            (
                400,
                vec![members(2, 0.5, "early"), members(0, 0.25, "gone")],
            ),
            (4000, vec![members(5, 0.5, NASTY), members(2, 0.25, "late")]),
        ],
    );
    let html = page(&dir);
    assert!(html.contains("found</code>, seed 0: 2 groups at step 4000, 1 that came and went"));
    // Of each group the examples of its last record, the largest first and those that are gone last.
    let places = ["group 5</b>", "group 2</b>", "group 0</b>"].map(|name| html.find(name).unwrap());
    assert!(places.is_sorted(), "{places:?}");
    assert!(html.contains("<li>late</li>") && !html.contains("<li>early</li>"));
    assert!(html.contains("at step 400, its last"));
    assert!(html.contains("75 % of them task-00"));
    assert!(!html.contains("<script>alert") && html.matches("<script").count() == 1);
    assert!(!html.contains(['\u{202e}', '\u{1b}']));
    let table = fs::read_to_string(dir.join("report/tables/found_groups.csv")).unwrap();
    assert_eq!(table.lines().count(), 5);

    let names = dir.join("names.toml");
    write(
        &names,
        &format!(
            "[found.seed-0]\n2 = '''{}'''\n9 = \"x\"\n",
            NASTY.replace('\u{1b}', "")
        ),
    );
    let html = page(&dir);
    assert!(html.contains("<b>&lt;/script&gt;&lt;script&gt;"));
    assert!(
        html.contains("names group 9 of arm <code>found</code>, seed 0, which no run has found")
    );
    assert_eq!(html.matches("<script").count(), 1);
    // Whoever does not open the page hears of it, too.
    let heard = Arc::new(Mutex::new(Vec::new()));
    let listener = Arc::clone(&heard);
    let noted = Report::new([&dir]).noting(move |note| {
        listener.lock().unwrap().push(note.to_owned());
    });
    noted.write().unwrap();
    let heard = heard.lock().unwrap();
    let of_nine = "names.toml names group 9 of arm `found`, seed 0, which no run has found.";
    assert!(heard.iter().any(|note| note == of_nine), "{heard:?}");
    write(&names, "[fund.seed-0]\n2 = \"x\"\n");
    let said = report(&dir).unwrap_err().to_string();
    assert!(
        said.contains("names.toml, line 1: \"fund\" is none of the arms erm, found"),
        "{said}"
    );
}

/// Of very many runs and groups the page has a part, those with names before others.
#[test]
fn the_section_has_a_bounded_size() {
    let root = tempdir().unwrap();
    let dir = fixture(12).write(root.path());
    // With " again" behind it as long as a record takes.
    let long = "漢".repeat(194);
    let many = |step: u64| {
        (
            step,
            (0..64).map(|at| members(at, 1.0 / 64.0, &long)).collect(),
        )
    };
    let records: Vec<(u64, Vec<GroupMembers>)> = (1..=20).map(|at| many(at * 200)).collect();
    for seed in 0..12 {
        record(&dir, seed, &records);
    }
    write(
        &dir.join("names.toml"),
        "[found.seed-11]\n3 = \"the last one\"\n",
    );
    let html = page(&dir);
    let section = &html[html.find("id=\"found-groups\"").unwrap()..];
    let section = &section[..section.find("<h2").unwrap()];
    assert!(section.len() < 500_000, "{}", section.len());
    assert!(section.contains("<b>the last one</b>"));
    assert!(section.contains("24 smaller groups are in members.jsonl"));
    assert!(section.contains("more runs found groups: their members.jsonl has them"));
}
