//! Arms with a second phase, with a draw of their own, and claims against other arms, from a file to its report.

use std::fs;

use crate::common::{lab, refused, run, written};
use serde_json::Value;

const FILE: &str = r#"
name = "phases"
baseline = "erm"
arms = ["erm", "turned", "small", "turned-again"]

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
name = "turned"
like = "grouped"
then = { after = 0.5 }

[[arm]]
name = "turned-again"
like = "turned"
then = { after = 0.25, like = "power4", recipe = { rate = 0.01, sampler = "balanced" } }

[[arm]]
name = "small"
recipe.draw = 8

[[claim]]
statement = "The one moves less than the other."
source = "a test"
arm = "turned"
against = "turned-again"
metric = "moved"
direction = "lower"
smallest_effect = 1.0

[[claim]]
statement = "The mean loss takes less than all of the steps."
source = "a test"
arm = "erm"
against = 20
metric = "steps_to_99"
direction = "lower"
smallest_effect = 1.0
"#;

#[test]
fn phases_and_draws_of_ones_own_run_resume_and_are_reported() {
    let home = tempfile::tempdir().unwrap();
    let file = written(home.path(), FILE);
    let out = format!("--out={}", home.path().display());
    run(&[&file, &out]);
    let folder = home.path().join("phases");
    let config = |arm: &str| -> Value {
        let text = fs::read_to_string(folder.join(arm).join("seed-0/config.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    };
    let lines = |arm: &str| -> Vec<Value> {
        let text = fs::read_to_string(folder.join(arm).join("seed-0/curves.jsonl")).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    // What the run will be like is all there.
    assert!(config("erm")["recipe"].get("then").is_none());
    let then = &config("turned")["recipe"]["then"];
    assert_eq!(
        (&then["after"], &then["recipe"]["composition"]["name"]),
        (&0.5.into(), &"mean".into())
    );
    let again = config("turned-again");
    let then = &again["recipe"]["then"]["recipe"];
    assert_eq!(again["recipe"]["composition"]["name"], "squares");
    assert_eq!(
        (&then["composition"]["p"], &then["rate"]),
        (&4.0.into(), &0.01.into())
    );
    assert_eq!(then["sampler"]["name"], "balanced");
    let small = config("small");
    assert_eq!(
        (&small["draw"], &small["recipe"]["draw"]),
        (&8.into(), &8.into())
    );
    assert_eq!(lines("small").last().unwrap()["examples"], 20 * 8);
    assert_eq!(lines("erm").last().unwrap()["examples"], 20 * 32);
    let moved = |arm: &str| -> Vec<bool> {
        lines(arm)
            .iter()
            .map(|line| line.get("moved").is_some())
            .collect()
    };
    // Evaluations after 0, 1, 2, 5, 10, 15 and 20 steps.
    assert_eq!(
        moved("turned"),
        [false, false, false, false, false, true, true]
    );
    assert_eq!(
        moved("turned-again"),
        [false, false, false, false, true, true, true]
    );
    assert!(moved("erm").iter().all(|there| !there));
    let text = fs::read_to_string(folder.join("report/summary.json")).unwrap();
    let summary: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(summary["verdicts"][0]["baseline"], "turned-again");
    assert!(summary["verdicts"][0]["effect"]["ratio"].as_f64().unwrap() > 0.0);
    assert_eq!(summary["verdicts"][1]["baseline"], 20.0);

    // The first phase of both is that of `grouped`.
    let same = |arm: &str| lines(arm)[..4].to_vec();
    assert_eq!(same("turned"), same("turned-again"));
    // A change of the second phase is seen when runs go on.
    let other = written(home.path(), &FILE.replace("rate = 0.01", "rate = 0.02"));
    let said = refused(&[&other, &out]);
    assert!(
        said.contains("recipe.then.recipe.rate is 0.01 in the folder"),
        "{said}"
    );
}

#[test]
fn claims_on_arms_that_do_not_run_are_told() {
    let home = tempfile::tempdir().unwrap();
    let file = written(home.path(), FILE);
    let out = format!("--out={}", home.path().display());
    let said = |arms: &str| {
        let output = lab(&[&file, &out, arms]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{said}");
        said
    };
    let expected = "note: 1 of 2 claims can't be judged: there is no run of turned or turned-again, and none is asked for";
    let first = said("--arms=erm");
    assert!(first.contains(expected), "{first}");
    let text = fs::read_to_string(home.path().join("phases/report/summary.json")).unwrap();
    let summary: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        summary["verdicts"][0]["reason"],
        "there is no run of turned"
    );
    // All of them are there then.
    let later = said("--arms=turned,turned-again");
    assert!(!later.contains("judged"), "{later}");
    assert!(
        !first.contains("shares") && !later.contains("shares"),
        "{first}{later}"
    );
}

/// A learning rate for all arms is not written into any: the runs of one command were judged beside those of another.
#[test]
fn an_experiment_that_has_changed_is_refused_beside_its_runs() {
    let home = tempfile::tempdir().unwrap();
    let out = format!("--out={}", home.path().display());
    let file = written(home.path(), FILE);
    run(&[&file, &out, "--arms=erm"]);
    for (from, to, said) in [
        ("steps = 20\n", "steps = 20\nrate = 0.1\n", "recipe.rate is"),
        (
            "like = \"grouped\"\n",
            "like = \"grouped\"\nrecipe.rate = 0.1\n",
            "",
        ),
    ] {
        let changed = written(home.path(), &FILE.replacen(from, to, 1));
        if said.is_empty() {
            // Of an arm that has no runs.
            run(&[&changed, &out, "--arms=small"]);
            continue;
        }
        let message = refused(&[&changed, &out, "--arms=small"]);
        assert!(
            message.contains(said) && message.contains("erm of this experiment"),
            "{message}"
        );
        assert!(!home.path().join("phases/small").exists());
    }
}

#[test]
fn a_link_in_the_place_of_the_folder_is_not_followed() {
    let home = tempfile::tempdir().unwrap();
    let elsewhere = home.path().join("elsewhere");
    let runs = home.path().join("runs");
    fs::create_dir(&elsewhere).unwrap();
    fs::create_dir(&runs).unwrap();
    std::os::unix::fs::symlink(&elsewhere, runs.join("phases")).unwrap();
    let file = written(home.path(), FILE);
    let message = refused(&[&file, &format!("--out={}", runs.display()), "--arms=erm"]);
    assert!(message.contains("is a link"), "{message}");
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
}

#[test]
fn what_begins_after_the_end_is_told() {
    let home = tempfile::tempdir().unwrap();
    let out = format!("--out={}", home.path().display());
    let file = written(home.path(), FILE);
    let said = |arm: &str| {
        let arm = format!("--arm={arm}");
        String::from_utf8(lab(&[&file, &out, "--arms=erm", &arm]).stderr).unwrap()
    };
    for (arm, note) in [
        (
            "late=like:kmeans,wrappers:after(draws=20)",
            "note: arm late: it groups after 20 steps, and the run has 20: it is the same without",
        ),
        (
            "frozen=like:kmeans,grouping:landmarks(k=3),metric:whitened,lens:snapshot(after=100)",
            "note: arm frozen: its lens opens after 100 steps, and the run has 20",
        ),
        (
            "nested=like:kmeans,wrappers:after(draws=10)+after(draws=15)",
            "note: arm nested: it groups after 25 steps, and the run has 20",
        ),
    ] {
        let said = said(arm);
        assert!(said.contains(note), "{said}");
    }
    let said = said("soon=like:kmeans,wrappers:after(draws=19)");
    assert!(!said.contains("it is the same without"), "{said}");
}

#[test]
fn a_reference_that_does_not_run_is_told_before_others_do() {
    let home = tempfile::tempdir().unwrap();
    let named = FILE.replace("baseline =", "reference = \"small\"\nbaseline =");
    let file = written(home.path(), &named);
    let out = format!("--out={}", home.path().display());
    let said = |arms: &str| String::from_utf8(lab(&[&file, &out, arms]).stderr).unwrap();
    let note = |reason: &str| {
        format!(
            "note: nothing will be said of shares of the effect of small: there is no run of {reason}"
        )
    };
    let first = said("--arms=erm");
    assert!(
        first.contains(&note("small, and none is asked for")),
        "{first}"
    );
    let later = said("--arms=small");
    assert!(!later.contains("shares of the effect"), "{later}");
}

#[test]
fn what_no_run_can_have_is_refused_before_any_runs() {
    let home = tempfile::tempdir().unwrap();
    let out = format!("--out={}", home.path().display());
    for (old, new, said) in [
        (
            "after = 0.5 ",
            "after = 1.5 ",
            "after = 1.5 is not a share of the steps",
        ),
        (
            "after = 0.5 ",
            "after = 0.001 ",
            "its second phase would begin after 0 of 20 steps",
        ),
        (
            "like = \"power4\"",
            "like = \"pwer4\"",
            "goes on like another one: there is no arm 'pwer4', did you mean 'power4'?",
        ),
        (
            "sampler = \"balanced\"",
            "slowdown = 2",
            "slowdown is 1 in the first phase and 2 in the second",
        ),
        (
            "sampler = \"balanced\"",
            "draw = 2",
            "draw is another one in the second phase",
        ),
        (
            "like = \"power4\"",
            "like = \"erm-half\"",
            "slowdown is 1 in the first phase and 2 in the second",
        ),
        (
            "like = \"power4\"",
            "like = \"small\"",
            "draw is another one in the second phase",
        ),
        ("recipe.draw = 8", "recipe.draw = 0", "line 31"),
        (
            "recipe.draw = 8",
            "recipe.draw = 1e14",
            "draw = 1e14, but it is a whole number from 1 to 1000000",
        ),
        (
            "hidden = 16",
            "hidden = 16\ncode = 1e300",
            "code = 1e300, but it is a number from 0 to 1000000",
        ),
        (
            "hidden = 16",
            "hidden = 16\nexponent = 1e300",
            "exponent = 1e300, but it is a number from 0 to 50",
        ),
        (
            "hidden = 16",
            "hidden = 1e300",
            "floating point `1e300`, expected a whole number from 0",
        ),
        // What is wrong with the second phase alone.
        (
            "sampler = \"balanced\"",
            "metric = \"euclidean\"",
            "arm turned-again: its second phase (then): grouping labels looks at no gradients",
        ),
        (
            "sampler = \"balanced\"",
            "layers = [\"*\"]",
            "arm turned-again: its second phase (then): layers are those that a metric looks at",
        ),
        (
            "sampler = \"balanced\"",
            "grouping = \"landmarks(k = 3000)\"",
            "arm turned-again: its second phase (then): landmarks: 3000 groups were asked for",
        ),
        (
            "sampler = \"balanced\"",
            "grouping = \"spectral(k = 2)\", metric = \"euclidean\", layers = [\"nothing\"]",
            "nothing was run: arm turned-again: its second phase (then): step 1:",
        ),
        // Numbers that these runs can't have.
        (
            "arm = \"turned\"\n",
            "arm = \"small\"\n",
            "moved is a number of a second phase, and the arm 'small' has none",
        ),
        (
            "against = \"turned-again\"\n",
            "",
            "moved is a number of a second phase, and the arm 'erm' has none",
        ),
        (
            "against = 20\nmetric = \"steps_to_99\"",
            "against = 1\nmetric = \"kept\"",
            "kept is a number of a second phase, and the arm 'erm' has none",
        ),
        (
            "metric = \"steps_to_99\"",
            "metric = \"composed_skill\"",
            "composed_skill is of capabilities that are composed of others, and the task has none",
        ),
        (
            "metric = \"steps_to_99\"",
            "metric = \"order_agreement\"",
            "no claim can be about it: it compares a run with that of the baseline already",
        ),
        (
            "metric = \"steps_to_99\"",
            "metric = \"steps_per_second\"",
            "take seconds_to_90 or seconds_to_99",
        ),
        (
            "recipe.draw = 8",
            "recipe.draw = 2000000",
            "draw = 2000000, but it is a whole number from 1 to 1000000",
        ),
        (
            "against = \"turned-again\"",
            "against = \"tuned\"",
            "did you mean 'turned'",
        ),
        (
            "against = \"turned-again\"",
            "against = \"turned\"",
            "compares the arm with itself",
        ),
        ("against = 20", "against = -1", "-1 is not a number > 0"),
        (
            "against = 20",
            "against = true",
            "expected the name of an arm or a number",
        ),
        (
            "against = 20\n",
            "",
            "the claim compares the baseline with itself",
        ),
    ] {
        assert!(FILE.contains(old), "{old}");
        let file = written(home.path(), &FILE.replace(old, new));
        let all = refused(&[&file, &out]);
        assert!(all.contains(said), "{new}: {all}");
        assert!(!home.path().join("phases").exists(), "{new}");
    }
}

/// While a grouping waits, its metric has seen nothing, and what follows its groups asks for nothing in it.
#[test]
fn groups_that_are_followed_may_wait() {
    let home = tempfile::tempdir().unwrap();
    let out = format!("--out={}", home.path().display());
    let file = written(home.path(), FILE);
    let arm = "--arm=late=like:kmeans,metric:unit,wrappers:after(draws=6)+tracked";
    let output = lab(&[&file, &out, "--arms=late", arm]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
}

/// A number on several capabilities where there is one, and on the order of equally frequent ones.
#[test]
fn claims_on_what_one_capability_has_not_are_refused() {
    let home = tempfile::tempdir().unwrap();
    let out = format!("--out={}", home.path().display());
    for (tasks, metric, said) in [
        (
            "tasks = 1",
            "gap",
            "gap can't be had, for the task has one capability alone",
        ),
        (
            "tasks = 3\nexponent = 0",
            "order",
            "order can't be had, for all capabilities are equally frequent",
        ),
    ] {
        let text = FILE
            .replace("tasks = 3", tasks)
            .replace("steps_to_99", metric);
        let heard = refused(&[&written(home.path(), &text), &out]);
        assert!(heard.contains(said), "{heard}");
        assert!(!home.path().join("phases").exists());
    }
    // What one capability has.
    let text = FILE
        .replace("tasks = 3", "tasks = 1")
        .replace("steps_to_99", "worst_accuracy");
    run(&[&written(home.path(), &text), &out]);
}

/// A claim that was not there before the runs is told of in the report, whatever comes after.
#[test]
fn claims_that_came_after_the_runs_are_told() {
    let home = tempfile::tempdir().unwrap();
    let out = format!("--out={}", home.path().display());
    let notes = || {
        let text = fs::read_to_string(home.path().join("phases/report/summary.json")).unwrap();
        let summary: Value = serde_json::from_str(&text).unwrap();
        summary["notes"].to_string()
    };
    let late = "Not all was claimed before the first runs: \\\"The mean loss takes less than all of the steps.\\\" was changed or added later";
    run(&[&written(home.path(), FILE), &out]);
    assert!(!notes().contains("Not all was claimed"), "{}", notes());
    run(&[&written(home.path(), FILE), &out]);
    assert!(!notes().contains("Not all was claimed"), "{}", notes());
    let other = FILE.replace("against = 20", "against = 19");
    run(&[&written(home.path(), &other), &out]);
    assert!(notes().contains(late), "{}", notes());
    run(&[&written(home.path(), &other), &out]);
    assert_eq!(
        notes().matches("Not all was claimed").count(),
        1,
        "{}",
        notes()
    );
    // Runs that are all new come after others that were seen, and the claim was told of already; another baseline was not, nor a claim that
    // is gone.
    let third = FILE.replace("against = 20", "against = 18");
    run(&[&written(home.path(), &third), &out, "--fresh"]);
    assert_eq!(
        notes().matches("Not all was claimed").count(),
        1,
        "{}",
        notes()
    );
    let other = third.replace("baseline = \"erm\"", "baseline = \"small\"");
    run(&[&written(home.path(), &other), &out]);
    assert!(
        notes().contains("the baseline was erm and became small"),
        "{}",
        notes()
    );
    let (without, _) = third
        .split_once("[[claim]]\nstatement = \"The mean")
        .unwrap();
    run(&[&written(home.path(), without), &out]);
    assert!(
        notes().contains("was changed or taken out later"),
        "{}",
        notes()
    );
}

/// What is asked of runs that are there is compared with each of them first, so that no run is blamed for it.
#[test]
fn another_number_of_steps_than_that_of_the_runs_is_named_as_such() {
    let home = tempfile::tempdir().unwrap();
    let out = format!("--out={}", home.path().display());
    let file = written(home.path(), FILE);
    run(&[&file, &out, "--arms=erm,small"]);
    for part in ["--plan", "--collect", "--shard=0/2"] {
        let said = refused(&[&file, &out, "--arms=erm,small", "--steps=10", part]);
        assert!(
            said.contains("holds a run with another configuration")
                && said.contains("steps is 20 in the folder"),
            "{part}: {said}"
        );
    }
    // Runs of other arms stay with --fresh, and are judged beside the new ones.
    let output = lab(&[&file, &out, "--arms=turned,turned-again", "--fresh"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!said.contains("can't be judged"), "{said}");
    let output = lab(&[&file, &out, "--arms=erm", "--tensorboard"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("--tensorboard writes nothing"), "{said}");
}

/// The evaluation where a second phase begins is beside the grid, and no reason to compare nothing.
#[test]
fn a_phase_that_begins_between_evaluations_is_reported_beside_runs_of_one() {
    let home = tempfile::tempdir().unwrap();
    let out = format!("--out={}", home.path().display());
    let text = FILE
        .replace("steps = 20\n", "steps = 60\n")
        .replace("evaluate_every = 5", "evaluate_every = 20")
        .replace("then = { after = 0.5 }", "then = { after = 0.55 }");
    run(&[&written(home.path(), &text), &out]);
    let curves = fs::read_to_string(home.path().join("phases/turned/seed-0/curves.jsonl")).unwrap();
    let steps: Vec<u64> = curves
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["step"]
                .as_u64()
                .unwrap()
        })
        .collect();
    assert_eq!(steps, [0, 1, 2, 5, 10, 20, 33, 40, 60]);
}
