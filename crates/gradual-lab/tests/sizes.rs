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

/// So it is with data of one's own: rows, images and lines are the same, and the model is another one.
#[test]
fn models_of_data_have_sizes() {
    let home = tempfile::tempdir().unwrap();
    let lines = (0..60).map(|i| format!("{{\"text\": \"{} and {}\"}}\n", i % 7, i));
    let data = home.path().join("lines.jsonl");
    fs::write(&data, lines.collect::<String>()).unwrap();
    let text = format!("[task.text]\ndata = \"{}\"\n", data.display());
    for (task, size, settings) in [
        ("[task.table]\n", "hidden = 24", "hidden = 24\n"),
        ("[task.images]\n", "filters = 3", "filters = 3\n"),
        (
            &text,
            "width = 8, heads = 2, hidden = 12",
            "width = 8\nheads = 2\nhidden = 12\n",
        ),
    ] {
        let out = tempfile::tempdir().unwrap();
        let to = format!("--out={}", out.path().display());
        let size = format!("\"model({size})\"");
        let lens = "grouping = \"landmarks(k = 2, examples = 20)\", lens = \"snapshot(after = 2)\", composition = \"squares\"";
        for (name, sizes, arm) in [
            ("usual", "", format!("size = {size}")),
            ("sized", settings, String::from("slowdown = 1")),
            ("small-lens", "", format!("proxy = {size}, {lens}")),
        ] {
            let text = format!(
                "name = \"{name}\"\nbaseline = \"erm\"\narms = [\"erm\", \"own\"]\n{task}{sizes}[run]\nseeds = 1\nsteps = 4\n\
                 draw = 8\nevaluate_every = 2\nlayers = [\"*\"]\n[[arm]]\nname = \"own\"\nrecipe = {{ {arm} }}\n"
            );
            run(&[&written(out.path(), &text), &to]);
        }
        let curves = |name: &str, arm: &str| {
            let run = out.path().join(name).join(arm).join("seed-0");
            fs::read_to_string(run.join("curves.jsonl")).unwrap()
        };
        assert_eq!(curves("usual", "own"), curves("sized", "erm"), "{task}");
        assert_ne!(curves("usual", "own"), curves("usual", "erm"), "{task}");
        // Two groups of a smaller model's gradients, from the first step on.
        let groups = out.path().join("small-lens/own/seed-0/groups.jsonl");
        let groups = fs::read_to_string(groups).unwrap();
        let last: serde_json::Value = serde_json::from_str(groups.lines().last().unwrap()).unwrap();
        assert_eq!(last["sizes"].as_array().unwrap().len(), 2, "{last}");
    }
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
            "model(hidden = 24)",
            "model(filters = 24)",
            "the model of this task has no 'filters'",
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
