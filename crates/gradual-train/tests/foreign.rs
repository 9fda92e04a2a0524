//! Checkpoints and journals of another run, in the folder of this one.

use std::fs;
use std::path::{Path, PathBuf};

use gradual_runs::RunConfig;
use gradual_train::{RunFolder, TrainError};
use serde_json::json;

use crate::common::folder::{Files, LAST, config, forge, made, run, train, tree, write};

/// How another run is configured, and how the difference is said.
type Other = (&'static str, fn(&mut RunConfig));

/// An interrupted run.
fn interrupted() -> (tempfile::TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("erm/seed-0");
    write(&made().0, &path);
    (home, path)
}

/// An interrupted run of another configuration.
fn interrupted_as(path: &Path, change: fn(&mut RunConfig)) {
    let mut config = config();
    change(&mut config);
    let resumed = RunFolder::resume(path, &config, &json!({}), &["seen.jsonl"]).unwrap();
    train(resumed.folder, None, Some(12)).unwrap();
}

/// The run can't be resumed, and nothing in its folder changes.
fn refused(path: &Path) -> String {
    let held = |path: &Path| {
        let mut held = tree(path);
        held.remove(&path.join(".lock"));
        held
    };
    let before: Files = held(path);
    let error = run(path, None).unwrap_err();
    assert!(matches!(error, TrainError::Checkpoint { .. }), "{error}");
    assert!(held(path) == before, "{error}: something has changed");
    error.to_string()
}

fn whole(path: &Path) {
    for name in ["curves.jsonl", "groups.jsonl", "seen.jsonl"] {
        let held = fs::read(path.join(name)).unwrap();
        assert!(held == made().1[Path::new(name)], "{name}");
    }
}

#[test]
fn checkpoints_of_another_run_are_refused() {
    let others: [Other; 6] = [
        ("seed is 1 in the folder and 0 asked for", |run| {
            run.seed = 1;
        }),
        (
            "arm is \"grouped\" in the folder and \"erm\" asked for",
            |run| run.arm = "grouped".into(),
        ),
        ("experiment is \"other\"", |run| {
            run.experiment = "other".into();
        }),
        ("task.bits is 5 in the folder and 4 asked for", |run| {
            run.task = json!({"bits": 5});
        }),
        ("task.sha256 is \"aa\" in the folder", |run| {
            run.task["sha256"] = json!("aa");
        }),
        (
            "recipe.rate is 0.2 in the folder and 0.1 asked for",
            |run| {
                run.recipe = json!({"rate": 0.2});
            },
        ),
    ];
    for (said, change) in others {
        let (home, path) = interrupted();
        let other = home.path().join("other");
        interrupted_as(&other, change);
        // The whole folder, the newest checkpoint alone, and an older one alone.
        for name in ["", LAST, "step-000000000008"] {
            let own = path.join("checkpoints").join(name);
            let kept = home.path().join("kept");
            fs::rename(&own, &kept).unwrap();
            fs::rename(other.join("checkpoints").join(name), &own).unwrap();
            let error = refused(&path);
            for part in [said, "is of another run", "step-", "--fresh"] {
                assert!(error.contains(part), "{part}: {error}");
            }
            fs::rename(&own, other.join("checkpoints").join(name)).unwrap();
            fs::rename(&kept, &own).unwrap();
        }
        run(&path, None).unwrap();
        whole(&path);
    }
}

/// Versions before did not write down whose a checkpoint is.
#[test]
fn checkpoints_without_a_configuration_are_resumed_from() {
    let (_home, path) = interrupted();
    for entry in fs::read_dir(path.join("checkpoints")).unwrap() {
        forge(&entry.unwrap().path(), |manifest| {
            assert!(manifest.as_object_mut().unwrap().remove("run").is_some());
        });
    }
    run(&path, None).unwrap();
    whole(&path);

    // What they hold must go with the journals all the same.
    let (_home, path) = interrupted();
    for entry in fs::read_dir(path.join("checkpoints")).unwrap() {
        forge(&entry.unwrap().path(), |manifest| {
            manifest["run"] = json!({"seed": 0});
        });
    }
    let error = refused(&path);
    assert!(error.contains("does not say which run"), "{error}");
}

#[test]
fn journals_that_contradict_the_checkpoint_are_kept() {
    for name in ["curves.jsonl", "groups.jsonl", "timing.jsonl", "seen.jsonl"] {
        let (_home, path) = interrupted();
        let file = path.join(name);
        let own = fs::read_to_string(&file).unwrap();
        let lines: Vec<&str> = own.split_inclusive('\n').collect();
        let cases = [
            (
                2,
                own.replacen(lines[1], &lines[1].replacen(':', ": ", 1), 1),
            ),
            (1, own.replacen('{', "[", 1)),
            (1, String::from("mine\n")),
            (2, [lines[0], "mine"].concat()),
            (2, [lines[0], &lines[2..].concat()].concat()),
        ];
        for (line, changed) in cases {
            fs::write(&file, &changed).unwrap();
            let error = refused(&path);
            for part in [&format!("{name}: line {line} is another"), "--fresh"] {
                assert!(error.contains(part), "{part}: {error}");
            }
        }
        // One that is shorter, torn, or longer is put back.
        let torn = own.len() - 3;
        let mendable: [Vec<u8>; 5] = [
            Vec::new(),
            lines[0].into(),
            [lines[0], "{\""].concat().into(),
            [&own.as_bytes()[..lines[0].len()], &[0; 40]].concat(),
            own.as_bytes()[..torn.min(lines[0].len() + 5)].into(),
        ];
        for content in mendable {
            let (_home, path) = interrupted();
            fs::write(path.join(name), content).unwrap();
            let (damaged, mended) = run(&path, None).unwrap();
            assert!(damaged.is_empty(), "{damaged:?}");
            assert!(
                mended.len() == 1 && mended[0].contains("had lost"),
                "{mended:?}"
            );
            whole(&path);
        }
        let (_home, path) = interrupted();
        fs::write(path.join(name), own + "{\"torn").unwrap();
        assert_eq!(run(&path, None).unwrap().1, [""; 0]);
        whole(&path);
    }
}
