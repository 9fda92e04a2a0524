//! Where a report is written: whole, beside its place, and over nothing but an older report.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::common::{Arm, Fixture, run_folder};
use gradual_report::{Format, Report, ReportError, ReportFolder, report};
use gradual_runs::FolderLock;
use tempfile::tempdir;

fn small() -> Fixture {
    Fixture {
        arms: vec![
            Arm::new("erm", 100.0, 10.0, 0.3, false),
            Arm::new("labels", 500.0, 1.5, 0.6, true),
        ],
        capabilities: 3,
        seeds: 2,
        steps: 2000,
        evaluations: 10,
        ..Fixture::default()
    }
}

/// Every file below a folder with its content, hidden ones too.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if fs::symlink_metadata(&path).unwrap().is_dir() {
            found.extend(files(&path));
        } else {
            // Of a link to a folder there is nothing to read.
            found.push((path.clone(), fs::read(&path).unwrap_or_default()));
        }
    }
    found.sort();
    found
}

/// Names of what lies in a folder, but for the lock.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name != ".lock").collect();
    names.sort();
    names
}

fn foreign(out: &Path, dir: &Path, expected: &str) {
    let before = files(out.parent().unwrap());
    let error = Report::new([dir]).with_out(out).write().unwrap_err();
    assert!(matches!(error, ReportError::Foreign { .. }), "{error}");
    let message = error.to_string();
    assert!(message.contains(expected), "{expected} in {message}");
    assert_eq!(files(out.parent().unwrap()), before);
}

#[test]
fn figures_of_arms_that_are_gone_go_with_the_old_report() {
    let root = tempdir().unwrap();
    let dir = small().write(root.path());
    report(&dir).unwrap();
    assert!(dir.join("report/figures/curves-labels.svg").exists());
    fs::remove_dir_all(dir.join("labels")).unwrap();
    report(&dir).unwrap();
    let figures = names(&dir.join("report/figures"));
    assert!(figures.contains(&"curves-erm.svg".to_owned()));
    let gone = figures.iter().filter(|name| name.contains("labels"));
    assert_eq!(gone.count(), 0, "{figures:?}");
    assert_eq!(names(&dir), ["erm", "experiment.json", "report"]);
    // Other formats leave nothing of the former ones.
    let report = Report::new([&dir]).with_formats(&[Format::Csv]);
    report.write().unwrap();
    assert!(!dir.join("report/index.html").exists());
}

#[test]
fn a_report_that_fails_leaves_the_old_one() {
    let root = tempdir().unwrap();
    let dir = small().write(root.path());
    report(&dir).unwrap();
    let before = files(&dir.join("report"));
    fs::remove_file(run_folder(&dir, "erm", 1).join("config.json")).unwrap();
    report(&dir).unwrap_err();
    assert_eq!(files(&dir.join("report")), before);
    assert_eq!(names(&dir), ["erm", "experiment.json", "labels", "report"]);
}

#[test]
fn a_report_that_is_stopped_leaves_the_old_one() {
    let root = tempdir().unwrap();
    let dir = small().write(root.path());
    report(&dir).unwrap();
    let before = files(&dir.join("report"));
    let mut stopped = 0;
    // Wherever it is asked.
    for after in 0.. {
        let asked = AtomicUsize::new(0);
        let written = Report::new([&dir])
            .with_formats(&[Format::Html])
            .with_tensorboard(true)
            .interrupted_by(move || asked.fetch_add(1, Ordering::Relaxed) >= after)
            .write();
        match written {
            Err(ReportError::Interrupted) => stopped += 1,
            other => {
                other.unwrap();
                break;
            }
        }
        assert_eq!(files(&dir.join("report")), before);
        assert_eq!(names(&dir), ["erm", "experiment.json", "labels", "report"]);
    }
    assert!(stopped > 30, "asked {stopped} times");
    assert!(!dir.join("report/tables").exists());
}

/// Who waits for the folder of an experiment stops when it is told to.
#[test]
fn a_wait_for_the_folder_is_interrupted() {
    let root = tempdir().unwrap();
    let dir = small().write(root.path());
    report(&dir).unwrap();
    let before = files(&dir.join("report"));
    let held = FolderLock::take(&dir).unwrap();
    thread::spawn(move || {
        thread::sleep(Duration::from_secs(20));
        drop(held);
    });
    let began = Instant::now();
    let written = Report::new([&dir])
        .interrupted_by(move || began.elapsed() > Duration::from_secs(1))
        .write();
    assert!(matches!(written, Err(ReportError::Interrupted)));
    assert_eq!(files(&dir.join("report")), before);
    assert_eq!(names(&dir), ["erm", "experiment.json", "labels", "report"]);
}

#[test]
fn nothing_but_a_report_is_replaced() {
    let root = tempdir().unwrap();
    let dir = small().write(root.path());

    let home = root.path().join("home");
    fs::create_dir_all(home.join("figures")).unwrap();
    fs::write(home.join("thesis.tex"), "mine").unwrap();
    foreign(&home, &dir, "is no report that could be replaced: it holds");
    // Not even where the names are ours.
    let site = root.path().join("site");
    fs::create_dir(&site).unwrap();
    fs::write(site.join("index.html"), "mine").unwrap();
    foreign(&site, &dir, "it holds no files.json of a report");
    let file = root.path().join("file");
    fs::write(&file, "mine").unwrap();
    foreign(&file, &dir, "it is no folder");

    // A report in which somebody keeps something.
    let kept = root.path().join("kept");
    Report::new([&dir]).with_out(&kept).write().unwrap();
    fs::write(kept.join("figures/notes.svg"), "mine").unwrap();
    foreign(&kept, &dir, "figures/notes.svg");
    fs::remove_file(kept.join("figures/notes.svg")).unwrap();
    fs::create_dir(kept.join("empty")).unwrap();
    foreign(&kept, &dir, "empty/");
    fs::remove_dir(kept.join("empty")).unwrap();
    // What systems put everywhere does not matter.
    fs::write(kept.join("figures/.DS_Store"), "").unwrap();
    Report::new([&dir]).with_out(&kept).write().unwrap();

    // An empty folder is no loss, and folders on the way are made.
    let empty = root.path().join("empty");
    fs::create_dir(&empty).unwrap();
    Report::new([&dir]).with_out(&empty).write().unwrap();
    let deep = root.path().join("a/b/c");
    Report::new([&dir]).with_out(&deep).write().unwrap();
    assert!(empty.join("index.html").exists() && deep.join("index.html").exists());
}

/// Of what is behind a link to a device there is no content to compare.
#[cfg(unix)]
fn foreign_with_devices(dir: &Path) {
    let error = report(dir).unwrap_err();
    assert!(matches!(error, ReportError::Foreign { .. }), "{error}");
    let link = fs::symlink_metadata(dir.join("report/files.json")).unwrap();
    assert!(link.is_symlink());
}

#[cfg(unix)]
#[test]
fn links_are_not_followed() {
    use std::os::unix::fs::symlink;
    let root = tempdir().unwrap();
    let dir = small().write(root.path());
    let victim = root.path().join("victim");
    fs::create_dir(&victim).unwrap();
    fs::write(victim.join("profile"), "mine").unwrap();
    let before = files(&victim);

    let link = root.path().join("link");
    symlink(&victim, &link).unwrap();
    foreign(&link, &dir, "it is a link");
    symlink(&victim, dir.join("report")).unwrap();
    assert!(matches!(report(&dir), Err(ReportError::Foreign { .. })));
    fs::remove_file(dir.join("report")).unwrap();

    // Links inside of a report, in the place of its files and folders.
    report(&dir).unwrap();
    let page = dir.join("report/index.html");
    fs::remove_file(&page).unwrap();
    symlink(victim.join("profile"), &page).unwrap();
    foreign(&dir.join("report"), &dir, "index.html");
    fs::remove_dir_all(dir.join("report")).unwrap();
    report(&dir).unwrap();
    fs::remove_dir_all(dir.join("report/figures")).unwrap();
    symlink(&victim, dir.join("report/figures")).unwrap();
    foreign(&dir.join("report"), &dir, "figures");
    assert_eq!(files(&victim), before);

    // Nor is the list of the files read through one, or waited for.
    fs::remove_dir_all(dir.join("report")).unwrap();
    report(&dir).unwrap();
    for other in ["/dev/zero", "/dev/tty"] {
        fs::remove_file(dir.join("report/files.json")).unwrap();
        symlink(other, dir.join("report/files.json")).unwrap();
        foreign_with_devices(&dir);
    }

    // A dangling link is a link.
    let nowhere = root.path().join("nowhere");
    symlink(root.path().join("absent"), &nowhere).unwrap();
    foreign(&nowhere, &dir, "it is a link");
}

#[test]
fn a_report_from_before_there_were_lists_is_kept() {
    let root = tempdir().unwrap();
    let dir = small().write(root.path());
    let out = root.path().join("out");
    let old = || {
        Report::new([&dir])
            .with_out(&out)
            .with_tensorboard(true)
            .write()
            .unwrap();
        fs::remove_file(out.join("files.json")).unwrap();
        // Somebody's own files of names as ours.
        for name in [
            "my-drawing.svg",
            "figures/my-numbers.csv",
            "tables/mine.parquet",
        ] {
            fs::write(out.join(name), "mine").unwrap();
        }
        let relative = |(path, content): (PathBuf, Vec<u8>)| {
            (path.strip_prefix(&out).unwrap().to_owned(), content)
        };
        files(&out).into_iter().map(relative).collect::<Vec<_>>()
    };
    for round in 1..=3 {
        fs::remove_dir_all(&out).unwrap_or_default();
        let before = old();
        Report::new([&dir]).with_out(&out).write().unwrap();
        assert!(!out.join("tensorboard").exists() && !out.join("my-drawing.svg").exists());
        let names = names(root.path());
        let kept: Vec<&String> = names
            .iter()
            .filter(|name| name.starts_with(".report-"))
            .collect();
        // Also several within a second.
        assert_eq!(kept.len(), round, "{names:?}");
        assert!(kept.iter().all(|name| name.starts_with(".report-old-20")));
        let same = kept.iter().filter(|name| {
            let path = root.path().join(name);
            before
                .iter()
                .all(|(file, content)| fs::read(path.join(file)).ok().as_ref() == Some(content))
        });
        assert_eq!(same.count(), round);
    }
    // A report with a list goes, and nothing is kept of it.
    Report::new([&dir]).with_out(&out).write().unwrap();
    assert_eq!(names(root.path()).len(), 5);
    // What has other names is refused as before.
    fs::remove_file(out.join("files.json")).unwrap();
    fs::write(out.join("tables/mine.txt"), "").unwrap();
    foreign(&out, &dir, "tables/mine.txt");
}

#[cfg(unix)]
#[test]
fn what_killed_reports_left_is_swept_after_a_day() {
    use std::time::{Duration, SystemTime};
    let root = tempdir().unwrap();
    let dir = small().write(root.path());
    let out = root.path().join("out");
    let aged = |name: &str, days: u64| {
        let folder = fs::File::open(root.path().join(name)).unwrap();
        let time = SystemTime::now() - Duration::from_secs(days * 86_400 + 60);
        folder.set_modified(time).unwrap();
    };
    let half = |name: &str, file: &str| {
        fs::create_dir_all(root.path().join(name).join("figures")).unwrap();
        fs::write(root.path().join(name).join(file), "").unwrap();
    };
    let kept = [
        ".report-young1",
        ".report-mine12",
        ".report-old-20200101T000000Z",
        ".report-long123",
    ];
    half(".report-a1B2c3", "figures/curves-erm.svg");
    half(kept[0], "figures/curves-erm.svg");
    half(kept[1], "figures/notes.txt");
    half(kept[2], "figures/curves-erm.svg");
    half(kept[3], "figures/curves-erm.svg");
    let before = root.path().join(".report-Moved1");
    Report::new([&dir])
        .with_out(before.join("old"))
        .write()
        .unwrap();
    for name in [
        ".report-a1B2c3",
        ".report-Moved1",
        kept[1],
        kept[2],
        kept[3],
    ] {
        aged(name, 1);
    }
    Report::new([&dir]).with_out(&out).write().unwrap();
    let mut expected = kept.map(str::to_owned).to_vec();
    expected.extend(["out".to_owned(), "parity".to_owned()]);
    expected.sort();
    assert_eq!(names(root.path()), expected);
}

/// A process that is killed lets go of its lock.
#[test]
fn what_nobody_holds_is_swept_at_once() {
    let root = tempdir().unwrap();
    let dir = small().write(root.path());
    let out = root.path().join("out");
    let half = |name: &str, file: &str| {
        let folder = root.path().join(name);
        fs::create_dir_all(folder.join("new/figures")).unwrap();
        fs::write(folder.join("new").join(file), "").unwrap();
        let lock = gradual_runs::FolderLock::take(&folder).unwrap();
        (folder, lock)
    };
    let (killed, lock) = half(".report-a1B2c3", "figures/curves-erm.svg");
    drop(lock);
    let (own, lock) = half(".report-d4E5f6", "figures/notes.txt");
    drop(lock);
    let (held, lock) = half(".report-g7H8i9", "figures/curves-erm.svg");
    let (between, between_lock) = half(".report-j1K2l3", "index.html");
    fs::remove_dir_all(between.join("new")).unwrap();
    Report::new([&dir])
        .with_out(between.join("old"))
        .write()
        .unwrap();
    drop(between_lock);
    Report::new([&dir]).with_out(&out).write().unwrap();
    assert!(!killed.exists() && !between.exists());
    assert!(own.exists() && held.exists());
    assert!(!out.join(".lock").exists());
    drop(lock);
    Report::new([&dir]).with_out(&out).write().unwrap();
    assert!(!held.exists());
    let left = names(root.path());
    assert_eq!(left, [".report-d4E5f6", "out", "parity"]);
}

#[test]
fn many_reports_at_once_are_each_whole() {
    let root = tempdir().unwrap();
    let fixture = Fixture {
        arms: vec![Arm::new("erm", 100.0, 10.0, 0.3, false)],
        capabilities: 2,
        seeds: 1,
        evaluations: 6,
        ..small()
    };
    let dir = fixture.write(root.path());
    report(&dir).unwrap();
    // In the experiment's folder there is a lock to wait for, elsewhere there is none.
    for out in [dir.join("report"), root.path().join("out")] {
        Report::new([&dir]).with_out(&out).write().unwrap();
        let expected = files(&out);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..10 {
                        Report::new([&dir]).with_out(&out).write().unwrap();
                    }
                });
            }
        });
        assert_eq!(files(&out), expected);
    }
    assert_eq!(names(&dir), ["erm", "experiment.json", "report"]);
    let names = names(root.path());
    assert_eq!(names, ["out", "parity"]);
}

#[test]
fn no_two_arms_share_a_file() {
    let root = tempdir().unwrap();
    let long = "x".repeat(200);
    let names = [
        "a-b".to_owned(),
        "a b".to_owned(),
        "A-B".to_owned(),
        "a-b-2".to_owned(),
        "é".to_owned(),
        "ü".to_owned(),
        format!("{long}1"),
        format!("{long}2"),
        // The figure `curves` of this arm and the figure `curves-loss` of the other.
        "loss-x".to_owned(),
        "x".to_owned(),
    ];
    let fixture = Fixture {
        arms: names
            .iter()
            .map(|name| Arm::new(name, 100.0, 10.0, 0.3, true))
            .collect(),
        seeds: 1,
        ..small()
    };
    let dir = fixture.write(root.path());
    report(&dir).unwrap();
    let drawings = self::names(&dir.join("report/figures"));
    let svgs: Vec<String> = drawings
        .iter()
        .filter(|name| name.ends_with(".svg"))
        .map(|name| name.to_lowercase())
        .collect();
    let different: std::collections::BTreeSet<&String> = svgs.iter().collect();
    assert_eq!(different.len(), svgs.len(), "{svgs:?}");
    for figure in ["Skill of every capability over time", "Skill (accuracy"] {
        let of = |name: &&String| {
            let svg = fs::read_to_string(dir.join("report/figures").join(name)).unwrap();
            svg.contains(&format!("aria-label=\"{figure}"))
        };
        let svgs = drawings.iter().filter(|name| name.ends_with(".svg"));
        if figure.starts_with("Skill of") {
            assert_eq!(svgs.filter(of).count(), names.len());
        }
    }
    let loss = |name: &str| {
        let svg = fs::read_to_string(dir.join("report/figures").join(name)).unwrap();
        svg.split_once("aria-label=\"").unwrap().1[..12].to_owned()
    };
    assert_ne!(loss("curves-loss-x.svg"), loss("curves-loss-x-2.svg"));
}

#[test]
fn names_leave_no_report_folder() {
    let root = tempdir().unwrap();
    let target = root.path().join("report");
    for name in ["../x", "/tmp/x", "a/../../x", ""] {
        let mut report = ReportFolder::new(&target).unwrap();
        report.write(name, "").unwrap_err();
    }
    let mut report = ReportFolder::new(&target).unwrap();
    report.write("a", "1").unwrap();
    report.write("a", "2").unwrap_err();
    drop(report);
    assert_eq!(names(root.path()), [""; 0]);
}
