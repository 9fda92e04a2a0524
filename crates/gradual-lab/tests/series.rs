//! Arms of a series: `[[sweep]]`, `series` and `at`, and seeds of an arm's own.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::common::{refused, run, written};
use serde_json::{Value, json};

/// Three sweeps, two of which have names of one kind.
const SWEPT: &str = r#"name = "swept"
arms = ["erm", "power-*", "cut-0.5"]

[task.sparse-parity]
tasks = 3
bits = 8
hidden = 8
held_out = 20

[run]
seeds = 1
steps = 4
draw = 16
[[sweep]]
name = "power-{}"
about = "the power {} of the losses"
like = "grouped"
recipe.composition = { name = "power", p = "{}" }
at = [1, 2.5, 4]
control_for = "the power {}"

[[sweep]]
name = "cut-{}"
like = "power-{}"
recipe.rate = "{}"
series = "rate"
at = [1, 4]

[[sweep]]
name = "cut-{}"
recipe.composition = "cvar(alpha = {})"
like = "grouped"
at = [0.5]
seeds = 2

[[claim]]
statement = "The third power is the best."
source = "a test"
arm = "power-4"
metric = "gap"
direction = "lower"
smallest_effect = 0.8
"#;

fn read(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn runs(folder: &Path) -> BTreeSet<String> {
    let mut runs = BTreeSet::new();
    for arm in fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
    {
        let seeds = arm.is_dir().then(|| fs::read_dir(&arm).unwrap());
        for seed in seeds.into_iter().flatten() {
            let seed = seed.unwrap().file_name().into_string().unwrap();
            if seed.starts_with("seed-") {
                let arm = arm.file_name().unwrap().to_str().unwrap();
                runs.insert(format!("{arm}/{seed}"));
            }
        }
    }
    runs
}

#[test]
fn a_sweep_is_its_arms_written_out() {
    let home = tempfile::tempdir().unwrap();
    let swept = written(home.path(), SWEPT);
    let out = format!("--out={}", home.path().display());
    run(&[&swept, &out]);
    let folder = home.path().join("swept");
    let expected = [
        "erm/seed-0",
        "power-1/seed-0",
        "power-2.5/seed-0",
        "power-4/seed-0",
        "cut-0.5/seed-0",
        "cut-0.5/seed-1",
    ];
    assert_eq!(runs(&folder), expected.map(str::to_owned).into());
    let record = read(&folder.join("experiment.json"));
    let arms = record["arms"].as_array().unwrap();
    assert!(arms[0].get("series").is_none(), "{record}");
    assert_eq!(
        arms[2],
        json!({
            "name": "power-2.5", "about": "the power 2.5 of the losses", "control": "the power 2.5",
            "runs": 1, "series": { "name": "power", "at": 2.5 }
        })
    );
    assert_eq!(arms[4]["series"], json!({ "name": "cut", "at": 0.5 }));

    // The same arms, written out: the same runs, to the byte of what says which run it is.
    let config = |folder: &Path| fs::read(folder.join("power-2.5/seed-0/config.json")).unwrap();
    let arm = "[[arm]]\nname = \"power-2.5\"\nlike = \"grouped\"\nrecipe.composition = \"power(p = 2.5)\"\n";
    let begin = SWEPT.split("[[sweep]]").next().unwrap();
    let plain = begin.replace("\"power-*\", \"cut-0.5\"", "\"power-2.5\"") + arm;
    let plain = written(home.path(), &plain);
    let other = home.path().join("other");
    run(&[&plain, &format!("--out={}", other.display())]);
    assert_eq!(config(&folder), config(&other.join("swept")));
    let record = read(&other.join("swept/experiment.json"));
    assert!(record["arms"][1].get("series").is_none(), "{record}");
    // So that they resume in one another's folder.
    let before = fs::read(folder.join("power-2.5/seed-0/curves.jsonl")).unwrap();
    run(&[&plain, &out]);
    let after = fs::read(folder.join("power-2.5/seed-0/curves.jsonl")).unwrap();
    assert_eq!(before, after);
}

#[test]
fn arms_have_seeds_of_their_own_unless_the_command_says_how_many() {
    let home = tempfile::tempdir().unwrap();
    let swept = written(home.path(), SWEPT);
    for (at, (flags, expected)) in [
        (&["--arms=erm,cut-*"][..], 5),
        (&["--arms=erm,cut-0.5", "--seeds=3"], 6),
        (&["--arms=erm,cut-0.5", "--quick"], 2),
    ]
    .into_iter()
    .enumerate()
    {
        let out = home.path().join(at.to_string());
        let to = format!("--out={}", out.display());
        run(&[&[swept.as_str(), &to], flags].concat());
        let folder = fs::read_dir(&out).unwrap().next().unwrap().unwrap().path();
        let runs = runs(&folder);
        assert_eq!(runs.len(), expected, "{flags:?}: {runs:?}");
    }
}

#[test]
fn what_is_wrong_with_a_sweep_is_named_with_its_line() {
    let home = tempfile::tempdir().unwrap();
    let cases: &[(&str, &str, &[&str])] = &[
        (
            "name = \"power-{}\"",
            "name = \"power\"",
            &["line 15", "{} is missing"],
        ),
        (
            "at = [1, 2.5, 4]",
            "at = []",
            &["line 19", "at least one number"],
        ),
        (
            "at = [1, 2.5, 4]",
            "at = [1, -2.5]",
            &["line 19", "power-{}", "-2.5", "a number > 0"],
        ),
        ("at = [1, 2.5, 4]", "at = [1, \"2\"]", &["line 19"]),
        (
            "at = [1, 2.5, 4]",
            "att = [1]",
            &["line 19", "did you mean 'at'?"],
        ),
        ("at = [1, 2.5, 4]", "", &["missing field `at`", "line 14"]),
        (
            "at = [1, 2.5, 4]",
            "at = [4, 4]",
            &["two [[arm]] called 'power-4'"],
        ),
        (
            "at = [1, 2.5, 4]",
            "at = [4, 4.0]",
            &["the series 'power' has two arms at 4"],
        ),
        ("p = \"{}\"", "p = 2", &["line 15", "all the same"]),
        (
            "p = \"{}\"",
            "q = \"{}\"",
            &["line 19", "at = 1", "no parameter 'q'"],
        ),
        (
            "recipe.composition = { name",
            "recipe.compositoin = { name",
            &["line 19", "did you mean 'composition'?"],
        ),
        (
            "like = \"grouped\"",
            "like = \"groped\"",
            &["line 17", "did you mean 'grouped'?"],
        ),
        (
            "recipe.rate = \"{}\"",
            "recipe.rate = \"{}0\"",
            &["line 27", "at = 1", "expected a number"],
        ),
        (
            "series = \"rate\"",
            "series = \" \"",
            &["line 23", "a name"],
        ),
        (
            "series = \"rate\"",
            "series = \"rate-{}\"",
            &["line 23", "cut-{}", "series = \"rate-{}\"", "leave {} out"],
        ),
        (
            "[[claim]]",
            "[[arm]]\nname = \"own\"\nseries = \"rate-{}\"\nat = 2\n[[claim]]",
            &["line 36", "series = \"rate-{}\"", "leave {} out"],
        ),
        (
            "[[claim]]",
            "[[arm]]\nname = \"own\"\nabout = \"at {}\"\n[[claim]]",
            &["line 36", "the arm own has {} in about"],
        ),
        (
            "recipe.rate = \"{}\"",
            "then = { after = \"0.{}\", recipe.rate = -1 }",
            &["line 27", "at = 1: then: "],
        ),
        (
            "name = \"power-{}\"",
            "name = \"{}\"",
            &["line 15", "series a name"],
        ),
        ("\"power-*\"", "\"powr-*\"", &["line 2", "no arm 'powr-*'"]),
    ];
    for (old, new, expected) in cases {
        assert!(SWEPT.contains(old), "{old}");
        let file = written(home.path(), &SWEPT.replacen(old, new, 1));
        let said = refused(&[&file, &format!("--out={}", home.path().display())]);
        assert!(said.contains("mine.toml"), "{new}: {said}");
        for part in *expected {
            assert!(said.contains(part), "{new}: '{part}' is not in\n{said}");
        }
    }
    assert!(!home.path().join("swept").exists());
}

#[test]
fn a_name_that_is_the_number_alone_is_a_name() {
    let home = tempfile::tempdir().unwrap();
    let text = r#"
name = "swept"
arms = ["erm", "2"]

[task.sparse-parity]
tasks = 3
bits = 8
subset = 2
hidden = 8
held_out = 20

[run]
seeds = 1
steps = 2
draw = 16

[[sweep]]
name = "{}"
about = "{}"
series = "power"
like = "grouped"
recipe.composition = "power(p = {})"
at = [2, 3]
"#;
    let file = written(home.path(), text);
    run(&[&file, &format!("--out={}", home.path().display())]);
    assert!(home.path().join("swept/2/seed-0/curves.jsonl").is_file());
}

/// An experiment on other seeds is that of these seeds: the first one is where the others go on from, and a flag overrides
/// the file.
#[test]
fn seeds_may_begin_later() {
    let home = tempfile::tempdir().unwrap();
    let later = SWEPT.replace("seeds = 1\nsteps", "seeds = 3\nfirst_seed = 4\nsteps");
    let file = written(home.path(), &later);
    let arms = "--arms=erm,cut-0.5";
    let (one, other) = (home.path().join("later"), home.path().join("all"));
    let out = |folder: &Path| format!("--out={}", folder.display());
    run(&[&file, arms, &out(&one)]);
    // An arm with a number of seeds of its own has the first of them.
    let expected = [
        "erm/seed-4",
        "erm/seed-5",
        "erm/seed-6",
        "cut-0.5/seed-4",
        "cut-0.5/seed-5",
    ];
    let expected: BTreeSet<String> = expected.map(str::to_owned).into();
    assert_eq!(runs(&one.join("swept")), expected);
    run(&[&file, arms, "--seeds=7", "--first-seed=0", &out(&other)]);
    let curves = |folder: &Path, run: &str| {
        let path = folder.join("swept").join(run).join("curves.jsonl");
        fs::read_to_string(path).unwrap()
    };
    for run in &expected {
        assert_eq!(curves(&one, run), curves(&other, run), "{run}");
    }
    for (odd, said) in [
        ("--first-seed=10001", "a whole number from 0 to 10000"),
        ("--first-seed=1.5", "a whole number from 0 to 10000"),
    ] {
        let error = refused(&[&file, odd, &out(&one)]);
        assert!(error.contains(said), "{error}");
    }
    let odd = later.replace("first_seed = 4", "first_seed = -1");
    let error = refused(&[&written(home.path(), &odd), &out(&one)]);
    assert!(
        error.contains("first_seed = -1, but it is a whole number from 0 to 10000"),
        "{error}"
    );
}
