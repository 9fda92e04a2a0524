//! Names and texts that somebody else chose.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::common::{Arm, Fixture, write};
use gradual_report::{HeatMap, Sheet, claims, report};
use tempfile::tempdir;

fn fixture(names: &[&str]) -> Fixture {
    Fixture {
        arms: names
            .iter()
            .map(|name| Arm::new(name, 100.0, 10.0, 0.3, true))
            .collect(),
        capabilities: 3,
        seeds: 2,
        evaluations: 10,
        ..Fixture::default()
    }
}

/// Gives the capabilities other names in every file of the folder.
fn rename(folder: &Path, names: &[&str]) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rename(&path, names);
        } else if path.extension().is_some_and(|ending| ending == "jsonl") {
            let mut text = fs::read_to_string(&path).unwrap();
            for (at, name) in names.iter().enumerate() {
                let name = serde_json::to_string(name).unwrap();
                text = text.replace(&format!("\"task-{at:02}\""), &name);
            }
            write(&path, &text);
        }
    }
}

const NASTY: [&str; 3] = [
    "\u{0}\u{1}\u{8}\u{b}\u{1b}[2J\u{7f}\u{85}\u{fffe}\u{ffff}",
    "</script><script>alert(1)</script>\u{202e}]]>&amp;\"'",
    "=cmd|' /C calc'!A0\u{2066}",
];

/// Every drawing of a report, and the page, as far as XML goes.
fn sound(dir: &Path) -> String {
    for entry in fs::read_dir(dir.join("report/figures")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().unwrap() == "svg" {
            let svg = fs::read_to_string(&path).unwrap();
            roxmltree::Document::parse(&svg).unwrap_or_else(|error| {
                panic!("{}: {error}", path.display());
            });
            hidden(&svg);
        }
    }
    let html = fs::read_to_string(dir.join("report/index.html")).unwrap();
    hidden(&html);
    for svg in html.split("<svg ").skip(1) {
        let end = svg.find("</svg>").unwrap();
        roxmltree::Document::parse(&format!("<svg {}</svg>", &svg[..end])).unwrap();
    }
    assert_eq!(html.matches("<script").count(), 1);
    html
}

fn hidden(text: &str) {
    let found = text.chars().find(|&letter| {
        let steers = matches!(letter, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        steers || letter.is_control() && letter != '\n' || letter == '\u{ffff}'
    });
    assert_eq!(found, None);
}

#[test]
fn no_character_makes_a_drawing_or_a_page_invalid() {
    let root = tempdir().unwrap();
    let dir =
        fixture(&["erm", "a\u{1b}[31m\u{202e}b\u{2028}", "<b>\u{7}\"'&😀漢"]).write(root.path());
    rename(&dir, &NASTY);
    report(&dir).unwrap();
    sound(&dir);
}

#[test]
fn no_cell_of_text_is_a_formula() {
    let root = tempdir().unwrap();
    let names = ["erm", "=1+1", "+1", "-1", "@x", "\tx"];
    let dir = fixture(&names).write(root.path());
    rename(&dir, &["=SUM(A1)", "+task", "-task"]);
    report(&dir).unwrap();
    let mut inert = BTreeSet::new();
    for part in ["tables", "figures"] {
        for entry in fs::read_dir(dir.join("report").join(part)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().unwrap() != "csv" {
                continue;
            }
            let mut reader = csv::Reader::from_path(&path).unwrap();
            for row in reader.records() {
                for cell in row.unwrap().iter() {
                    let number = cell.parse::<f64>().is_ok();
                    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
                    assert!(number || !formula, "{cell:?} in {}", path.display());
                    if cell.starts_with('\'') {
                        inert.insert(cell.to_owned());
                    }
                }
            }
        }
    }
    let found: Vec<&str> = inert.iter().map(String::as_str).collect();
    assert_eq!(
        found,
        [
            "'\tx",
            "'+1",
            "'+task",
            "'-1",
            "'-task",
            "'=1+1",
            "'=SUM(A1)",
            "'@x"
        ]
    );
}

#[test]
fn labels_of_rows_differ() {
    let root = tempdir().unwrap();
    let dir = fixture(&["erm", "labels"]).write(root.path());
    let names = ["neighbourhood=1", "neighbourhood=2", "neighbourhood=12"];
    rename(&dir, &names);
    report(&dir).unwrap();
    for figure in ["raster-erm", "times-labels"] {
        let svg = fs::read_to_string(dir.join(format!("report/figures/{figure}.svg"))).unwrap();
        let drawing = roxmltree::Document::parse(&svg).unwrap();
        let labels: Vec<&str> = drawing
            .descendants()
            .filter(|node| node.attribute("text-anchor") == Some("end"))
            .filter_map(|node| node.text().map(str::trim))
            .filter(|text| text.contains('…'))
            .collect();
        let different: BTreeSet<&&str> = labels.iter().collect();
        assert_eq!((labels.len(), different.len()), (3, 3), "{labels:?}");
    }
}

#[test]
fn names_of_any_length_are_cut_and_told_apart() {
    let root = tempdir().unwrap();
    let long = "x".repeat(240);
    let (one, other) = (format!("{long}1"), format!("{long}2"));
    let dir = fixture(&["erm", &one, &other]).write(root.path());
    let names = [1, 2, 3].map(|at| format!("{}{at}", "漢".repeat(3000)));
    rename(&dir, &[&names[0], &names[1], &names[2]]);
    report(&dir).unwrap();
    let html = sound(&dir);
    assert!(html.len() < 1_500_000, "{}", html.len());
    // Whole in the list of arms, cut everywhere else.
    assert_eq!(html.matches(&format!("<code>{one}</code>")).count(), 1);
    let cut = |end: &str| {
        html.matches(&format!("xxx…xxxxxxxxxxxxx{end}</code>"))
            .count()
    };
    assert!(cut("1") > 3 && cut("2") > 3, "{} {}", cut("1"), cut("2"));
}

#[test]
fn names_of_letters_without_width_are_cut() {
    for letter in ['\u{301}', '\u{200d}', '\u{fe0f}', '\u{e0041}'] {
        let root = tempdir().unwrap();
        let dir = fixture(&["erm", "labels"]).write(root.path());
        let names = [1, 2, 3].map(|at| format!("a{}{at}", letter.to_string().repeat(60_000)));
        rename(&dir, &[&names[0], &names[1], &names[2]]);
        report(&dir).unwrap();
        let html = sound(&dir);
        assert!(html.len() < 1_500_000, "{letter:?}: {}", html.len());
        for entry in fs::read_dir(dir.join("report/figures")).unwrap() {
            let path = entry.unwrap().path();
            let size = fs::metadata(&path).unwrap().len();
            let drawing = path.extension().is_some_and(|ending| ending == "svg");
            assert!(!drawing || size < 400_000, "{}: {size}", path.display());
        }
    }
}

#[test]
fn a_page_of_claims_holds_no_markup_of_others() {
    let root = tempdir().unwrap();
    let mut names = vec!["erm", "a`b|c"];
    names.push("<script>x</script>");
    let dir = fixture(&names).write(root.path());
    let path = dir.join("experiment.json");
    let text = fs::read_to_string(&path).unwrap();
    let mut record: serde_json::Value = serde_json::from_str(&text).unwrap();
    record["title"] = "A [link](https://evil.example) <img src=x>".into();
    record["claim"] = "one\n\n# two\n| a | b |".into();
    record["claims"][0]["statement"] = "a | b\n<script>alert(1)</script> www.evil.example".into();
    record["claims"][0]["arm"] = "a`b|c".into();
    record["claims"][1]["arm"] = "<script>x</script>".into();
    record["claims"][1]["source"] = "*x*\u{1b}[2J\u{202e}".into();
    record["commands"][0]["command"] = "one\n# two\n<script>".into();
    write(&path, &record.to_string());
    let page = root.path().join("claims.md");
    claims(&[dir], &page).unwrap();
    let text = fs::read_to_string(&page).unwrap();
    hidden(&text);
    let code: &dyn Fn(&str) -> bool = &|line| line.starts_with("    ");
    for line in text.lines().filter(|line| !code(line)) {
        // What stands in backticks is code.
        let outside: String = line.split('`').step_by(2).collect();
        let plain = outside
            .replace("\\<", "")
            .replace("\\[", "")
            .replace("\\]", "")
            .replace("\\|", "");
        assert!(!plain.contains('<') && !plain.contains("](h"), "{line}");
        assert!(
            !plain.contains("https://") && !plain.contains("www."),
            "{line}"
        );
    }
    assert!(text.contains("    one\n    # two\n    <script>\n"));
    assert!(text.contains("``a`b|c`` against `erm`"));
    let bars = |line: &str| line.replace("\\|", "").matches('|').count();
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| ")).collect();
    assert!(
        rows.len() == 5 && rows.iter().all(|row| bars(row) == 6),
        "{rows:?}"
    );
}

#[test]
fn sheets_hold_no_markup_of_others() {
    let mut sheet = Sheet::new("<b>");
    let map = HeatMap {
        name: "map".into(),
        title: "\u{1b}".into(),
        x_label: "x".into(),
        columns: vec!["a long name 1".into(), "a long name 2".into()],
        rows: vec![("a|b".into(), vec![Some(0.5), None])],
    };
    sheet.figure(&map);
    sheet.figure(&map);
    sheet.table(&["a", "b"], vec![vec!["x|y".into(), "<script>".into()]]);
    let names: Vec<&str> = sheet.figures().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["map", "map-2"]);
    let svg = map.svg().unwrap();
    roxmltree::Document::parse(&svg).unwrap();
    assert!(svg.contains("e 1\n") && svg.contains("e 2\n"), "{svg}");
    let text = sheet.markdown();
    assert!(text.contains("| x\\|y | \\<script\\> |"), "{text}");
    let many = HeatMap {
        columns: (0..2000).map(|at| at.to_string()).collect(),
        rows: (0..2000)
            .map(|at| (at.to_string(), vec![Some(0.5); 2000]))
            .collect(),
        ..map
    };
    let svg = many.svg().unwrap();
    assert!(svg.len() < 3_000_000 && svg.contains(", 200 of 2000 rows, 60 of 2000 columns"));
}
