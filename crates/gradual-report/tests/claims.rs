//! The page of claims and verdicts.

use std::fs;

use crate::common::{Arm, Fixture};
use gradual_report::{ReportError, claims};
use tempfile::tempdir;

#[test]
fn every_claim_has_its_verdict_and_figure() {
    let root = tempdir().unwrap();
    let dir = Fixture::default().write(root.path());
    let page = root.path().join("docs/claims.md");
    claims(std::slice::from_ref(&dir), &page).unwrap();
    let text = fs::read_to_string(&page).unwrap();
    assert!(text.starts_with("# Claims and verdicts\n"));
    assert!(text.contains("## Multitask parity"));
    assert!(text.contains("> Grouped loss may disfavor"));
    assert!(text.contains("cargo xtask experiment parity --seeds 5"));
    let row = text.lines().find(|line| line.starts_with("| [1]")).unwrap();
    assert!(
        row.contains("(#parity-1) With groups the last capability"),
        "{row}"
    );
    assert!(
        row.contains("| ≤ 0.8 | 0.1") && row.ends_with("**supported** |"),
        "{row}"
    );
    for index in 1..=4 {
        assert!(text.contains(&format!("### parity {index}\n")));
        let figure = format!("figures/claims/claim-parity-{index}.svg");
        assert!(text.contains(&format!("]({figure})")));
        let svg = fs::read_to_string(root.path().join("docs").join(figure)).unwrap();
        let drawing = roxmltree::Document::parse(&svg).unwrap();
        // A dot to point at for each seed of both arms.
        let dots = drawing
            .descendants()
            .filter(|node| node.has_tag_name("title"));
        assert_eq!(dots.count(), 10);
    }
    assert!(text.contains("**Supported**. max t50 / min t50 of `labels` against `erm`"));
    assert!(text.contains("**Not supported**."));
    assert!(text.contains(", 5 seeds, p < 0.001."));

    // Equal runs, equal bytes; and what one says of a thing that never came.
    claims(&[dir], &page).unwrap();
    assert_eq!(fs::read_to_string(&page).unwrap(), text);
    let short = Fixture {
        steps: 1000,
        ..Fixture::default()
    };
    let other = tempdir().unwrap();
    let page = other.path().join("claims.md");
    claims(&[short.write(other.path())], &page).unwrap();
    let text = fs::read_to_string(&page).unwrap();
    assert!(text.contains("**Inconclusive**: 5 of 5 runs of labels never got there."));
}

#[test]
fn several_experiments_and_none() {
    let (one, other) = (tempdir().unwrap(), tempdir().unwrap());
    let dirs = [one.path(), other.path()].map(|root| Fixture::default().write(root));
    let page = one.path().join("claims.md");
    claims(&dirs, &page).unwrap();
    let text = fs::read_to_string(&page).unwrap();
    assert_eq!(text.matches("\n## ").count(), 2);
    assert!(matches!(claims(&[], &page), Err(ReportError::NoFolder)));
    assert!(claims(&[one.path().join("absent")], &page).is_err());
}

#[test]
fn no_other_file_is_replaced() {
    let root = tempdir().unwrap();
    let dir = Fixture {
        evaluations: 10,
        ..Fixture::default()
    }
    .write(root.path());
    let page = root.path().join("README.md");
    fs::write(&page, "# Mine\n").unwrap();
    let error = claims(std::slice::from_ref(&dir), &page).unwrap_err();
    assert!(matches!(error, ReportError::ForeignPage { .. }), "{error}");
    assert_eq!(fs::read_to_string(&page).unwrap(), "# Mine\n");
    // Nor are figures written without their page.
    assert!(!root.path().join("figures").exists());
    let figures = root.path().join("docs/figures");
    fs::create_dir_all(figures.parent().unwrap()).unwrap();
    fs::write(&figures, "mine").unwrap();
    claims(&[dir], &root.path().join("docs/claims.md")).unwrap_err();
    assert_eq!(fs::read_dir(root.path().join("docs")).unwrap().count(), 1);
}

#[test]
fn figures_of_others_stay_and_those_of_the_page_before_go() {
    let root = tempdir().unwrap();
    let dir = Fixture {
        evaluations: 10,
        ..Fixture::default()
    }
    .write(root.path());
    let docs = root.path().join("docs");
    let figure = |index: usize| docs.join(format!("figures/claims/claim-parity-{index}.svg"));
    let page = docs.join("claims.md");
    // A page of somebody's that has the same heading, and its figure.
    fs::create_dir_all(docs.join("figures/claims")).unwrap();
    fs::write(figure(1), "mine").unwrap();
    let mine = "# Claims and verdicts\n\nMine.\n\n![a](figures/claims/claim-parity-1.svg)\n";
    fs::write(&page, mine).unwrap();
    let error = claims(std::slice::from_ref(&dir), &page).unwrap_err();
    assert!(matches!(error, ReportError::ForeignPage { .. }), "{error}");
    assert_eq!(fs::read_to_string(&page).unwrap(), mine);
    assert_eq!(fs::read_to_string(figure(1)).unwrap(), "mine");
    fs::remove_file(&page).unwrap();
    fs::remove_file(figure(1)).unwrap();
    // A figure of somebody's, without a page and beside one.
    fs::create_dir_all(docs.join("figures/claims")).unwrap();
    fs::write(figure(2), "mine").unwrap();
    let refused = |place: &std::path::Path| {
        let error = claims(std::slice::from_ref(&dir), &page).unwrap_err();
        assert!(matches!(error, ReportError::ForeignPage { .. }), "{error}");
        assert!(
            error.to_string().contains(&place.display().to_string()),
            "{error}"
        );
    };
    refused(&figure(2));
    assert_eq!(fs::read_to_string(figure(2)).unwrap(), "mine");
    assert!(!page.exists() && !figure(1).exists());
    fs::remove_file(figure(2)).unwrap();
    claims(std::slice::from_ref(&dir), &page).unwrap();
    fs::write(docs.join("figures/claims/claim-mine.svg"), "mine").unwrap();

    // A folder in the place of the last figure: the first stays as it was.
    fs::write(figure(1), "before").unwrap();
    fs::remove_file(figure(4)).unwrap();
    fs::create_dir(figure(4)).unwrap();
    refused(&figure(4));
    assert_eq!(fs::read_to_string(figure(1)).unwrap(), "before");
    fs::remove_dir(figure(4)).unwrap();
    claims(std::slice::from_ref(&dir), &page).unwrap();
    assert!(figure(4).is_file());

    // A claim less.
    let path = dir.join("experiment.json");
    let mut record: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    record["claims"].as_array_mut().unwrap().pop();
    fs::write(&path, record.to_string()).unwrap();
    claims(&[dir], &page).unwrap();
    assert!(figure(3).is_file() && !figure(4).exists());
    let mine = fs::read_to_string(docs.join("figures/claims/claim-mine.svg")).unwrap();
    assert_eq!(mine, "mine");
}

#[test]
fn long_names_of_arms_are_cut() {
    let root = tempdir().unwrap();
    let dir = Fixture {
        evaluations: 10,
        ..Fixture::default()
    }
    .write(root.path());
    let path = dir.join("experiment.json");
    let mut record: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    let long = "x".repeat(200_000);
    record["claims"][0]["arm"] = long.clone().into();
    record["claims"][1]["against"] = long.into();
    fs::write(&path, record.to_string()).unwrap();
    let page = root.path().join("claims.md");
    claims(&[dir], &page).unwrap();
    let text = fs::read_to_string(&page).unwrap();
    assert!(
        text.contains("xxx") && text.len() < 20_000,
        "{}",
        text.len()
    );
}

#[test]
fn pages_that_differ_in_their_ending_share_no_figure() {
    let root = tempdir().unwrap();
    let dir = Fixture {
        evaluations: 10,
        ..Fixture::default()
    }
    .write(root.path());
    let docs = root.path().join("docs");
    for name in ["c.md", "c", "c.txt", "c.md"] {
        claims(std::slice::from_ref(&dir), &docs.join(name)).unwrap();
    }
    for folder in ["c", "c-none", "c-txt"] {
        assert!(docs.join("figures").join(folder).is_dir());
    }
}

#[test]
fn experiments_of_one_name_share_no_figure() {
    let (one, other) = (tempdir().unwrap(), tempdir().unwrap());
    let dirs = [one.path(), other.path()].map(|root| {
        let fixture = Fixture {
            evaluations: 10,
            ..Fixture::default()
        };
        fixture.write(root)
    });
    let page = one.path().join("docs/claims.md");
    claims(&dirs, &page).unwrap();
    let text = fs::read_to_string(&page).unwrap();
    let figures: std::collections::BTreeSet<&str> = text
        .lines()
        .filter_map(|line| {
            line.strip_prefix("![")?
                .split_once("](")?
                .1
                .strip_suffix(')')
        })
        .collect();
    assert_eq!(figures.len(), 8);
    for figure in figures {
        assert!(one.path().join("docs").join(figure).is_file(), "{figure}");
    }
    // Nothing of the writing is left.
    let left = fs::read_dir(one.path().join("docs")).unwrap();
    assert_eq!(left.count(), 2);
}

#[test]
fn pages_in_one_folder_have_figures_of_their_own() {
    let root = tempdir().unwrap();
    let fixture = Fixture {
        evaluations: 10,
        ..Fixture::default()
    };
    let dir = fixture.write(root.path());
    let docs = root.path().join("docs");
    let held = |folder: &str| {
        let files = fs::read_dir(docs.join(folder)).map(|files| files.count());
        files.unwrap_or(0)
    };
    // The figures of a page that an earlier version wrote lie beside those of everybody; they go.
    let page = docs.join("claims.md");
    fs::create_dir_all(docs.join("figures")).unwrap();
    fs::write(docs.join("figures/claim-parity-1.svg"), "old").unwrap();
    fs::write(docs.join("figures/claim-mine.svg"), "mine").unwrap();
    let old = "# Claims and verdicts\n\nWritten by\n\n![gap](figures/claim-parity-1.svg)\n![x](figures/../claim-mine.svg)\n";
    fs::write(&page, old).unwrap();
    let other = docs.join("Our claims (2).md");
    for page in [&page, &other, &page] {
        claims(std::slice::from_ref(&dir), page).unwrap();
    }
    assert_eq!(
        (held("figures/claims"), held("figures/our-claims-2")),
        (4, 4)
    );
    assert!(!docs.join("figures/claim-parity-1.svg").exists());
    assert!(docs.join("figures/claim-mine.svg").exists());
    let text = fs::read_to_string(&other).unwrap();
    assert!(
        text.contains("](figures/our-claims-2/claim-parity-1.svg)"),
        "{text}"
    );
    // What is no folder of theirs is not written through.
    let third = docs.join("third.md");
    fs::write(docs.join("figures/third"), "mine").unwrap();
    claims(&[dir], &third).unwrap_err();
    assert!(!third.exists());
}

#[test]
fn controls_are_named() {
    let root = tempdir().unwrap();
    let fixture = Fixture {
        arms: vec![
            Arm::new("erm", 100.0, 5.0, 0.3, false),
            Arm::new("slow", 300.0, 5.0, 0.3, false),
        ],
        ..Fixture::default()
    };
    let dir = fixture.write(root.path());
    let page = root.path().join("claims.md");
    claims(std::slice::from_ref(&dir), &page).unwrap();
    let text = fs::read_to_string(&page).unwrap();
    assert!(
        text.contains("The arm is a control for a lower learning rate."),
        "{text}"
    );
    let html = fs::read_to_string(gradual_report::report(&dir).unwrap()).unwrap();
    assert!(html.contains("(control: a lower learning rate)"));
}

/// What a page leaves that was killed goes with a later one, but nothing of somebody's own.
#[test]
fn what_a_killed_page_left_is_swept_after_a_day() {
    let root = tempdir().unwrap();
    let dir = Fixture::default().write(root.path());
    let docs = root.path().join("docs");
    let left = |name: &str, file: &str, days: u64| {
        let folder = docs.join(name);
        fs::create_dir_all(folder.join("figures")).unwrap();
        fs::write(folder.join(file), "# Claims").unwrap();
        fs::write(folder.join("figures/claim-parity-1.svg"), "<svg/>").unwrap();
        let then = std::time::SystemTime::now() - std::time::Duration::from_secs(days * 90_000);
        fs::File::open(&folder).unwrap().set_modified(then).unwrap();
        folder
    };
    let old = left(".report-a1B2c3", "page", 2);
    let new = left(".report-d4E5f6", "page", 0);
    let own = left(".report-g7H8i9", "notes.md", 2);
    claims(std::slice::from_ref(&dir), &docs.join("claims.md")).unwrap();
    assert!(!old.exists() && new.exists() && own.exists());
}
