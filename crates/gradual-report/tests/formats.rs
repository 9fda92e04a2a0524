//! Several folders in one report, and what it is written as.

mod common;

use std::fs;
use std::path::Path;

use common::Fixture;
use gradual_report::{Format, Report, ReportError};
use serde_json::Value;
use tempfile::tempdir;

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn two_experiments_side_by_side() {
    let root = tempdir().unwrap();
    let dirs = ["a", "b"].map(|name| {
        let dir = Fixture::default().write(&root.path().join(name));
        let to = root.path().join(format!("runs-{name}"));
        fs::rename(dir, &to).unwrap();
        to
    });
    let page = Report::new(dirs.clone()).write().unwrap();
    assert_eq!(page, root.path().join("report/index.html"));
    let html = fs::read_to_string(&page).unwrap();
    assert!(html.contains("<h1>runs-a, runs-b side by side</h1>"));
    assert!(html.contains("30 runs of 6 arms on 6 capabilities, all finished."));
    assert!(html.contains("<code>runs-b/labels</code> against <code>runs-b/erm</code>"));
    assert!(html.contains("for the 8 claims of this table"));
    let summary = fs::read_to_string(root.path().join("report/summary.json")).unwrap();
    let summary: Value = serde_json::from_str(&summary).unwrap();
    let verdicts = summary["verdicts"].as_array().unwrap();
    assert_eq!(verdicts.len(), 8);
    // Twice as many claims ask for more: the smallest p is multiplied by 8.
    let p = |index: usize, name: &str| verdicts[index][name].as_f64().unwrap();
    let least = (0..8)
        .min_by(|&i, &j| p(i, "p").total_cmp(&p(j, "p")))
        .unwrap();
    assert!((p(least, "adjusted_p") / p(least, "p") - 8.0).abs() < 1e-9);
    assert_eq!(summary["arms"][4]["name"], "runs-b/labels");
    assert_eq!(summary["arms"][4]["baseline"], "runs-b/erm");
    assert!(
        root.path()
            .join("report/figures/curves-runs-b-erm.svg")
            .exists()
    );
    // The folders' own reports are untouched, and folders of one name are told apart.
    assert!(!dirs[0].join("report").exists());
    let namesake = root.path().join("elsewhere/runs-a");
    let written = Fixture::default().write(&root.path().join("c"));
    fs::create_dir(root.path().join("elsewhere")).unwrap();
    fs::rename(written, &namesake).unwrap();
    let out = root.path().join("namesakes");
    Report::new([&dirs[0], &namesake])
        .with_out(&out)
        .write()
        .unwrap();
    let html = fs::read_to_string(out.join("index.html")).unwrap();
    assert!(html.contains("runs-a-2/erm"));
    assert!(matches!(
        Report::new(Vec::<&Path>::new()).write(),
        Err(ReportError::NoFolder)
    ));
}

#[test]
fn every_figure_has_its_numbers() {
    let root = tempdir().unwrap();
    let dir = Fixture::default().write(root.path());
    let page = Report::new([&dir]).write().unwrap();
    let html = fs::read_to_string(page).unwrap();
    let figures = dir.join("report/figures");
    for name in [
        "tax",
        "curves",
        "curves-loss",
        "curves-probability",
        "raster",
        "overlay",
        "times",
        "threshold",
        "predicted",
        "flow",
        "churn",
        "shares",
        "signs",
        "spectrum",
    ] {
        let text = fs::read_to_string(figures.join(format!("{name}.csv"))).unwrap();
        let width = text.lines().next().unwrap().split(',').count();
        assert!(text.lines().count() > 5, "{name}");
        assert!(
            text.lines().all(|line| line.split(',').count() == width),
            "{name}"
        );
        assert!(
            html.contains(&format!("href=\"figures/{name}.csv\"")),
            "{name}"
        );
    }
    // Every other figure would be one without numbers.
    assert_eq!(html.matches("<figure>").count(), 14);
    assert!(html.matches("<title>").count() > 500, "values to point at");
}

#[test]
fn only_what_was_asked_for() {
    let root = tempdir().unwrap();
    let dir = Fixture::default().write(root.path());
    let report = Report::new([&dir]).with_formats(&[Format::Csv]);
    assert_eq!(report.write().unwrap(), dir.join("report/summary.json"));
    assert_eq!(
        names(&dir.join("report")),
        ["figures", "files.json", "summary.json", "tables"]
    );
    let out = root.path().join("page");
    let report = report.with_formats(&[Format::Html]).with_out(&out);
    let html = fs::read_to_string(report.write().unwrap()).unwrap();
    assert_eq!(
        names(&out),
        ["figures", "files.json", "index.html", "summary.json"]
    );
    assert!(!html.contains(".csv"));
}

#[test]
fn event_files_hold_every_scalar() {
    let root = tempdir().unwrap();
    let dir = Fixture::default().write(root.path());
    Report::new([&dir]).with_tensorboard(true).write().unwrap();
    let folder = dir.join("report/tensorboard/labels/seed-3");
    let bytes = fs::read(folder.join(&names(&folder)[0])).unwrap();
    // Records follow each other: length, checksum, data, checksum.
    let (mut at, mut records) = (0, 0);
    while at < bytes.len() {
        let length = u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize;
        at += 8 + 4 + length + 4;
        records += 1;
    }
    assert_eq!((at, records), (bytes.len(), 1 + 81));
    let count = |tag: &str| {
        bytes
            .windows(tag.len())
            .filter(|part| *part == tag.as_bytes())
            .count()
    };
    assert_eq!(count("accuracy/task-05"), 81);
    assert_eq!(count("probability/task-00"), 81);
}

#[cfg(not(feature = "parquet"))]
#[test]
fn parquet_needs_a_build_with_it() {
    let root = tempdir().unwrap();
    let dir = Fixture::default().write(root.path());
    let error = Report::new([&dir]).with_formats(&[Format::Parquet]).write();
    let message = error.unwrap_err().to_string();
    assert!(message.contains("the feature `parquet`"), "{message}");
    assert!(!dir.join("report").exists());
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_beside_the_rest() {
    let root = tempdir().unwrap();
    let dir = Fixture::default().write(root.path());
    let formats = [Format::Html, Format::Csv, Format::Parquet];
    Report::new([&dir]).with_formats(&formats).write().unwrap();
    for name in ["curves", "runs", "capabilities", "verdicts", "metrics"] {
        let bytes = fs::read(dir.join(format!("report/tables/{name}.parquet"))).unwrap();
        assert!(
            bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"),
            "{name}"
        );
    }
}
