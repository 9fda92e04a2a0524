//! Arms with a lens, from a file to the report.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::common::{refused, run, written};
use gradual::runs::files::LOOKS;
use gradual::runs::{Evaluation, Lines, LooksRecord};
use serde_json::Value;

const FILE: &str = r#"
name = "small"
baseline = "erm"
arms = ["erm", "held", "searched"]

[task.sparse-parity]
tasks = 4
bits = 12
subset = 2
hidden = 32
held_out = 20

[run]
seeds = 1
steps = 60
draw = 32
evaluate_every = 20
layers = ["layers.*.weight"]

[[arm]]
name = "held"
about = "a lens of step 10"
recipe.grouping = "landmarks(k = 4, examples = 60)"
recipe.metric = "whitened"
recipe.layers = ["layers.0.weight"]
recipe.lens = "snapshot(after = 10, every = 25)"
recipe.composition = "squares"

[[arm]]
name = "searched"
about = "a lens that is searched for"
like = "held"
recipe.metric = "none"
recipe.layers = ["layers.*.weight"]
recipe.lens = "search(steps = [0, 10, 20], k = [2, 4], examples = 48, stability = 0.1, metrics = whitened)"
"#;

fn folder(out: &Path, arm: &str) -> PathBuf {
    out.join("small").join(arm).join("seed-0")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

#[test]
fn arms_with_a_lens_run_and_their_looks_are_reported() {
    let home = tempfile::tempdir().unwrap();
    let (file, out) = (written(home.path(), FILE), home.path().join("runs"));
    let page = run(&[&file, &format!("--out={}", out.display())]);

    let config: Value =
        serde_json::from_str(&read(&folder(&out, "held").join("config.json"))).unwrap();
    let recipe = &config["recipe"];
    assert_eq!(recipe["lens"]["name"], "snapshot");
    assert_eq!(recipe["lens"]["after"], 10);
    // Landmarks are kept one by one unless a recipe says otherwise.
    assert_eq!(recipe["grouping"]["kept"], "all");
    let config: Value =
        serde_json::from_str(&read(&folder(&out, "erm").join("config.json"))).unwrap();
    assert!(config["recipe"].get("lens").is_none());
    assert!(!folder(&out, "held").join(LOOKS).exists());

    let curves: Lines<Evaluation> =
        Lines::read(&folder(&out, "held").join("curves.jsonl"), true).unwrap();
    let last = curves.records.last().unwrap();
    // Taken after 10 and 35 steps; the new groups are matched with the old ones on the new standing examples.
    let (steps, under, standing) = (60 * 32, 50 * 32, 2 * 60);
    assert_eq!(last.standing_examples, Some(standing));
    assert_eq!(
        last.gradient_evaluations,
        Some(steps + under + standing + 2 * 60)
    );

    let looks: Lines<LooksRecord> =
        Lines::read(&folder(&out, "searched").join(LOOKS), true).unwrap();
    let steps: Vec<u64> = looks.records.iter().map(|record| record.step).collect();
    assert_eq!(steps, [0, 10, 20]);
    for record in &looks.records {
        // Two layers, one metric, two numbers of groups.
        assert_eq!(record.looks.len(), 4);
        assert!(record.looks.iter().all(|look| look.metric == "whitened"));
    }
    assert!(looks.records.iter().any(|record| record.taken));
    let page = read(Path::new(page.trim().lines().last().unwrap()));
    assert!(page.contains("<h2 id=\"looks\">"));
    let table = read(&out.join("small/report/tables/looks.csv"));
    assert_eq!(table.lines().count(), 1 + 3 * 4);
}

fn command(file: &str, out: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gradual-lab"));
    command
        .args([
            "experiment",
            file,
            "--arms=held,searched",
            "--checkpoint-every=3",
        ])
        .args(["--steps=400", "--jobs=2"])
        .arg(format!("--out={}", out.display()))
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

/// Whether a run has a checkpoint with a lens.
fn has_lens(run: &Path) -> bool {
    let checkpoints = fs::read_dir(run.join("checkpoints"));
    let mut found = checkpoints.into_iter().flatten().flatten();
    found.any(|checkpoint| checkpoint.path().join("lens.bpk").exists())
}

#[test]
fn runs_with_a_lens_that_are_killed_go_on_to_the_same_bytes() {
    let home = tempfile::tempdir().unwrap();
    let file = written(home.path(), FILE);
    let (whole, killed) = (home.path().join("whole"), home.path().join("killed"));
    let finish = |out: &Path| {
        let output = command(&file, out).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
    };
    finish(&whole);
    let mut child = command(&file, &killed).spawn().unwrap();
    let started = Instant::now();
    while !["held", "searched"]
        .iter()
        .all(|arm| has_lens(&folder(&killed, arm)))
    {
        assert!(started.elapsed() < Duration::from_secs(120), "no lens");
        sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let unfinished = |arm: &&&str| !folder(&killed, arm).join("DONE").exists();
    assert!(["held", "searched"].iter().filter(unfinished).count() > 0);
    finish(&killed);
    for arm in ["held", "searched"] {
        for name in ["curves.jsonl", "groups.jsonl"] {
            let [one, other] = [&whole, &killed].map(|out| read(&folder(out, arm).join(name)));
            assert!(!one.is_empty() && one == other, "{arm} {name}");
        }
    }
    let [one, other] = [&whole, &killed].map(|out| read(&folder(out, "searched").join(LOOKS)));
    assert!(!one.is_empty() && one == other);
}

/// Standing examples of which one side of a layer is kept are taken up again, as whole gradients are.
#[test]
fn arms_that_look_at_one_side_go_on_to_the_same_bytes() {
    let home = tempfile::tempdir().unwrap();
    let (file, out) = (written(home.path(), FILE), home.path().join("runs"));
    let mut arguments = vec![
        file,
        format!("--out={}", out.display()),
        String::from("--arms=erm"),
        String::from("--checkpoint-every=10"),
    ];
    let mut arms = Vec::new();
    for (grouping, part) in [
        ("landmarks(k=3,examples=60)", "inputs"),
        ("landmarks(k=3,examples=60)", "output-gradients"),
        ("diffusion(examples=40)", "inputs"),
        ("sparse-atoms(k=3,examples=60)", "inputs"),
    ] {
        let name = format!("arm-{}", arms.len());
        arguments.push(format!(
            "--arm={name}=grouping:{grouping},metric:whitened(part={part}),layers:layers.0.weight,composition:squares"
        ));
        arms.push(name);
    }
    let all: Vec<&str> = arguments.iter().map(String::as_str).collect();
    run(&all);
    let journals = |arm: &str| {
        ["curves.jsonl", "groups.jsonl"].map(|name| read(&folder(&out, arm).join(name)))
    };
    let whole: Vec<[String; 2]> = arms.iter().map(|arm| journals(arm)).collect();
    for arm in &arms {
        let run = folder(&out, arm);
        fs::remove_file(run.join("DONE")).unwrap();
        let checkpoints = fs::read_dir(run.join("checkpoints")).unwrap();
        let last = checkpoints
            .map(|entry| entry.unwrap().path())
            .max()
            .unwrap();
        fs::remove_dir_all(last).unwrap();
    }
    run(&all);
    for (arm, whole) in arms.iter().zip(whole) {
        assert!(journals(arm) == whole, "{arm}");
    }
}

/// A small model's gradients group the examples of a large one, and the run is another one than without.
#[test]
fn arms_with_a_proxy_run() {
    let home = tempfile::tempdir().unwrap();
    let (file, out) = (written(home.path(), FILE), home.path().join("runs"));
    let to = format!("--out={}", out.display());
    let small = "small=like:held,lens:snapshot(after=10),proxy:model(hidden=8)";
    // Looks are of the proxy's own steps, which may be more than those of the run.
    let looks = "looks=like:searched,proxy:model(hidden=8),lens:search(steps=[0,10,80],k=[2,4],examples=48,stability=0.1,metrics=whitened)";
    run(&[&file, "--arms=erm", "--arm", small, "--arm", looks, &to]);
    let config: Value =
        serde_json::from_str(&read(&folder(&out, "small").join("config.json"))).unwrap();
    assert_eq!(config["recipe"]["proxy"]["hidden"], 8);
    let last = |arm: &str| {
        let path = folder(&out, arm).join("curves.jsonl");
        let curves: Lines<Evaluation> = Lines::read(&path, true).unwrap();
        curves.records.last().unwrap().gradient_evaluations.unwrap()
    };
    // 60 steps of the run and ten of the proxy; standing examples; every draw under the lens.
    assert_eq!(last("small"), 60 * 32 + 10 * 32 + 60 + 60 * 32);
    let looks: Lines<LooksRecord> = Lines::read(&folder(&out, "looks").join(LOOKS), true).unwrap();
    let steps: Vec<u64> = looks.records.iter().map(|record| record.step).collect();
    assert_eq!(steps, [0, 10, 80]);
    // Of no task whose model has no such size.
    let table = ["table", "--arms=mine", "--quick", &to];
    let arm = "mine=like:whitened,lens:snapshot,proxy:model(width=8)";
    let said = refused(&[&table[..], &["--arm", arm]].concat());
    assert!(
        said.contains("the model of this task has no 'width'"),
        "{said}"
    );
}

#[test]
fn lenses_that_make_no_sense_are_refused_before_anything_runs() {
    let home = tempfile::tempdir().unwrap();
    let out = format!("--out={}", home.path().join("runs").display());
    let file = written(home.path(), FILE);
    for (arm, words) in [
        (
            "like:grouped,lens:snapshot",
            "grouping labels looks at no gradients and no losses",
        ),
        ("like:held,lens:snapshots", "did you mean 'snapshot'?"),
        ("like:held,lens:snapshot(after=-1)", "after = -1"),
        ("like:held,lens:none(after=1)", "none has no parameters"),
        (
            "like:held,wrappers:after(draws=3)",
            "a lens waits by itself",
        ),
        (
            "like:held,composition:dro(eta=0.1)",
            "the lens exchanges them on the way",
        ),
        ("like:held,lens:search", "tries metrics of its own"),
        ("like:searched,lens:search(steps=[])", "there are no steps"),
        ("like:searched,lens:search(k=[1,4])", "k"),
        (
            "like:searched,lens:search(steps=[0.5])",
            "steps = 0.5, but whole numbers are expected",
        ),
        (
            "like:searched,lens:search(examples=3)",
            "a set of 3 examples can't be 12 groups",
        ),
        (
            "like:searched,grouping:kmeans(k=4)",
            "grouping kmeans keeps no standing examples",
        ),
        (
            "like:searched,grouping:diffusion(examples=40)",
            "grouping diffusion has no number of groups (k)",
        ),
        (
            "like:searched,wrappers:priors(weights=[1,2,3,4])",
            "wrapper priors knows groups by their numbers",
        ),
        (
            "like:held,lens:snapshot(after=5,every=5),wrappers:damped",
            "wrapper damped knows groups by their numbers",
        ),
        // What a later step would find is found at once.
        (
            "like:held,layers:[no.such],lens:snapshot(after=50)",
            "no.such",
        ),
        ("like:searched,layers:[no.such]", "no.such"),
        ("like:grouped,proxy:model(hidden=8)", "there is no lens"),
        ("like:held,proxy:model(hidden=8)", "can't be renewed"),
        (
            "like:searched,proxy:model(widths=8)",
            "did you mean 'width'?",
        ),
        ("like:searched,proxy:model(bits=8)", "a proxy has no 'bits'"),
        ("like:searched,proxy:model(hidden=0)", "a whole number ≥ 1"),
        (
            "like:searched,proxy:model(hidden=1.5)",
            "a whole number ≥ 1",
        ),
        (
            "like:searched,proxy:small(hidden=8)",
            "as in model(width = 32)",
        ),
        ("like:searched,proxy:model", "as in model(width = 32)"),
        (
            "like:searched,proxy:none(hidden=8)",
            "none has no parameters",
        ),
        ("like:searched,proxy:model(width=8)", "has no 'width'"),
        (
            "like:searched,proxy:model(hidden=99999999)",
            "hidden = 99999999",
        ),
        // The sizes of the arm's own model are read in the same way.
        ("like:grouped,size:model(width=8)", "has no 'width'"),
        ("like:grouped,size:model(hidden=0)", "size: hidden = 0"),
        ("like:grouped,size:model(bits=8)", "a size has no 'bits'"),
        (
            "like:grouped,size:model(hidden=99999999)",
            "hidden = 99999999",
        ),
    ] {
        let arm = format!("mine={arm}");
        let said = refused(&[&file, "--arms=mine", "--arm", &arm, &out]);
        assert!(said.contains(words), "{arm}: {said}");
        assert!(!home.path().join("runs/small/mine").exists(), "{arm}");
    }
}
