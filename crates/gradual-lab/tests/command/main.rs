//! The command line end to end: a short experiment, and everything that can be asked wrongly.

mod pages;
mod parts;
mod quality;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// The arms of sparse parity that run when none is named.
const USUAL: [&str; 9] = [
    "erm", "grouped", "whitened", "kmeans", "svd", "random", "balanced", "erm-half", "matched",
];

fn lab(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gradual-lab"));
    command
        .arg("experiment")
        .args(arguments)
        .output()
        .expect("the program starts")
}

/// Standard error of a command that must fail without a panic.
fn refused(arguments: &[&str]) -> String {
    let output = lab(arguments);
    let message = String::from_utf8(output.stderr).expect("text");
    assert!(!output.status.success(), "{arguments:?} must fail");
    assert!(!message.contains("panicked"), "{arguments:?}: {message}");
    message
}

fn short(out: &Path, more: &[&str]) -> Vec<String> {
    let mut arguments = vec!["--quick", "--seeds=1", "--steps=30", "--draw=32"];
    let out = format!("--out={}", out.display());
    arguments.push(&out);
    arguments.extend(more);
    arguments.into_iter().map(str::to_owned).collect()
}

fn run(arguments: &[String]) -> String {
    let output = lab(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let (out, err) = (
        String::from_utf8(output.stdout),
        String::from_utf8(output.stderr),
    );
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        err.expect("text")
    );
    out.expect("text")
}

#[test]
fn an_experiment_ends_with_a_report_and_repeats() {
    let home = tempfile::tempdir().unwrap();
    let page = run(&short(home.path(), &[]));
    let folder = home.path().join("sparse-parity-quick");
    assert_eq!(Path::new(page.trim()), folder.join("report/index.html"));
    let html = fs::read_to_string(page.trim()).unwrap();
    assert!(html.contains("<svg") && html.contains("Multitask sparse parity"));
    let summary = fs::read_to_string(folder.join("report/summary.json")).unwrap();
    let _: Value = serde_json::from_str(&summary).unwrap();
    let read = |home: &Path, arm: &str, file: &str| {
        let path = home
            .join("sparse-parity-quick")
            .join(arm)
            .join("seed-0")
            .join(file);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    for arm in USUAL {
        assert!(read(home.path(), arm, "DONE").contains("completed"));
        assert!(read(home.path(), arm, "curves.jsonl").lines().count() > 5);
        assert_eq!(
            read(home.path(), arm, "groups.jsonl").contains("spectrum"),
            ["svd", "kmeans", "whitened"].contains(&arm)
        );
    }

    // Done runs are kept, and a second machine-independent run has the same bytes.
    let before = read(home.path(), "svd", "timing.jsonl");
    run(&short(home.path(), &[]));
    assert_eq!(before, read(home.path(), "svd", "timing.jsonl"));
    let second = tempfile::tempdir().unwrap();
    run(&short(second.path(), &["--arms=kmeans,svd", "--jobs=1"]));
    for arm in ["kmeans", "svd"] {
        for file in ["curves.jsonl", "groups.jsonl"] {
            assert_eq!(
                read(home.path(), arm, file),
                read(second.path(), arm, file),
                "{arm} {file}"
            );
        }
    }

    // Another configuration in the same folder is refused by name.
    let mut other = short(home.path(), &[]);
    other[2] = "--steps=31".to_owned();
    let message = refused(&other.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(
        message.contains("steps is 30 in the folder and 31 asked for"),
        "{message}"
    );
    other.push("--fresh".to_owned());
    run(&other);
}

#[test]
fn a_users_table_is_learned() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("table.csv");
    let rows: String = (0..80)
        .map(|i| format!("{},{},{}\n", i % 2, i % 3, i % 2 * 3 + i % 5))
        .collect();
    fs::write(&file, format!("good,kind,size\n{rows}")).unwrap();
    let data = format!("--data={}", file.display());
    let page = run(&short(
        home.path(),
        &[&data, "--label=good", "--group=kind"],
    ));
    assert!(fs::read_to_string(page.trim()).unwrap().contains("kind=2"));
}

#[test]
fn a_decoder_learns_text_skills() {
    let home = tempfile::tempdir().unwrap();
    run(&[
        "skills".to_owned(),
        "--quick".to_owned(),
        "--steps=3".to_owned(),
        "--draw=8".to_owned(),
        format!("--out={}", home.path().display()),
    ]);
    for arm in [
        "erm",
        "grouped",
        "power4",
        "stratified",
        "muon",
        "late",
        "svd",
    ] {
        let curves = home
            .path()
            .join("skills-quick")
            .join(arm)
            .join("seed-0/curves.jsonl");
        let curves = fs::read_to_string(curves).unwrap();
        let last: Value = serde_json::from_str(curves.lines().last().unwrap()).unwrap();
        let skills = last["capabilities"].as_object().unwrap();
        assert_eq!(skills.len(), 9);
        assert_eq!(skills["add-words"]["frequency"], 0.0);
        assert!(
            skills
                .values()
                .all(|skill| skill["probability"].is_number())
        );
    }
}

/// Several codes for each task, a deeper model: another configuration, written down.
#[test]
fn aliases_and_depth_are_part_of_the_configuration() {
    let home = tempfile::tempdir().unwrap();
    let mut arguments = short(home.path(), &["--arms=erm"]);
    arguments[2] = "--steps=2".to_owned();
    run(&arguments);
    let config = || {
        let path = "sparse-parity-quick/erm/seed-0/config.json";
        let text = fs::read_to_string(home.path().join(path)).unwrap();
        serde_json::from_str::<Value>(&text).unwrap()["task"].clone()
    };
    // Nothing new in the records of the task as it always was.
    assert!(config().get("aliases").is_none() && config().get("depth").is_none());
    arguments.extend(["--aliases=2".to_owned(), "--depth=2".to_owned()]);
    let message = refused(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(
        message.contains("task.aliases is not in the folder and 2 asked for"),
        "{message}"
    );
    arguments.push("--fresh".to_owned());
    run(&arguments);
    assert_eq!(config()["aliases"], 2);
    assert_eq!(config()["depth"], 2);

    for (experiment, flag) in [
        ("table", "--aliases=2"),
        ("skills", "--depth=2"),
        ("grouping-quality-skills", "--depth=2"),
    ] {
        let message = refused(&[experiment, flag]);
        let name = flag.trim_end_matches("=2");
        assert!(
            message.contains(&format!("experiment {experiment} has no {name}")),
            "{message}"
        );
    }
    assert!(refused(&["--aliases=0"]).contains("--aliases"));
    assert!(
        refused(&["--depth=101"])
            .contains("task.sparse-parity.depth = 101, but it is a whole number from 1 to 100")
    );
}

/// Arms that run only when named: as any other then, and unheard of before.
#[test]
fn more_arms_run_when_named() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("sparse-parity-quick");
    let arms = "inputs,raw,spectral,spherical,centroids,damped,power4,dro,cvar,tilted,focal,noisy30,pcgrad,mgda,upgrad,curriculum,stratified";
    let named = |arms: &str| {
        let mut arguments = short(home.path(), &[&format!("--arms={arms}")]);
        arguments[2] = "--steps=6".to_owned();
        run(&arguments);
        let record = fs::read_to_string(folder.join("experiment.json")).unwrap();
        let record: Value = serde_json::from_str(&record).unwrap();
        let arms = record["arms"].as_array().unwrap().iter();
        arms.map(|arm| arm["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(named("erm"), USUAL);
    assert_eq!(
        named(arms),
        USUAL.into_iter().chain(arms.split(',')).collect::<Vec<_>>()
    );
    let last = |arm: &str, file: &str| -> Value {
        let lines = fs::read_to_string(folder.join(arm).join("seed-0").join(file)).unwrap();
        serde_json::from_str(lines.lines().last().unwrap()).unwrap()
    };
    for arm in arms.split(',') {
        let shares = &last(arm, "groups.jsonl")["shares"];
        let total: f64 = shares
            .as_object()
            .unwrap()
            .values()
            .map(|share| share.as_f64().unwrap())
            .sum();
        assert!((total - 1.0).abs() < 1e-6, "{arm}: {shares}");
    }
    let recovery = |arm| last(arm, "groups.jsonl")["recovery"].as_f64();
    assert_eq!(recovery("power4"), Some(1.0));
    assert!(recovery("noisy30").unwrap() < 0.9);
    assert_eq!(recovery("focal"), None, "single examples are no clustering");
    let frequency =
        |arm, task: &str| last(arm, "curves.jsonl")["capabilities"][task]["frequency"].clone();
    assert_eq!(frequency("stratified", "task-00"), 0.125);
    assert_ne!(frequency("dro", "task-00"), 0.125);
}

#[test]
fn experiments_are_listed() {
    let text = run(&["--list".to_owned()]);
    for name in [
        "sparse-parity",
        "table",
        "images",
        "grouping-quality",
        "grouping-quality-skills",
        "erm",
        "grouped",
        "kmeans",
        "svd",
        "random",
        "power4",
        "(only when named in --arms)",
    ] {
        assert!(text.contains(name), "{name} in {text}");
    }
}

/// 200 groups, of which an arm is to find as many in each draw.
#[test]
fn more_groups_than_a_draw_has_examples_are_said_before_any_run() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("postcodes.csv");
    let row = |i: u64| {
        let a = (i * 7_919 % 1_000) as f64 / 500.0 - 1.0;
        format!(
            "{a},{},{},{}\n",
            (i % 17) as f64 / 17.0,
            10_000 + i % 200,
            u8::from(a > 0.0)
        )
    };
    let rows: String = (0..2_000).map(row).collect();
    fs::write(&file, format!("a,b,code,y\n{rows}")).unwrap();
    let out = format!("--out={}", home.path().join("runs").display());
    let data = format!("--data={}", file.display());
    let asked = |more: &[&str]| {
        let mut arguments = vec!["table", &data, "--label=y", "--group=code", &out];
        arguments.extend(more);
        arguments.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let message = |more: &[&str]| {
        let arguments = asked(more);
        refused(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let usual = message(&[]);
    for said in [
        "arm kmeans: k-means: 200 groups were asked for, but a draw has 128 examples",
        "nothing was run",
        "--draw 200",
        "--arms erm,grouped,whitened,svd,svd-squared,random,balanced,erm-half,matched",
    ] {
        assert!(usual.contains(said), "{usual}");
    }
    let named = message(&["--arms=spherical,spectral", "--draw=199"]);
    assert!(
        named.contains("arm spectral") && named.contains("arm spherical"),
        "{named}"
    );
    assert!(!named.contains("--arms"), "there is no other arm: {named}");
    assert!(!home.path().join("runs").exists(), "nothing was begun");
    // The ways out that it names.
    let few = ["--steps=2", "--seeds=1"];
    run(&asked(&[&few[..], &["--arms=erm,grouped"]].concat()));
    run(&asked(
        &[
            &few[..],
            &["--arms=erm,grouped,kmeans", "--draw=200", "--fresh"],
        ]
        .concat(),
    ));
}

/// Rows whose group has no other row are trained on under every arm, and the report names them.
#[test]
fn groups_of_a_single_row_are_named_in_the_report() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("single.csv");
    let row = |i: u64| {
        let group = if i < 200 { i % 3 } else { 100 + i };
        let a = (i * 7_919 % 1_000) as f64 / 500.0 - 1.0;
        format!(
            "{a},{},{group},{}\n",
            (i % 17) as f64 / 17.0,
            u8::from(a > 0.0)
        )
    };
    let rows: String = (0..230).map(row).collect();
    fs::write(&file, format!("a,b,g,y\n{rows}")).unwrap();
    let arguments: Vec<String> = [
        "table",
        "--label=y",
        "--group=g",
        "--steps=20",
        "--seeds=1",
        "--arms=erm,grouped,balanced",
    ]
    .map(str::to_owned)
    .into_iter()
    .chain([
        format!("--data={}", file.display()),
        format!("--out={}", home.path().join("runs").display()),
    ])
    .collect();
    let page = run(&arguments);
    let html = fs::read_to_string(page.trim()).unwrap();
    let name = "g=other (30 groups of a single row)";
    assert!(html.contains(name), "the report names them");
    for arm in ["erm", "grouped", "balanced"] {
        let groups = home
            .path()
            .join("runs/table")
            .join(arm)
            .join("seed-0/groups.jsonl");
        let last = fs::read_to_string(groups).unwrap();
        let last: Value = serde_json::from_str(last.lines().last().unwrap()).unwrap();
        let share = last["shares"][name].as_f64().unwrap();
        assert!(
            share > 0.05,
            "{arm}: the coefficients of single rows are {share} of all"
        );
    }
}

#[test]
fn bad_requests_say_what_is_wrong() {
    assert!(
        refused(&["nonsense"])
            .contains("there is no experiment 'nonsense'; there are sparse-parity, gradualness, gradualness-rates, how-many-groups, stability, soft-groups, small-draws, agreement, exact, composition, composition-unseen, overhang, overhang-skills, model-size, model-size-skills, grokking, grokking-clusters, mixing, in-context, skills, skills-composed, lens, lens-permuted, lens-addition, robustness, table, images, text, grouping-quality, grouping-quality-aliases, grouping-quality-permuted, grouping-quality-addition, grouping-quality-digits, grouping-quality-subpopulations, grouping-quality-skills")
    );
    assert!(
        refused(&["--arms=erm,foo"])
            .contains("experiment sparse-parity has no arm 'foo'; its arms are erm,")
    );
    for flag in ["--draw", "--steps", "--seeds", "--jobs"] {
        let message = refused(&[&format!("{flag}=0")]);
        assert!(message.contains(flag) && message.contains('0'), "{message}");
    }
    // A wrong value of a flag hides no other one.
    for words in [
        &["table", "--data=x.csv", "--arms=erm", "--draw", "0"][..],
        &["images", "--data=d", "--quick", "--draw", "0"],
        &["--depth=2", "--out=o", "--draw", "0"],
    ] {
        let message = refused(words);
        assert!(message.contains("'0' for '--draw"), "{message}");
    }
    assert!(refused(&["--data=x.csv"]).contains("--label"));
    let home = tempfile::tempdir().unwrap();
    let table = |text: &str| {
        let file = home.path().join("bad.csv");
        fs::write(&file, text).unwrap();
        let data = format!("--data={}", file.display());
        let out = format!("--out={}", home.path().display());
        refused(&["table", &data, "--label=y", "--group=g", &out])
    };
    assert!(
        table("y,g,a\n1,2,3\n0,2,x\n").contains("line 3, column 'a': 'x' is not a finite number")
    );
    assert!(table("y,a\n1,2\n").contains("there is no column 'g'"));
    assert!(
        table("y,g,a\n1,2\n").contains("line 2: it has 2 cells, but the header has 3"),
        "{}",
        table("y,g,a\n1,2\n")
    );
    assert!(table("y,g,a\n1,2,inf\n").contains("'inf' is not a finite number"));
    assert!(table("y,g,a\n1,2,3\n").contains("at least 2 are needed"));
    let missing = refused(&["table", "--data=no/such.csv", "--label=y", "--group=g"]);
    assert!(missing.contains("no/such.csv: No such file"), "{missing}");
    let misplaced = refused(&["sparse-parity", "--data=x.csv", "--label=y", "--group=g"]);
    assert!(
        misplaced.contains("has no --data; it goes with experiments on the task table"),
        "{misplaced}"
    );
    assert_eq!(
        fs::read_dir(home.path()).unwrap().count(),
        1,
        "nothing is made for a bad request"
    );
}

#[test]
fn a_failing_arm_is_named_and_the_others_are_kept() {
    let home = tempfile::tempdir().unwrap();
    // A folder where one of its files should go.
    let run = home.path().join("sparse-parity-quick/kmeans/seed-0");
    fs::create_dir_all(run.join("environment.json/in-the-way")).unwrap();
    let arguments = short(home.path(), &["--arms=erm,kmeans"]);
    let message = refused(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(
        message.contains("arm kmeans, seed 0: ") && message.contains("environment.json"),
        "{message}"
    );
    assert!(
        home.path()
            .join("sparse-parity-quick/erm/seed-0/DONE")
            .exists()
    );
    assert!(
        home.path()
            .join("sparse-parity-quick/report/index.html")
            .exists()
    );
}

#[test]
fn backends_that_are_not_there_are_named() {
    for (name, expected) in [
        ("none", "backend 'none' is not compiled in (there is: flex"),
        ("flex:x", "backend 'flex:x': 'x' is no index of a device"),
        (
            "flex:7",
            "backend 'flex' has no device 7 here; it has: 0 the processor",
        ),
    ] {
        let message = refused(&["--quick", "--backend", name]);
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn scripts_get_json() {
    let list = run(&["--list", "--json"].map(str::to_owned));
    let list: Value = serde_json::from_str(&list).unwrap();
    let experiments = list["experiments"].as_array().unwrap();
    let parity = &experiments[0];
    assert_eq!(parity["name"], "sparse-parity");
    assert_eq!(
        parity["arms"][0],
        serde_json::json!({
            "name": "erm", "about": "the plain mean loss", "control_for": null,
            "series": null, "seeds": null, "default": true
        })
    );
    let parts = list["parts"].as_array().unwrap();
    let groupings = parts.iter().find(|part| part["key"] == "grouping");
    let kmeans = groupings.unwrap()["entries"].as_array().unwrap();
    let kmeans = kmeans.iter().find(|entry| entry["name"] == "kmeans");
    assert_eq!(kmeans.unwrap()["parameters"][0]["default"], "known");

    let home = tempfile::tempdir().unwrap();
    let said = run(&short(home.path(), &["--json", "--arms=erm,grouped"]));
    assert_eq!(said.lines().count(), 1, "{said}");
    let said: Value = serde_json::from_str(&said).unwrap();
    let folder = home.path().join("sparse-parity-quick");
    assert_eq!(said["folder"], folder.to_str().unwrap());
    assert_eq!(
        said["page"],
        folder.join("report/index.html").to_str().unwrap()
    );
    let verdicts = said["verdicts"].as_array().unwrap();
    let grouped = verdicts
        .iter()
        .filter(|verdict| verdict["arm"] == "grouped");
    assert!(grouped.count() > 1, "{said}");
    assert!(
        verdicts
            .iter()
            .all(|verdict| verdict["verdict"] == "inconclusive")
    );
}

/// A flag that is given twice is named as such wherever it stands.
#[test]
fn a_flag_that_is_given_twice_is_named() {
    for arguments in [
        &[
            "table",
            "--data=x.csv",
            "--label",
            "y",
            "--group",
            "g",
            "--label",
            "y",
        ][..],
        &["skills", "--seeds", "1", "--seeds", "1"],
        &["skills", "--seeds", "1", "--seeds", "1", "--plan"],
    ] {
        let said = refused(arguments);
        assert!(said.contains("cannot be used multiple times"), "{said}");
    }
}

/// What the way out is depends on what is wrong.
#[test]
fn a_way_out_is_one() {
    let home = tempfile::tempdir().unwrap();
    let taken = home.path().join("taken");
    fs::write(&taken, "").unwrap();
    for out in [
        taken.clone(),
        taken.join("below"),
        home.path().join("n".repeat(300)),
    ] {
        let out = format!("--out={}", out.display());
        let said = refused(&["sparse-parity", "--quick", &out]);
        assert!(
            said.contains("give another --out") && !said.contains("move it away"),
            "{said}"
        );
    }
    let out = format!("--out={}", home.path().display());
    let arm = "--arm=mine=like:grouped,grouping:spectral(k=8),draw:3";
    for more in [&[][..], &["--draw=8"]] {
        let mut arguments = vec!["sparse-parity", "--quick", "--arms=mine", arm, &out];
        arguments.extend(more);
        let said = refused(&arguments);
        assert!(
            said.contains("change these arms") && !said.contains("give --draw"),
            "{said}"
        );
    }
}
