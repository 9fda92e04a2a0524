//! Arms whose models have sizes of their own, and claims on one capability.

use std::fs;
use std::path::Path;

use crate::common::{refused, run, written};

const FILE: &str = r#"
name = "sizes"
baseline = "erm"
arms = ["erm", "wide", "wide-as-usual"]

[task.sparse-parity]
tasks = 3
bits = 8
subset = 2
hidden = 16
held_out = 40

[run]
seeds = 1
steps = 20
draw = 32
evaluate_every = 5

[[arm]]
name = "wide"
recipe.size = "model(hidden = 24)"

[[arm]]
name = "wide-as-usual"
like = "wide"
recipe.size = "none"

[[claim]]
statement = "The frequent capability comes first."
source = "a test"
arm = "wide"
metric = "steps_to_half"
capability = "task-00"
direction = "lower"
smallest_effect = 1.0
"#;

/// The evaluations of an arm's only run.
fn curves(out: &Path, arm: &str) -> String {
    let path = out.join("sizes").join(arm).join("seed-0/curves.jsonl");
    fs::read_to_string(path).unwrap()
}

/// A size is that of the model alone: the run is the same as that of an experiment with this size.
#[test]
fn a_size_is_that_of_the_arms_model() {
    let home = tempfile::tempdir().unwrap();
    let [usual, wide] = ["usual", "wide"].map(|name| home.path().join(name));
    for (out, text) in [
        (&usual, FILE.to_owned()),
        (&wide, FILE.replace("hidden = 16", "hidden = 24")),
    ] {
        fs::create_dir(out).unwrap();
        let file = written(out, &text);
        run(&[&file, &format!("--out={}", out.display())]);
    }
    assert_eq!(curves(&usual, "wide"), curves(&wide, "erm"));
    assert_eq!(curves(&usual, "wide-as-usual"), curves(&usual, "erm"));
    assert_ne!(curves(&usual, "wide"), curves(&usual, "erm"));
}

#[test]
fn what_makes_no_sense_is_refused_before_any_runs() {
    let home = tempfile::tempdir().unwrap();
    let out = format!("--out={}", home.path().display());
    for (old, new, said) in [
        (
            "recipe.size = \"none\"",
            "then = { after = 0.5, like = \"erm\" }",
            "size is another one in the second phase",
        ),
        (
            "recipe.size = \"none\"",
            "recipe.size = \"model(widht = 2)\"",
            "did you mean 'width'?",
        ),
        (
            "[task.sparse-parity]\ntasks = 3\nbits = 8\nsubset = 2\nhidden = 16\nheld_out = 40",
            "[task.images]",
            "the arm wide: size: this task has no model of another size",
        ),
        (
            "\"task-00\"",
            "\"task-07\"",
            "the task has no capability 'task-07'",
        ),
        (
            "\"steps_to_half\"",
            "\"spread\"",
            "one capability alone has no spread",
        ),
        ("\"steps_to_half\"", "\"composed_delay\"", "has none"),
    ] {
        assert!(FILE.contains(old), "{old}");
        let file = written(home.path(), &FILE.replacen(old, new, 1));
        let refused = refused(&[&file, &out]);
        assert!(refused.contains(said), "{new}: {refused}");
        assert!(!home.path().join("sizes").exists(), "{new}");
    }
}
