//! Folders that contradict themselves: each is refused by name.

use std::fs;
use std::path::Path;

use gradual_runs::{ExperimentFolder, Place, Run, RunConfig, RunsError};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::common::{STEPS, config, experiment, sign, write_experiment, write_run};
use gradual_runs::Record;

/// A file, and what happens to its run.
type Change = (&'static str, fn(&Path));

fn read(experiment: &Path, arm: &str, seed: u64) -> Result<Option<Run>, RunsError> {
    Run::read(&Place::new(experiment, arm, seed).unwrap())
}

/// Changes line `line`, counted from 1, of a journal, and signs the run again.
fn change(folder: &Path, name: &str, line: usize, change: impl Fn(&mut Value)) {
    let path = folder.join(name);
    let text = fs::read_to_string(&path).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut value: Value = serde_json::from_str(&lines[line - 1]).unwrap();
    change(&mut value);
    lines[line - 1] = value.to_string();
    fs::write(&path, lines.join("\n") + "\n").unwrap();
    sign(folder);
}

#[test]
fn a_sound_folder_is_read() {
    let home = tempfile::tempdir().unwrap();
    let folder = write_experiment(home.path());
    fs::write(folder.join("erm/seed-0/notes.jsonl"), "not json").unwrap();
    fs::create_dir_all(folder.join("erm/plots")).unwrap();
    let read = ExperimentFolder::read(&folder).unwrap();
    assert!(read.notes.is_empty(), "{:?}", read.notes);
    let runs: Vec<(&str, u64)> = read
        .runs
        .iter()
        .map(|run| (run.config.arm.as_str(), run.config.seed))
        .collect();
    let expected = ["erm", "grouped"].map(|arm| [0, 1, 2].map(|seed| (arm, seed)));
    assert_eq!(runs, expected.concat());
    for run in &read.runs {
        assert!(run.finished());
        let lengths = (
            run.evaluations.len(),
            run.groupings.len(),
            run.timings.len(),
        );
        assert_eq!(lengths, (5, 4, 5));
    }
}

/// A pointer into the record, the value put there, and what the message has to say.
#[test]
fn values_out_of_range_are_named_with_file_and_line() {
    let home = tempfile::tempdir().unwrap();
    let experiment = home.path();
    let cases = [
        ("curves.jsonl", "/capabilities/add/accuracy", json!(7.5)),
        ("curves.jsonl", "/capabilities/add/accuracy", json!(-0.25)),
        ("curves.jsonl", "/capabilities/add/accuracy", json!(1.001)),
        ("curves.jsonl", "/capabilities/copy/probability", json!(1.5)),
        (
            "curves.jsonl",
            "/capabilities/copy/probability",
            json!(-1e308),
        ),
        ("curves.jsonl", "/capabilities/copy/progress", json!(2)),
        ("curves.jsonl", "/capabilities/copy/chance", json!(1)),
        ("curves.jsonl", "/capabilities/copy/chance", json!(-0.5)),
        ("curves.jsonl", "/capabilities/copy/chance", json!(0.25)),
        ("curves.jsonl", "/capabilities/copy/frequency", json!(1.5)),
        (
            "curves.jsonl",
            "/capabilities/copy/parts",
            json!(["nothing"]),
        ),
        ("curves.jsonl", "/capabilities/copy/parts", json!(["copy"])),
        (
            "curves.jsonl",
            "/capabilities/copy/parts",
            json!(["add", "add"]),
        ),
        // Those before it have none.
        ("curves.jsonl", "/capabilities/copy/parts", json!(["add"])),
        ("curves.jsonl", "/capabilities/copy/loss", json!(1e308)),
        ("curves.jsonl", "/capabilities/copy/loss", json!(-1e308)),
        ("curves.jsonl", "/train_loss", json!(1e308)),
        ("curves.jsonl", "/compute", json!(-1)),
        ("curves.jsonl", "/compute", json!(1e308)),
        ("curves.jsonl", "/step", json!(10)),
        ("curves.jsonl", "/step", json!(3)),
        ("curves.jsonl", "/examples", json!(79)),
        ("curves.jsonl", "/examples", json!(u64::MAX)),
        ("curves.jsonl", "/step", json!(u64::MAX)),
        ("timing.jsonl", "/step", json!(u64::MAX)),
        ("groups.jsonl", "/step", json!(u64::MAX)),
        ("curves.jsonl", "/standing_examples", json!(9)),
        ("curves.jsonl", "/gradient_evaluations", json!(80)),
        ("curves.jsonl", "/left_out", json!(161)),
        ("curves.jsonl", "/capabilities/new", Value::Null),
        ("curves.jsonl", "/capabilities/add", json!("removed")),
        ("groups.jsonl", "/step", json!(10)),
        ("groups.jsonl", "/shares/add", json!(-0.1)),
        ("groups.jsonl", "/shares/add", json!(1.5)),
        ("groups.jsonl", "/shares/add", json!(0.5)),
        ("groups.jsonl", "/negative", json!(1.1)),
        ("groups.jsonl", "/recovery", json!(1.5)),
        ("groups.jsonl", "/recovery", json!(-1e308)),
        ("groups.jsonl", "/spectrum/1", json!(-0.5)),
        ("groups.jsonl", "/spectrum/0", json!(1e308)),
        ("groups.jsonl", "/groups", json!(3)),
        ("groups.jsonl", "/members/0/add", json!(4)),
        ("groups.jsonl", "/churn/changed", json!(1.5)),
        ("groups.jsonl", "/churn/adjusted_rand", json!(-3)),
        ("timing.jsonl", "/step", json!(0)),
        ("timing.jsonl", "/seconds", json!(-1)),
        ("timing.jsonl", "/seconds", json!(1)),
        ("timing.jsonl", "/seconds", json!(1e308)),
    ];
    for (number, (file, pointer, value)) in cases.into_iter().enumerate() {
        let seed = number as u64;
        let folder = write_run(experiment, "erm", seed);
        change(&folder, file, 3, |line| {
            let (above, name) = pointer.rsplit_once('/').unwrap();
            let above = line.pointer_mut(above).unwrap();
            match (&value, above) {
                (Value::Null, Value::Object(map)) => {
                    map.insert(name.to_owned(), map["add"].clone());
                }
                (Value::String(_), Value::Object(map)) => drop(map.remove(name)),
                (value, Value::Object(map)) => drop(map.insert(name.to_owned(), value.clone())),
                (value, above) => above[name.parse::<usize>().unwrap()] = value.clone(),
            }
        });
        let message = match read(experiment, "erm", seed) {
            Err(error @ RunsError::Line { line: 3, .. }) => error.to_string(),
            other => panic!("{pointer} = {value}: {other:?}"),
        };
        let field = pointer
            .rsplit('/')
            .find(|part| part.parse::<u64>().is_err());
        let said = match (pointer, field) {
            (_, Some("new")) => "`new` is new",
            ("/capabilities/add", _) => "`add` is missing",
            ("/groups", _) => "sizes is of 2 groups",
            ("/shares/add", _) => "shares",
            (_, field) => field.unwrap(),
        };
        assert!(
            message.contains(file) && message.contains(said) && message.contains("expected"),
            "{message}"
        );
    }
}

/// A configuration that was edited, or evaluations of another run.
#[test]
fn recipes_that_evaluations_contradict_are_named() {
    let home = tempfile::tempdir().unwrap();
    let experiment = home.path();
    let folder = write_run(experiment, "erm", 0);
    let configure = |edit: &dyn Fn(&mut RunConfig)| {
        let mut edited = config("erm", 0);
        edit(&mut edited);
        fs::write(folder.join("config.json"), edited.to_line().unwrap()).unwrap();
        sign(&folder);
        read(experiment, "erm", 0)
    };
    let refused = |outcome: Result<Option<Run>, RunsError>, said: &str| match outcome {
        Err(error @ RunsError::Contradicted { .. }) => {
            let message = error.to_string();
            for part in [said, "curves.jsonl", "config.json", "--fresh"] {
                assert!(message.contains(part), "{part}: {message}");
            }
        }
        other => panic!("{said}: {other:?}"),
    };
    refused(
        configure(&|config| config.draw = 16),
        "320 examples in 40 steps are not 16 in each",
    );
    // Nobody says how many there are, or what is trained.
    configure(&|config| config.draw = 0).unwrap();
    configure(&|config| {
        config.draw = 16;
        config.recipe = Value::Null;
    })
    .unwrap();

    // What runs are compared by is what it seems to be.
    for (recipe, said) in [
        (json!([1]), "recipe is [1], expected an object"),
        (
            json!({"draw": 7}),
            "recipe.draw is 7, expected 8, as draw has it",
        ),
        (
            json!({"slowdown": 2.5}),
            "recipe.slowdown is 2.5, expected a whole number from 1 on",
        ),
        (json!({"slowdown": "2"}), "recipe.slowdown is \"2\""),
        (json!({"slowdown": 0}), "recipe.slowdown is 0"),
    ] {
        let error = configure(&|config| config.recipe = recipe.clone()).unwrap_err();
        let text = format!(
            "{error}: {}",
            std::error::Error::source(&error).map_or_else(String::new, ToString::to_string)
        );
        assert!(
            text.contains(said) && text.contains("config.json"),
            "{text}"
        );
    }
    let own = json!({"draw": 8, "slowdown": 1});
    configure(&|config| config.recipe = own.clone()).unwrap();

    let phases = |after: f64| {
        configure(&|config| config.recipe = json!({"rate": 0.1, "then": {"after": after}}))
    };
    refused(phases(0.5), "moved is missing");
    for line in [4, 5] {
        change(&folder, "curves.jsonl", line, |value| {
            value["moved"] = json!(0.25)
        });
    }
    phases(0.5).unwrap();
    refused(phases(0.25), "begins after step 10");
    refused(
        phases(0.8),
        "moved is a number, and the second phase begins after step 32",
    );
    // Whose recipe says nothing of phases may have one all the same, but it does not end.
    configure(&|_| ()).unwrap();
    change(&folder, "curves.jsonl", 5, |value| {
        value.as_object_mut().unwrap().remove("moved");
    });
    match read(experiment, "erm", 0) {
        Err(error @ RunsError::Line { line: 5, .. }) => {
            assert!(error.to_string().contains("moved is missing"), "{error}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn capabilities_that_are_composed_of_themselves_are_named_with_file_and_line() {
    let home = tempfile::tempdir().unwrap();
    let experiment = home.path();
    let folder = write_run(experiment, "erm", 0);
    for line in 1..=5 {
        change(&folder, "curves.jsonl", line, |value| {
            let all = &mut value["capabilities"];
            all["sum"] = all["add"].clone();
            all["sum"]["parts"] = json!(["add", "copy"]);
            all["copy"]["parts"] = json!(["sum"]);
        });
    }
    let error = read(experiment, "erm", 0).unwrap_err();
    assert!(
        matches!(error, RunsError::Line { line: 1, .. }),
        "{error:?}"
    );
    let said = error.to_string();
    assert!(
        said.contains("curves.jsonl")
            && said.contains("capabilities.copy.parts is a cycle: `copy` of `sum` of `copy`"),
        "{said}"
    );
    // What is composed of what is composed of others is none.
    for line in 1..=5 {
        change(&folder, "curves.jsonl", line, |value| {
            value["capabilities"]["copy"]["parts"] = json!(["add"]);
        });
    }
    read(experiment, "erm", 0).unwrap();
}

#[test]
fn odd_numbers_of_claims_are_named_with_the_file() {
    let home = tempfile::tempdir().unwrap();
    let folder = write_experiment(home.path());
    let path = folder.join("experiment.json");
    let sound = r#""claims":[{"statement":"s","source":"s","arm":"grouped","metric":"gap","direction":"lower","smallest_effect":0.8}]"#;
    let text = experiment().to_line().unwrap();
    let text = text.replace("\"claims\":[]", sound);
    let refused = |from: &str, to: &str| {
        let odd = text.replace(from, to);
        assert_ne!(odd, text);
        fs::write(&path, odd).unwrap();
        let said = ExperimentFolder::read(&folder).unwrap_err();
        let said = gradual_runs::message(&said);
        assert!(said.contains("experiment.json"), "{said}");
        said
    };
    for (number, shown) in [
        ("0", "0"),
        ("0.0", "0"),
        ("-0.8", "-0.8"),
        ("-1e300", "-1000"),
        ("1e-400", "0"),
    ] {
        let to = format!("\"smallest_effect\":{number}");
        let said = refused("\"smallest_effect\":0.8", &to);
        let expected = format!("claims[0].smallest_effect is {shown}");
        assert!(
            said.contains(&expected) && said.contains("expected a number above 0"),
            "{number}: {said}"
        );
        let to = format!("\"gap\",\"against\":{number}");
        let said = refused("\"gap\"", &to);
        assert!(said.contains("claims[0].against is "), "{number}: {said}");
    }
    // What is no number of JSON is told by line and column.
    for number in ["nan", "inf", "1e400", "\"0.8\""] {
        let said = refused("effect\":0.8", &format!("effect\":{number}"));
        assert!(said.contains("line 1 column"), "{number}: {said}");
    }
    fs::write(&path, &text).unwrap();
    ExperimentFolder::read(&folder).unwrap();
}

#[test]
fn a_key_that_stands_twice_is_named_with_file_and_line() {
    let home = tempfile::tempdir().unwrap();
    let experiment = home.path();
    let folder = write_run(experiment, "erm", 0);
    let path = folder.join("curves.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    let lines = text.lines().enumerate().map(|(at, line)| match at {
        // The same capability again, with another accuracy.
        2 => line.replacen(
            "\"capabilities\":{",
            "\"capabilities\":{\"copy\":{\"accuracy\":0.1,\"loss\":1.0,\"chance\":0.5,\"frequency\":0.5},",
            1,
        ) + "\n",
        _ => line.to_owned() + "\n",
    });
    fs::write(&path, lines.collect::<String>()).unwrap();
    sign(&folder);
    let error = read(experiment, "erm", 0).unwrap_err();
    assert!(
        matches!(error, RunsError::Line { line: 3, .. }),
        "{error:?}"
    );
    let said = error.to_string();
    assert!(
        said.contains("curves.jsonl") && said.contains("\"copy\" stands in one object twice"),
        "{said}"
    );
    // The same in a file of one record, and in the one that says how a run ended.
    for (name, entry, twice) in [
        ("config.json", "\"bits\":4", "\"bits\":5,\"bits\":4"),
        (
            "DONE",
            "\"journals\":{",
            "\"journals\":{\"curves.jsonl\":{\"bytes\":1,\"crc32\":1},",
        ),
    ] {
        let folder = write_run(experiment, "erm", 1);
        let text = fs::read_to_string(folder.join(name)).unwrap();
        assert!(text.contains(entry), "{text}");
        fs::write(folder.join(name), text.replacen(entry, twice, 1)).unwrap();
        let said = read(experiment, "erm", 1).unwrap_err().to_string();
        assert!(said.contains(name) && said.contains("twice"), "{said}");
        fs::remove_dir_all(folder).unwrap();
    }
}

#[test]
fn chances_that_differ_between_runs_are_noted() {
    let home = tempfile::tempdir().unwrap();
    let experiment = write_experiment(home.path());
    let folder = experiment.join("grouped/seed-1");
    for line in 1..=5 {
        change(&folder, "curves.jsonl", line, |value| {
            value["capabilities"]["copy"]["chance"] = json!(0.25);
        });
    }
    let notes = ExperimentFolder::read(&experiment).unwrap().notes;
    assert_eq!(
        notes,
        [
            "The chance of `copy` is 0.5 in erm/seed-0 and 0.25 in grouped/seed-1: skills of these runs are not counted \
             from one level."
        ]
    );
}

/// Numbers of rounding, of samplers that change, and of nothing at all are sound.
#[test]
fn sound_values_are_read() {
    let home = tempfile::tempdir().unwrap();
    let experiment = home.path();
    for (seed, (file, pointer, value)) in (0..).zip([
        ("curves.jsonl", "/capabilities/add/accuracy", json!(0)),
        ("curves.jsonl", "/capabilities/add/accuracy", json!(1)),
        (
            "curves.jsonl",
            "/capabilities/add/probability",
            json!(1.000_000_1),
        ),
        ("curves.jsonl", "/capabilities/add/frequency", json!(0)),
        ("curves.jsonl", "/capabilities/add/loss", json!(-1e38)),
        ("curves.jsonl", "/train_loss", json!(3e38)),
        ("groups.jsonl", "/recovery", json!(-0.5)),
        ("groups.jsonl", "/spectrum/2", json!(-1e-9)),
        ("groups.jsonl", "/shares/add", json!(0)),
        ("timing.jsonl", "/seconds", json!(5)),
    ]) {
        let folder = write_run(experiment, "erm", seed);
        change(&folder, file, 3, |line| {
            *line.pointer_mut(pointer).unwrap() = value.clone();
        });
        read(experiment, "erm", seed).unwrap().unwrap();
    }
}

#[test]
fn journals_that_changed_after_the_end_are_refused() {
    let home = tempfile::tempdir().unwrap();
    let experiment = home.path();
    let changes: [Change; 9] = [
        ("curves.jsonl", |run| cut(&run.join("curves.jsonl"), 4)),
        ("groups.jsonl", |run| cut(&run.join("groups.jsonl"), 1)),
        ("timing.jsonl", |run| cut(&run.join("timing.jsonl"), 0)),
        ("curves.jsonl", |run| {
            fs::remove_file(run.join("curves.jsonl")).unwrap();
        }),
        ("groups.jsonl", |run| {
            fs::remove_file(run.join("groups.jsonl")).unwrap();
        }),
        ("curves.jsonl", |run| {
            let text = fs::read_to_string(run.join("curves.jsonl")).unwrap();
            fs::write(run.join("curves.jsonl"), text + "\n").unwrap();
        }),
        ("curves.jsonl", |run| {
            let text = fs::read_to_string(run.join("curves.jsonl")).unwrap();
            let other = text.replacen("0.6", "0.5", 1);
            assert_ne!(text, other);
            fs::write(run.join("curves.jsonl"), other).unwrap();
        }),
        ("curves.jsonl", |run| {
            fs::write(
                run.join("DONE"),
                r#"{"end":"completed","reason":null,"skipped_steps":0,"journals":{}}"#,
            )
            .unwrap();
        }),
        ("DONE", |run| {
            let done = fs::read_to_string(run.join("DONE")).unwrap();
            let done = done.replace("groups.jsonl", "../../victim.jsonl");
            fs::remove_file(run.join("groups.jsonl")).unwrap();
            fs::write(run.join("DONE"), done).unwrap();
        }),
    ];
    for (seed, (file, change)) in (0..).zip(changes) {
        change(&write_run(experiment, "erm", seed));
        match read(experiment, "erm", seed) {
            Err(error @ RunsError::Changed { .. }) => {
                let said = error.to_string();
                assert!(said.contains(&format!("{file} is not what")), "{said}");
            }
            other => panic!("{file}: {other:?}"),
        }
    }
}

/// Leaves `lines` lines of a file.
fn cut(path: &Path, lines: usize) {
    let text = fs::read_to_string(path).unwrap();
    let kept: Vec<&str> = text.split_inclusive('\n').take(lines).collect();
    fs::write(path, kept.concat()).unwrap();
}

/// The run is from before configurations held a task and a recipe.
fn make_old(run: &Path, arm: &str, seed: u64) {
    let old = RunConfig {
        task: Value::Null,
        recipe: Value::Null,
        ..config(arm, seed)
    };
    fs::write(run.join("config.json"), old.to_line().unwrap()).unwrap();
}

/// Marks without digests of the journals.
const UNSIGNED: [&str; 6] = [
    "",
    "\n",
    "{}",
    r#"{"end":null,"journals":null}"#,
    r#"{"end":"completed","reason":null,"skipped_steps":0}"#,
    r#"{"end":"stopped"}"#,
];

/// A run that was cut does not count as finished because somebody says so.
#[test]
fn a_mark_without_digests_finishes_no_run() {
    let home = tempfile::tempdir().unwrap();
    for (seed, mark) in (0..).zip(UNSIGNED) {
        let run = write_run(home.path(), "erm", seed);
        fs::write(run.join("DONE"), mark).unwrap();
        for lines in [5, 3] {
            cut(&run.join("curves.jsonl"), lines);
            let error = read(home.path(), "erm", seed).unwrap_err();
            assert!(matches!(error, RunsError::Unsigned { .. }), "{error}");
            let said = error.to_string();
            for part in ["DONE", "no digests", "--fresh"] {
                assert!(said.contains(part), "{part}: {said}");
            }
        }
        // One of the two entries is enough for a configuration of the new form.
        for entry in ["task", "recipe"] {
            let text = config("erm", seed).to_line().unwrap();
            let mut config: Value = serde_json::from_str(&text).unwrap();
            config.as_object_mut().unwrap().remove(entry);
            fs::write(run.join("config.json"), config.to_string()).unwrap();
            let error = read(home.path(), "erm", seed).unwrap_err();
            assert!(matches!(error, RunsError::Unsigned { .. }), "{error}");
        }
        // From before: whole if it has its last step, or was stopped.
        make_old(&run, "erm", seed);
        match read(home.path(), "erm", seed) {
            Ok(Some(run)) => assert!(mark.contains("stopped") && run.finished(), "{mark}"),
            Err(RunsError::Steps {
                last: 20,
                steps: STEPS,
                ..
            }) => assert!(!mark.contains("stopped"), "{mark}"),
            other => panic!("{mark}: {other:?}"),
        }
        write_run(home.path(), "erm", seed);
        make_old(&run, "erm", seed);
        fs::write(run.join("DONE"), mark).unwrap();
        assert!(read(home.path(), "erm", seed).unwrap().unwrap().finished());
        fs::write(run.join("curves.jsonl"), "").unwrap();
        let error = read(home.path(), "erm", seed).unwrap_err();
        assert!(matches!(error, RunsError::Missing { .. }), "{error}");
    }
    // With digests, but without a word on how it ended.
    let run = write_run(home.path(), "grouped", 0);
    cut(&run.join("curves.jsonl"), 3);
    sign(&run);
    let mark = fs::read_to_string(run.join("DONE")).unwrap();
    for end in ["null", "\"completed\""] {
        fs::write(run.join("DONE"), mark.replace("\"completed\"", end)).unwrap();
        let error = read(home.path(), "grouped", 0).unwrap_err();
        assert!(matches!(error, RunsError::Steps { .. }), "{error}");
    }
}

/// `DONE` as it was before it held digests, and as it was before it held anything.
#[test]
fn old_marks_are_read_and_said() {
    let home = tempfile::tempdir().unwrap();
    let folder = write_experiment(home.path());
    let old = [r#"{"end":"completed","reason":null,"skipped_steps":3}"#, ""];
    for (seed, old) in old.into_iter().enumerate() {
        let run = folder.join(format!("erm/seed-{seed}"));
        make_old(&run, "erm", seed as u64);
        fs::write(run.join("DONE"), old).unwrap();
    }
    let experiment = ExperimentFolder::read(&folder).unwrap();
    let done = |seed: usize| experiment.runs[seed].done.clone().unwrap();
    assert_eq!((done(0).skipped_steps, done(0).journals), (3, None));
    assert_eq!((done(1).end, done(1).journals), (None, None));
    assert!(done(2).journals.is_some());
    assert_eq!(experiment.notes.len(), 1, "{:?}", experiment.notes);
    assert!(experiment.notes[0].contains("2 finished runs have a `DONE` without digests"));

    // Even so, a completed run has an evaluation of its last step.
    cut(&folder.join("erm/seed-0/curves.jsonl"), 3);
    let error = ExperimentFolder::read(&folder).unwrap_err();
    assert!(
        matches!(
            error,
            RunsError::Steps {
                last: 20,
                steps: STEPS,
                ..
            }
        ),
        "{error}"
    );
    fs::write(folder.join("erm/seed-0/DONE"), "{\"end\":").unwrap();
    let error = ExperimentFolder::read(&folder).unwrap_err();
    assert!(error.to_string().contains("seed-0/DONE"), "{error}");
}

#[test]
fn a_seed_has_one_name() {
    let home = tempfile::tempdir().unwrap();
    let folder = write_experiment(home.path());
    let names = [
        "seed-00",
        "seed-+0",
        "seed-",
        "seed- 0",
        "seed--1",
        "seed-0x1",
        "seed-1.0",
        "seed-18446744073709551616",
        "seed-٣",
    ];
    for name in names {
        let copy = folder.join("erm").join(name);
        fs::create_dir(&copy).unwrap();
        fs::write(copy.join("config.json"), "{").unwrap();
    }
    let read = ExperimentFolder::read(&folder).unwrap();
    assert_eq!(read.runs.len(), 6);
    assert_eq!(read.notes.len(), names.len(), "{:?}", read.notes);
    for name in names {
        let said = format!("erm/{name} is passed over");
        assert!(read.notes.iter().any(|note| note.contains(&said)), "{name}");
    }
    let largest = Place::new(&folder, "erm", u64::MAX).unwrap();
    fs::create_dir_all(&largest.folder).unwrap();
    let places = Place::all(&folder).unwrap();
    assert!(places.runs.contains(&largest));
}

#[test]
fn a_run_is_the_one_that_its_place_says() {
    let home = tempfile::tempdir().unwrap();
    let sound = write_experiment(home.path());
    let moved = |name: &str, change: &dyn Fn(&Path)| {
        let folder = home.path().join(name);
        for (path, content) in crate::common::tree(&sound) {
            let to = folder.join(path.strip_prefix(&sound).unwrap());
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::write(to, content).unwrap();
        }
        change(&folder);
        ExperimentFolder::read(&folder)
    };
    // The folder of an experiment may have another name.
    moved("renamed", &|_| {}).unwrap();
    let said = |result: Result<ExperimentFolder, RunsError>| match result {
        Err(error @ RunsError::Misplaced { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    };
    let message = said(moved("arm", &|folder| {
        fs::rename(folder.join("grouped"), folder.join("better")).unwrap();
    }));
    assert!(
        message.contains(r#"the arm is "grouped", and the folder is that of "better""#),
        "{message}"
    );
    let message = said(moved("seed", &|folder| {
        fs::rename(folder.join("erm/seed-2"), folder.join("erm/seed-7")).unwrap();
    }));
    assert!(message.contains(r#"the seed is "2""#), "{message}");
    let message = said(moved("experiment", &|folder| {
        let path = folder.join("erm/seed-1/config.json");
        let mut other = config("erm", 1);
        other.experiment = String::from("skills\u{1b}[2J") + &"x".repeat(1000);
        fs::write(path, other.to_line().unwrap()).unwrap();
    }));
    assert!(
        message.contains(r#"the experiment is "skills\u{1b}[2Jxxx"#) && message.len() < 500,
        "{message}"
    );
    // A copy whose configuration was changed, too, of one arm and of another.
    for arm in ["erm", "grouped"] {
        let copied = moved(arm, &|folder| {
            let copy = Place::new(folder, arm, 2).unwrap().folder;
            for name in ["curves.jsonl", "groups.jsonl", "timing.jsonl", "DONE"] {
                fs::copy(folder.join("erm/seed-0").join(name), copy.join(name)).unwrap();
            }
        });
        assert!(
            matches!(&copied, Err(RunsError::Copied { .. })),
            "{copied:?}"
        );
    }
    // Two arms may do the same with one seed.
    moved("same", &|folder| {
        for name in ["curves.jsonl", "groups.jsonl", "timing.jsonl", "DONE"] {
            fs::copy(
                folder.join("erm/seed-0").join(name),
                folder.join("grouped/seed-0").join(name),
            )
            .unwrap();
        }
    })
    .unwrap();
}

/// The last line of an unfinished run may be torn; another, or one of a finished run, may not.
#[test]
fn torn_lines() {
    let home = tempfile::tempdir().unwrap();
    let experiment = home.path();
    let tear = |folder: &Path, at: usize, with: &[u8]| {
        let path = folder.join("curves.jsonl");
        let text = fs::read(&path).unwrap();
        let mut lines: Vec<&[u8]> = text.split_inclusive(|&byte| byte == b'\n').collect();
        lines[at] = with;
        fs::write(path, lines.concat()).unwrap();
    };
    for torn in [b"{\"schema\":1,".as_slice(), b"\xff\xfe", b"\0\0\0"] {
        let folder = write_run(experiment, "erm", 0);
        fs::remove_file(folder.join("DONE")).unwrap();
        tear(&folder, 4, torn);
        let run = read(experiment, "erm", 0).unwrap().unwrap();
        assert_eq!((run.evaluations.len(), run.notes.len()), (4, 1));
        // With its line feed it is no torn line, but a wrong one.
        tear(&folder, 4, &[torn, b"\n"].concat());
        assert!(matches!(
            read(experiment, "erm", 0),
            Err(RunsError::Line { line: 5, .. })
        ));
        sign(&folder);
        assert!(matches!(
            read(experiment, "erm", 0),
            Err(RunsError::Line { line: 5, .. })
        ));
        write_run(experiment, "erm", 0);
        tear(&folder, 2, &[torn, b"\n"].concat());
        fs::remove_file(folder.join("DONE")).unwrap();
        assert!(matches!(
            read(experiment, "erm", 0),
            Err(RunsError::Line { line: 3, .. })
        ));
    }
}

#[test]
fn runs_that_have_only_begun() {
    let home = tempfile::tempdir().unwrap();
    let folder = write_experiment(home.path());
    let begun = folder.join("erm/seed-0");
    for name in ["DONE", "curves.jsonl", "groups.jsonl", "timing.jsonl"] {
        fs::remove_file(begun.join(name)).unwrap();
    }
    let read = ExperimentFolder::read(&folder).unwrap();
    assert!(!read.runs[0].finished() && read.runs[0].evaluations.is_empty());
    fs::remove_file(begun.join("config.json")).unwrap();
    let read = ExperimentFolder::read(&folder).unwrap();
    assert_eq!(read.runs.len(), 5);
    assert!(
        read.notes[0].contains("erm/seed-0 is left out"),
        "{:?}",
        read.notes
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever happens to a journal of a finished run, it is never read as if nothing had.
    #[test]
    fn no_change_of_a_finished_run_goes_unseen(
        file in 0_usize..3, at: prop::sample::Index, bit in 0_u8..8, truncate: bool
    ) {
        let home = tempfile::tempdir().unwrap();
        let folder = write_run(home.path(), "erm", 0);
        let path = folder.join(["curves.jsonl", "groups.jsonl", "timing.jsonl"][file]);
        let mut content = fs::read(&path).unwrap();
        let at = at.index(content.len());
        match truncate {
            true => content.truncate(at),
            false => content[at] ^= 1 << bit,
        }
        fs::write(&path, content).unwrap();
        prop_assert!(read(home.path(), "erm", 0).is_err());
    }
}
