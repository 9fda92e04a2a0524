//! Lines of text, as a person gives them: with groups and without, from files and pipes, and the names of found groups.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::common::{lab, refused, run};
use serde_json::Value;

/// Sums, two thirds of which name a group.
fn lines(groups: bool) -> String {
    let line = |at: u32| {
        let group = match (groups, at % 3) {
            (true, 0) => ",\"group\":\"small\"",
            (true, 1) => ",\"group\":\"large\"",
            _ => "",
        };
        let (a, b) = (at % 10, at / 10 % 10);
        format!(
            "{{\"prompt\":\"{a}+{b}=\",\"target\":\"{}\"{group}}}\n",
            a + b
        )
    };
    (0..200).map(line).collect()
}

/// A short run of a small model; the name of the experiment comes from that of the file.
fn short<'a>(file: &'a str, out: &'a str, arms: &'a [&'a str]) -> Vec<&'a str> {
    let usual = [
        "--data",
        file,
        "--out",
        out,
        "--seeds=1",
        "--steps=6",
        "--draw=8",
        "--width=8",
        "--heads=2",
        "--layers=1",
        "--hidden=8",
        "--context=12",
        "--held-out=5",
    ];
    usual.into_iter().chain(arms.iter().copied()).collect()
}

fn read(home: &Path, name: &str) -> String {
    fs::read_to_string(home.join("runs/text").join(name)).unwrap()
}

#[test]
fn lines_with_groups_are_learned_and_known_by_their_content() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("sums.jsonl");
    fs::write(&file, lines(true)).unwrap();
    let out = home.path().join("runs").display().to_string();
    let name = file.display().to_string();
    let output = lab(&short(&name, &out, &["--arms=erm,grouped,balanced"]));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("66 lines without a \"group\" are a group of their own"),
        "{said}"
    );
    let config: Value =
        serde_json::from_str(&read(home.path(), "grouped/seed-0/config.json")).unwrap();
    let task = &config["task"];
    assert_eq!(
        task["capabilities"],
        serde_json::json!(["large", "no group", "small"])
    );
    assert_eq!(
        (&task["tokenizer"], &task["context"]),
        (&"characters".into(), &12.into())
    );
    assert!(!config.to_string().contains("sums.jsonl"));
    let curves = read(home.path(), "grouped/seed-0/curves.jsonl");
    let last: Value = serde_json::from_str(curves.lines().last().unwrap()).unwrap();
    for group in ["large", "no group", "small"] {
        let score = &last["capabilities"][group];
        let probability = score["probability"].as_f64().unwrap();
        assert!(probability > 0.0 && probability < 1.0 && score["accuracy"].is_number());
    }
    // Known groups are not found ones.
    assert_eq!(read(home.path(), "grouped/seed-0/members.jsonl"), "");
    assert!(!read(home.path(), "report/index.html").contains("Found groups"));

    // Moved, it is the same; changed, it is another.
    let moved = home.path().join("moved.ndjson");
    fs::rename(&file, &moved).unwrap();
    let name = moved.display().to_string();
    run(&short(&name, &out, &["--arms=erm"]));
    fs::write(&moved, lines(true).replacen("1+0=", "0+1=", 1)).unwrap();
    let said = refused(&short(&name, &out, &["--arms=erm"]));
    assert!(said.contains("task.sha256"), "{said}");
}

/// A file of lines without groups, and a folder for runs.
fn plain(home: &Path) -> (String, String) {
    let file = home.join("plain.jsonl");
    fs::write(&file, lines(false)).unwrap();
    let out = home.join("runs");
    (file.display().to_string(), out.display().to_string())
}

#[test]
fn found_groups_can_be_named() {
    let home = tempfile::tempdir().unwrap();
    let (name, out) = plain(home.path());
    let arms = [
        "--arm=found=grouping:kmeans(k=2),composition:squares",
        "--arms=erm,random",
    ];
    let output = lab(&short(&name, &out, &arms));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    assert!(!said.contains("left out"), "who names arms knows: {said}");
    let experiment: Value = serde_json::from_str(&read(home.path(), "experiment.json")).unwrap();
    assert_eq!(experiment["claims"], serde_json::json!([]));
    for arm in ["erm", "random"] {
        assert_eq!(
            read(home.path(), &format!("{arm}/seed-0/members.jsonl")),
            "",
            "{arm}"
        );
    }
    let members = read(home.path(), "found/seed-0/members.jsonl");
    let last: Value = serde_json::from_str(members.lines().last().unwrap()).unwrap();
    let group = &last["found"][0];
    let example = group["nearest"][0].as_str().unwrap();
    assert!(example.contains(" → "), "{example}");
    let page = read(home.path(), "report/index.html");
    assert!(page.contains("Found groups") && page.contains(&format!("<li>{example}</li>")));

    let names = home.path().join("runs/text/names.toml");
    let number = group["group"].as_u64().unwrap();
    fs::write(
        &names,
        format!("[found.seed-0]\n{number} = \"small <sums>\"\n77 = \"nothing\"\n"),
    )
    .unwrap();
    let said = String::from_utf8(lab(&short(&name, &out, &arms)).stderr).unwrap();
    assert!(
        said.contains(
            "note: names.toml names group 77 of arm `found`, seed 0, which no run has found"
        ),
        "{said}"
    );
    let page = read(home.path(), "report/index.html");
    assert!(
        page.contains("<b>small &lt;sums&gt;</b>"),
        "the name is on the page"
    );
    assert!(
        page.contains("names group 77 of arm <code>found</code>, seed 0, which no run has found")
    );
    fs::write(&names, "[found.seed-0]\none = \"first\"\n").unwrap();
    let said = refused(&short(&name, &out, &arms));
    assert!(
        said.contains("names.toml, line 2: \"one\" is not the number of a group"),
        "{said}"
    );
}

#[test]
fn arms_that_need_groups_are_refused_without_them() {
    let home = tempfile::tempdir().unwrap();
    let (name, out) = plain(home.path());
    for arm in ["grouped", "balanced", "pcgrad", "stratified"] {
        let arms = [format!("--arms=erm,{arm}")];
        let arms: Vec<&str> = arms.iter().map(String::as_str).collect();
        let said = refused(&short(&name, &out, &arms));
        assert!(
            said.contains(&format!("arm {arm}: it needs groups")),
            "{said}"
        );
    }
    assert!(!home.path().join("runs").exists());
    let output = lab(&short(&name, &out, &[]));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let note = "no example is labelled with a group, so these arms are left out: grouped, balanced";
    assert!(said.contains(note), "{said}");
    let said = refused(&["text", "--out", &out]);
    assert!(said.contains("give --data FILE.jsonl"), "{said}");
    fs::write(&name, lines(false) + "{\"prompt\":\"\"}\n").unwrap();
    let said = refused(&short(&name, &out, &[]));
    assert!(
        said.contains("plain.jsonl, line 201, field \"target\": is missing"),
        "{said}"
    );
    let said = refused(&["table", "--context=4", "--out", &out]);
    assert!(
        said.contains("--context; it goes with experiments on the task text"),
        "{said}"
    );
    assert!(!home.path().join("runs").exists());
}

#[test]
fn lines_come_through_a_pipe() {
    let home = tempfile::tempdir().unwrap();
    let out = home.path().join("runs").display().to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_gradual-lab"));
    command
        .args(["experiment", "text"])
        .args(short("-", &out, &["--arms=erm"]));
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(lines(true).as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    // As a file has it: the same command goes on with its runs.
    let file = home.path().join("sums.jsonl");
    fs::write(&file, lines(true)).unwrap();
    let name = file.display().to_string();
    let output = lab(&short(&name, &out, &["--arms=erm"]));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.success() && said.contains("1 run is done already"),
        "{said}"
    );
}

/// A pipe is copied first, and where it can't be, the place is named.
#[test]
fn a_missing_folder_for_the_copy_of_a_pipe_is_named() {
    let home = tempfile::tempdir().unwrap();
    let out = home.path().join("runs").display().to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_gradual-lab"));
    command
        .args(["experiment", "text"])
        .args(short("-", &out, &["--arms=erm"]))
        .env("TMPDIR", home.path().join("none"))
        .stdin(Stdio::null());
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !output.status.success() && said.contains("none, the folder for temporary files (TMPDIR)"),
        "{said}"
    );
}
