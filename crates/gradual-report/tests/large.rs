//! The page keeps its size however large the experiment is.

use std::fs;
use std::path::Path;

use crate::common::{Arm, Fixture};
use gradual_report::report;
use tempfile::tempdir;

const MOST: usize = 5_000_000;

fn arms(count: usize) -> Vec<Arm> {
    let name = |at| match at {
        0 => "erm".to_owned(),
        at => format!("arm-{at}"),
    };
    let arm = |at| Arm::new(&name(at), 100.0, 8.0, 0.4, at % 2 == 1);
    (0..count).map(arm).collect()
}

/// The page of a fixture, and the sizes of its drawings.
fn page(fixture: &Fixture) -> (String, Vec<u64>) {
    let root = tempdir().unwrap();
    let dir = fixture.write(root.path());
    let page = report(&dir).unwrap();
    let html = fs::read_to_string(page).unwrap();
    assert!(html.len() < MOST, "{}", html.len());
    (html, drawings(&dir.join("report/figures")))
}

fn drawings(folder: &Path) -> Vec<u64> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    files
        .filter(|file| file.path().extension().unwrap() == "svg")
        .map(|file| file.metadata().unwrap().len())
        .collect()
}

#[test]
fn many_capabilities_and_groups() {
    let (html, drawings) = page(&Fixture {
        arms: arms(3),
        capabilities: 1500,
        seeds: 1,
        evaluations: 4,
        thresholdless: false,
        ..Fixture::default()
    });
    assert!(html.contains("40 of 1\u{202f}500 capabilities are shown"));
    assert!(html.contains("the 40 largest are shown; all others are grey"));
    assert!(html.contains("Each band is 38 capabilities of 1\u{202f}500"));
    assert!(drawings.iter().all(|&size| size < 400_000), "{drawings:?}");
}

#[test]
fn many_arms() {
    let (html, drawings) = page(&Fixture {
        arms: arms(90),
        capabilities: 3,
        seeds: 1,
        evaluations: 4,
        ..Fixture::default()
    });
    assert!(html.contains("64 of 90 arms are shown."));
    assert!(html.contains("26 more arms are in summary.json"));
    assert!(html.contains("<code>erm</code>"));
    assert!(drawings.len() < 64 * 16);
}

#[test]
fn many_panels_of_many_lines() {
    let (html, _) = page(&Fixture {
        arms: arms(40),
        capabilities: 40,
        seeds: 1,
        evaluations: 60,
        thresholdless: false,
        ..Fixture::default()
    });
    let left_out = html
        .matches("the others lie beside it in the folder figures")
        .count();
    assert!(left_out > 0);
    // Every figure keeps some.
    let panels = html.matches("<div class=\"panel\">").count();
    assert!(panels > 40, "{panels}");
}

#[test]
fn many_seeds() {
    let (html, _) = page(&Fixture {
        arms: arms(2),
        capabilities: 2,
        seeds: 400,
        evaluations: 4,
        thresholdless: false,
        ..Fixture::default()
    });
    assert!(html.contains("faint dots are the seeds, 20 of up to 400."));
    assert!(html.contains("points, evenly among those that are drawn, are left out."));
}

#[test]
fn many_evaluations() {
    let (html, drawings) = page(&Fixture {
        arms: arms(2),
        capabilities: 2,
        seeds: 1,
        steps: 20_000,
        evaluations: 10_000,
        thresholdless: false,
        ..Fixture::default()
    });
    assert!(html.len() < 1_000_000, "{}", html.len());
    assert!(drawings.iter().all(|&size| size < 120_000), "{drawings:?}");
}
