//! The writer of docs/run-folder.md, and the report of what it wrote.

mod common;
#[path = "../../gradual-runs/tests/common/page.rs"]
mod run_folder_page;

use std::fs;

use common::{json, printed, refused};
use run_folder_page::{blocks, page, run_python};
use serde_json::Value;
use tempfile::tempdir;

#[test]
fn a_python_script_gets_a_report() {
    let page = page();
    let home = tempdir().unwrap();
    // A script is run more than once.
    if !run_python(&page, home.path()) || !run_python(&page, home.path()) {
        return;
    }

    // The command of the page.
    let commands = blocks(&page, "text").concat();
    assert!(commands.contains("gradual report runs/mine"));
    let said = printed(home.path(), &["report", "runs/mine"]);
    assert_eq!(said, "runs/mine/report/index.html\n");
    let html = fs::read_to_string(home.path().join(said.trim())).unwrap();
    for words in [
        "<title>mine</title>",
        "<code>plain</code>",
        "<code>grouped</code>",
        "1\u{202f}000 steps<",
    ] {
        assert!(html.contains(words), "{words}");
    }
    assert!(html.contains(
        "the baseline <code>plain</code> and <code>grouped</code>, the first arm of the experiment"
    ));
    let picture = html.find("<svg").unwrap();
    assert!(picture < html.find("<h2>").unwrap(), "a picture first");
    assert!(!html.contains("of 0 examples") && !html.contains("sees 0"));
    assert!(!html.contains("without digests"), "the journals are proved");

    // With claims, those of the page.
    let record = blocks(&page, "json")[0];
    fs::write(home.path().join("runs/mine/experiment.json"), record).unwrap();
    printed(home.path(), &["report", "runs/mine"]);
    let html = fs::read_to_string(home.path().join(said.trim())).unwrap();
    assert!(html.contains("the arm of the first claim"));
    assert!(
        html.contains("<b class=\"yes\">supported</b>"),
        "the spread is less than half"
    );

    let curves = "runs/mine/grouped/seed-0/curves.jsonl";
    let measured = json(home.path(), &["measure", curves]);
    let t50 = &measured["capabilities"]["copy"]["emergence"]["t50"];
    assert!((t50.as_f64().unwrap() - 500.0).abs() < 20.0, "{t50}");

    // A mistake is named by file and line.
    let path = home.path().join(curves);
    let text = fs::read_to_string(&path).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut line: Value = serde_json::from_str(&lines[3]).unwrap();
    line["capabilities"]["add"]["accuracy"] = Value::from(87);
    lines[3] = line.to_string();
    fs::write(&path, lines.join("\n") + "\n").unwrap();
    let said = refused(home.path(), &["report", "runs/mine"]);
    assert!(said.contains("curves.jsonl"), "{said}");
    fs::write(path.with_file_name("DONE"), "").unwrap();
    let said = refused(home.path(), &["report", "runs/mine"]);
    assert!(
        said.contains("read line 4 of") && said.contains("capabilities.add.accuracy is 87"),
        "{said}"
    );
}
