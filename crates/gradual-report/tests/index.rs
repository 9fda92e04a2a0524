//! The page of several experiments, and the page of claims of a folder of experiments.

use std::fs;
use std::path::Path;

use crate::common::Fixture;
use gradual_report::{Indexed, ReportError, claims, index, report};
use tempfile::tempdir;

fn written(root: &Path, name: &str) {
    let small = Fixture {
        evaluations: 40,
        ..Fixture::default()
    };
    let dir = small.write(root);
    fs::rename(dir, root.join(name)).unwrap();
}

#[test]
fn a_page_lists_experiments_and_replaces_nothing_else() {
    let root = tempdir().unwrap();
    let home = root.path();
    written(home, "one");
    written(home, "two words");
    report(&home.join("one")).unwrap();
    report(&home.join("two words")).unwrap();
    let listed = |folder: &str, failed: Option<&str>| Indexed {
        folder: folder.to_owned(),
        failed: failed.map(str::to_owned),
    };
    let page = home.join("index.html");
    let all = [
        listed("one", None),
        listed("two words", Some("arm <b>, seed 1: no")),
        listed("three", None),
    ];
    index(&page, &all).unwrap();
    let html = fs::read_to_string(&page).unwrap();
    assert!(html.contains("href=\"one/report/index.html\""));
    assert!(html.contains("src=\"two%20words/report/figures/tax-width.svg\""));
    assert!(
        html.contains("do groups rise &lt;together&gt;?"),
        "the title"
    );
    assert!(html.contains("arm &lt;b&gt;, seed 1: no"));
    let verdicts = fs::read_to_string(home.join("one/report/tables/verdicts.csv")).unwrap();
    let came_out = |how: &str| verdicts.matches(&format!(",{how},")).count();
    let counts = format!(
        "4 claims: <b class=\"yes\">{} supported</b>, <b class=\"no\">{} not supported</b>, <b class=\"open\">{} inconclusive",
        came_out("supported"),
        came_out("not supported"),
        came_out("inconclusive")
    );
    assert!(html.contains(&counts), "{counts}: {html}");
    assert!(html.contains("<h2>three</h2>") && html.contains("It has no runs yet."));
    for link in html
        .split("src=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
    {
        assert!(home.join(link.replace("%20", " ")).is_file(), "{link}");
    }
    index(&page, &all[..1]).unwrap();
    assert!(!fs::read_to_string(&page).unwrap().contains("three"));
    fs::write(&page, "<!DOCTYPE html>mine").unwrap();
    assert!(matches!(
        index(&page, &all),
        Err(ReportError::ForeignIndex { .. })
    ));
}

#[test]
fn the_page_of_claims_takes_a_folder_of_experiments() {
    let root = tempdir().unwrap();
    let runs = root.path().join("runs");
    fs::create_dir_all(runs.join("notes")).unwrap();
    written(&runs, "b");
    written(&runs, "a");
    written(&runs, "a-quick");
    written(&runs, "c-quick");
    let (one, other) = (root.path().join("one.md"), root.path().join("other/one.md"));
    claims(std::slice::from_ref(&runs), &one).unwrap();
    let each = ["a", "b", "c-quick"].map(|name| runs.join(name));
    claims(&each, &other).unwrap();
    let body = |path: &Path| {
        let text = fs::read_to_string(path).unwrap();
        text.split_once("\n## ").unwrap().1.to_owned()
    };
    assert_eq!(body(&one), body(&other));
    assert!(fs::read_to_string(&one).unwrap().contains(&format!(
        "{} {}",
        one.display(),
        runs.display()
    )));
    let empty = root.path().join("empty");
    fs::create_dir(&empty).unwrap();
    assert!(claims(&[empty], &root.path().join("none.md")).is_err());
}
