//! Run folders: written, locked, resumed to the same bytes, and damaged in every way.

use std::fs;
use std::path::{Path, PathBuf};

use burn::grad_clipping::GradientClippingConfig;
use burn::optim::lr_scheduler::linear::LinearLrSchedulerConfig;
use burn::optim::{AdamConfig, ModuleOptimizer};
use burn::tensor::Device;
use gradual_grad::Metric;
use gradual_group::{
    Centroids, Damped, EachExample, KMeans, Labels, Landmarks, OneGroup, RandomGroups,
};
use gradual_loss::{GroupDro, Mean, PowerMean, SumOfSquares};
use gradual_runs::{Done, Evaluation, Record, RunConfig, RunsError, SCHEMA};
use gradual_train::{
    End, Ended, Epochs, FolderState, Interrupt, Keep, Objective, RunFolder, StopAtTarget,
    TrainError, Trainer, TrainerConfig,
};
use proptest::prelude::*;
use serde_json::json;

use crate::common::folder::forge;
use crate::common::{Model, Regression, weight};

const STEPS: u64 = 60;
/// Steps between checkpoints: evaluations come at other steps, so that sums go through checkpoints.
const EVERY: u64 = 7;

fn config() -> RunConfig {
    RunConfig {
        schema: SCHEMA,
        experiment: "regression".into(),
        arm: "erm".into(),
        seed: 0,
        steps: STEPS,
        draw: 16,
        backend: "flex".into(),
        task: json!({"bits": 4}),
        recipe: json!({"rate": 0.1}),
        settings: json!({"evaluate_every": 10}),
    }
}

/// With gradient clipping, which is Burn's own.
fn optimizer() -> ModuleOptimizer {
    let clipping = GradientClippingConfig::Norm(0.5);
    AdamConfig::new().with_grad_clipping(Some(clipping)).init()
}

/// One run in `path`, from where it stopped, up to an interruption after `until` steps.
fn run(path: &Path, objective: Objective, until: Option<u64>) -> Outcome {
    run_with(path, objective, until, EVERY)
}

type Outcome = Result<(Ended<Model>, Vec<String>), TrainError>;

fn run_with(path: &Path, objective: Objective, until: Option<u64>, every: u64) -> Outcome {
    let resumed = RunFolder::resume(path, &config(), &json!({"burn": "0.22.1"}), &["seen.jsonl"])?;
    let folder = resumed.folder.with_checkpoints(every, Keep::default());
    let mut journal = folder.journal("seen.jsonl")?;
    let task = Regression::new();
    let interrupt = Interrupt::default();
    let asking = interrupt.clone();
    let schedule = LinearLrSchedulerConfig::new(0.04, 0.01, STEPS as usize);
    let schedule = schedule.init().unwrap();
    let settings = TrainerConfig {
        steps: STEPS,
        draw: 16,
        every: 10,
        seed: 5,
        ..TrainerConfig::default()
    };
    let ended = Trainer::new(&task, objective, optimizer(), &Device::flex(), settings)
        .with_schedule(schedule)
        .with_sampler(Epochs::new(3))
        .observe(folder)
        .observe(StopAtTarget::worst(0.999))
        .watch(move |step, model: &Model| {
            if Some(step) == until {
                asking.ask();
            }
            let line = format!("{{\"step\":{step},\"weight\":{:?}}}", weight(model));
            Ok(journal.append(line)?)
        })
        .interrupted_by(&interrupt)
        .resume(resumed.snapshot)
        .run()?;
    Ok((ended, resumed.damaged))
}

/// The first line in which what must repeat of two runs differs.
fn first_difference(one: &Path, other: &Path) -> Option<String> {
    let files = [
        "curves.jsonl",
        "groups.jsonl",
        "members.jsonl",
        "seen.jsonl",
    ];
    let differing = files.into_iter().find_map(|name| {
        let [one, other] = [one, other].map(|path| fs::read_to_string(path.join(name)).unwrap());
        if one == other {
            return None;
        }
        let mut lines = one.lines().zip(other.lines());
        let differing = lines.find(|(a, b)| a != b);
        Some(format!("{name}: {differing:?}"))
    });
    // All but the digest of the wall-clock times.
    let [one, other] = [one, other].map(|path| {
        let mut done = Done::read(path).unwrap().unwrap();
        done.check_journals(path).unwrap();
        let journals = done.journals.as_mut().unwrap();
        assert!(journals.remove("timing.jsonl").is_some() && journals.len() == 4);
        done
    });
    differing.or_else(|| (one != other).then(|| format!("{one:?} and {other:?}")))
}

/// Thirty standing examples, of which nine are replaced when refreshed: not all of a draw at once.
fn landmarks() -> Landmarks {
    Landmarks::new(2, Metric::whitened(), 1)
        .with_examples(30)
        .unwrap()
        .with_every(5)
        .unwrap()
}

/// A name, and what makes the objective.
type Named = (&'static str, fn() -> Objective);

fn objectives() -> Vec<Named> {
    vec![
        ("erm", || Objective::new(OneGroup, Mean)),
        ("grouped", || Objective::new(Labels::new(2), SumOfSquares)),
        ("kmeans", || Objective::new(KMeans::new(2, 1), SumOfSquares)),
        ("random", || {
            Objective::new(RandomGroups::new(3, 1), SumOfSquares)
        }),
        ("landmarks", || Objective::new(landmarks(), SumOfSquares)),
        ("refreshed", || {
            Objective::new(landmarks().with_refresh(0.3).unwrap(), SumOfSquares)
        }),
        ("centroids", || {
            let centroids = Centroids::new(2, Metric::whitened(), 1).sign_free();
            Objective::new(
                centroids.with_examples(30).unwrap().with_every(9).unwrap(),
                SumOfSquares,
            )
        }),
        ("damped", || {
            Objective::new(Damped::new(Labels::new(2)), SumOfSquares)
        }),
        ("dro", || {
            Objective::new(Labels::new(2), GroupDro::new(0.1).unwrap())
        }),
        ("power", || {
            Objective::new(EachExample, PowerMean::new(3.0).unwrap())
        }),
    ]
}

#[test]
fn interrupted_runs_go_on_to_the_same_bytes() {
    for (name, objective) in objectives() {
        let home = tempfile::tempdir().unwrap();
        let whole = home.path().join("whole");
        let (ended, _) = run(&whole, objective(), None).unwrap();
        assert_eq!(ended.end, End::Completed, "{name}");
        let parts = home.path().join("parts");
        for until in [0, 3, 7, 8, 30, 59] {
            let (ended, damaged) = run(&parts, objective(), Some(until)).unwrap();
            assert_eq!((ended.end, ended.step), (End::Interrupted, until), "{name}");
            assert!(damaged.is_empty());
            assert_eq!(
                RunFolder::state(&parts, &config()).unwrap(),
                FolderState::Unfinished
            );
        }
        let (last, _) = run(&parts, objective(), None).unwrap();
        assert_eq!(weight(&last.model), weight(&ended.model), "{name}");
        assert_eq!(first_difference(&parts, &whole), None, "{name}");
    }
}

/// The checkpoints of a run, oldest first.
fn checkpoints(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path.join("checkpoints")).unwrap();
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

#[test]
fn the_last_checkpoints_and_the_best_stay() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("run");
    run(&path, Objective::new(OneGroup, Mean), None).unwrap();
    let kept: Vec<(u64, f64)> = checkpoints(&path)
        .iter()
        .map(|path| {
            let text = fs::read_to_string(path.join("manifest.json")).unwrap();
            let manifest: serde_json::Value =
                serde_json::from_str(text.lines().next().unwrap()).unwrap();
            let accuracy = manifest["mean_accuracy"].as_f64().unwrap();
            (manifest["step"].as_u64().unwrap(), accuracy)
        })
        .collect();
    let steps: Vec<u64> = kept.iter().map(|(step, _)| *step).collect();
    assert!(steps.ends_with(&[56, 60]) && steps.len() < 4, "{steps:?}");
    // Among all evaluations that a checkpoint could follow, none was better.
    let curves = fs::read_to_string(path.join("curves.jsonl")).unwrap();
    let evaluations = curves
        .lines()
        .map(|line| Evaluation::from_line(line).unwrap());
    let best = evaluations
        .filter(|evaluation| evaluation.step >= 10)
        .map(|evaluation| evaluation.mean_accuracy().unwrap())
        .fold(0.0, f64::max);
    assert!(
        kept.iter().any(|(_, accuracy)| *accuracy == best),
        "{kept:?}"
    );
}

#[test]
fn a_run_folder_is_written_checked_and_kept() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("erm/seed-0");
    let state = || RunFolder::state(&path, &config());
    assert_eq!(state().unwrap(), FolderState::Empty);
    run(&path, Objective::new(OneGroup, Mean), Some(20)).unwrap();
    assert_eq!(state().unwrap(), FolderState::Unfinished);
    run(&path, Objective::new(OneGroup, Mean), None).unwrap();
    assert_eq!(state().unwrap(), FolderState::Done);

    let curves = fs::read_to_string(path.join("curves.jsonl")).unwrap();
    let read: Vec<u64> = curves
        .lines()
        .map(|line| Evaluation::from_line(line).unwrap().step)
        .collect();
    assert_eq!(read, [0, 1, 2, 5, 10, 20, 30, 40, 50, 60]);
    assert!(
        !curves.contains("seconds"),
        "wall-clock times stand in timing.jsonl alone"
    );
    let timing = fs::read_to_string(path.join("timing.jsonl")).unwrap();
    assert_eq!(timing.lines().count(), read.len());

    let other = RunConfig {
        steps: 121,
        recipe: json!({"rate": 0.2}),
        ..config()
    };
    let message = RunFolder::state(&path, &other).unwrap_err().to_string();
    assert!(
        message.contains("recipe.rate is 0.1 in the folder and 0.2 asked for")
            && message.contains("steps is 60 in the folder and 121 asked for"),
        "{message}"
    );
}

#[test]
fn two_runs_do_not_share_a_folder() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("run");
    let environment = json!({});
    let first = RunFolder::create(&path, &config(), &environment, &[]).unwrap();
    for second in [
        RunFolder::create(&path, &config(), &environment, &[]).map(drop),
        RunFolder::resume(&path, &config(), &environment, &[]).map(drop),
    ] {
        let message = second.unwrap_err().to_string();
        assert!(
            message.contains("another run is writing into it"),
            "{message}"
        );
    }
    drop(first);
    RunFolder::resume(&path, &config(), &environment, &[]).unwrap();
}

/// What a folder holds may be half written while another run has its lock: nothing of it is read then.
#[test]
fn a_folder_is_read_under_its_lock_alone() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("run");
    let environment = json!({});
    let writer = RunFolder::create(&path, &config(), &environment, &[]).unwrap();
    let other = RunConfig {
        seed: 1,
        ..config()
    };
    // The moments that `create` goes through: another configuration, none, and one that is torn.
    let moments: [fn(&Path); 3] = [
        |_| {},
        |file| fs::remove_file(file).unwrap(),
        |file| fs::write(file, "{\"schema\":").unwrap(),
    ];
    for moment in moments {
        moment(&path.join("config.json"));
        let state = RunFolder::state(&path, &other).unwrap();
        assert_eq!(state, FolderState::Locked);
        let refused = RunFolder::resume(&path, &other, &environment, &[]).unwrap_err();
        assert!(
            matches!(refused, TrainError::Runs(RunsError::Locked { .. })),
            "{refused}"
        );
    }
    drop(writer);
    assert!(RunFolder::state(&path, &other).is_err());
}

#[test]
fn folders_from_before_recipes_are_refused() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("run");
    let old = RunConfig {
        task: json!(null),
        recipe: json!(null),
        ..config()
    };
    drop(RunFolder::create(&path, &old, &json!({}), &[]).unwrap());
    let before = files(&path);
    for result in [
        RunFolder::state(&path, &config()).map(drop),
        RunFolder::resume(&path, &config(), &json!({}), &[]).map(drop),
    ] {
        let message = result.unwrap_err().to_string();
        assert!(
            message.contains("config.json was written by an earlier version and holds no `recipe`")
                && message.contains("--fresh"),
            "{message}"
        );
    }
    assert_eq!(files(&path), before);
    assert_eq!(
        RunFolder::state(&path, &old).unwrap(),
        FolderState::Unfinished
    );
    let taken = RunFolder::create(&path, &config(), &json!({}), &[]).unwrap_err();
    assert!(taken.to_string().contains("holds a run already"), "{taken}");
    fs::rename(&path, home.path().join("aside")).unwrap();
    RunFolder::create(&path, &config(), &json!({}), &[]).unwrap();
}

#[test]
fn a_folder_that_vanishes_is_named() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("run");
    let folder = RunFolder::create(&path, &config(), &json!({}), &["more.jsonl"]).unwrap();
    let mut journal = folder.journal("more.jsonl").unwrap();
    journal.append("{}".into()).unwrap();
    fs::remove_dir_all(&path).unwrap();
    let message = journal.append("{}".into()).unwrap_err().to_string();
    assert!(
        message.contains("could not find") && message.contains("more.jsonl"),
        "{message}"
    );
    let file = home.path().join("file");
    fs::write(&file, "").unwrap();
    let message = RunFolder::create(&file.join("run"), &config(), &json!({}), &[]);
    assert!(
        message
            .unwrap_err()
            .to_string()
            .contains("could not create")
    );
}

/// Another format, another model, other observers: each is named.
#[test]
fn foreign_checkpoints_are_refused() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("run");
    run(&path, Objective::new(OneGroup, Mean), Some(20)).unwrap();
    let other = run(&path, Objective::new(KMeans::new(2, 0), SumOfSquares), None);
    let message = other.map(drop).unwrap_err().to_string();
    assert!(
        message.contains("not a state of this grouping"),
        "{message}"
    );

    let resumed = RunFolder::resume(&path, &config(), &json!({}), &[]).unwrap();
    let task = Regression::new();
    let alone = Trainer::new(
        &task,
        Objective::new(OneGroup, Mean),
        optimizer(),
        &Device::flex(),
        TrainerConfig {
            steps: STEPS,
            ..TrainerConfig::default()
        },
    );
    let message = alone.resume(resumed.snapshot).run().map(drop);
    let message = message.unwrap_err().to_string();
    assert!(message.contains("run folder, stop at target"), "{message}");
    drop(resumed.folder);

    for checkpoint in checkpoints(&path) {
        let file = checkpoint.join("manifest.json");
        let text = fs::read_to_string(&file).unwrap();
        let line = text
            .lines()
            .next()
            .unwrap()
            .replace("\"format\":1", "\"format\":9");
        let sum = crc32fast::hash(line.as_bytes());
        fs::write(&file, format!("{line}\n{sum:08x}\n")).unwrap();
    }
    let message = run(&path, Objective::new(OneGroup, Mean), None).map(drop);
    let message = message.unwrap_err().to_string();
    assert!(
        message.contains("it is of format 9, this version reads format 1")
            && message.contains("--fresh starts over"),
        "{message}"
    );
}

/// Puts a file into the newest checkpoint of a run, under the right checksum.
fn exchange(path: &Path, name: &str, change: impl Fn(Vec<u8>) -> Vec<u8>) {
    let checkpoint = checkpoints(path).pop().unwrap();
    let content = change(fs::read(checkpoint.join(name)).unwrap());
    fs::write(checkpoint.join(name), &content).unwrap();
    forge(&checkpoint, |manifest| {
        manifest["files"][name] = json!({
            "bytes": content.len(), "crc32": crc32fast::hash(&content),
        });
    });
}

/// What the checksums do not tell: each is named with its file and the way out, and nothing panics.
#[test]
fn files_that_say_something_else_are_named() {
    let renamed = |from: &'static str, to: &'static str| {
        move |content: Vec<u8>| {
            let (from, to) = (from.as_bytes(), to.as_bytes());
            let mut content = content;
            let at = (0..content.len()).filter(|&at| content[at..].starts_with(from));
            let at: Vec<usize> = at.collect();
            assert!(!at.is_empty());
            for at in at {
                content[at..at + from.len()].copy_from_slice(to);
            }
            content
        }
    };
    type Change = Box<dyn Fn(Vec<u8>) -> Vec<u8>>;
    let changes: [(&str, Change); 9] = [
        ("optimizer.bpk", Box::new(renamed("param_id", "param_ie"))),
        ("optimizer.bpk", Box::new(renamed(".moment", ".monent"))),
        ("optimizer.bpk", Box::new(|content| content[..20].to_vec())),
        ("optimizer.bpk", Box::new(|_| Vec::new())),
        ("model.bpk", Box::new(|_| b"no record".to_vec())),
        ("rate.bpk", Box::new(|_| b"no record".to_vec())),
        ("state.cbor", Box::new(|_| Vec::new())),
        ("state.cbor", Box::new(|_| b"\x1c".to_vec())),
        ("state.cbor", Box::new(|content| content[..9].to_vec())),
    ];
    for (name, change) in changes {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("run");
        copy(&cases().interrupted, &path);
        exchange(&path, name, change);
        let objective = Objective::new(KMeans::new(2, 1), SumOfSquares);
        let refused = run_with(&path, objective, None, STEPS).map(drop);
        let refused = refused.unwrap_err();
        assert!(
            matches!(refused, TrainError::Snapshot { .. }),
            "{name}: {refused}"
        );
        let said = refused.to_string();
        let file = checkpoints(&path).pop().unwrap().join(name);
        for part in [&*file.to_string_lossy(), "--fresh"] {
            assert!(said.contains(part), "{part}: {said}");
        }
    }
}

/// A file that is longer than the manifest says is not read.
#[test]
fn files_are_as_long_as_they_were() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("run");
    copy(&cases().interrupted, &path);
    let checkpoint = checkpoints(&path).pop().unwrap();
    let length = fs::metadata(checkpoint.join("model.bpk")).unwrap().len();
    let file = fs::File::options()
        .write(true)
        .open(checkpoint.join("model.bpk"));
    file.unwrap().set_len(3 << 30).unwrap();
    let objective = Objective::new(KMeans::new(2, 1), SumOfSquares);
    let (_, damaged) = run_with(&path, objective, None, STEPS).unwrap();
    let said = format!("model.bpk is damaged: it has 3221225472 bytes and had {length}");
    assert!(damaged[0].contains(&said), "{damaged:?}");
}

#[derive(Debug, Clone)]
enum Damage {
    Truncate(prop::sample::Index),
    Flip(prop::sample::Index, u8),
    Remove,
    Replace(Vec<u8>),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        any::<prop::sample::Index>().prop_map(Damage::Truncate),
        (any::<prop::sample::Index>(), 0u8..8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        Just(Damage::Remove),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(Damage::Replace),
    ]
}

impl Damage {
    fn apply(&self, file: &Path) {
        let mut content = fs::read(file).unwrap();
        match self {
            Self::Remove => return fs::remove_file(file).unwrap(),
            Self::Truncate(at) if !content.is_empty() => content.truncate(at.index(content.len())),
            Self::Flip(at, bit) if !content.is_empty() => {
                let at = at.index(content.len());
                content[at] ^= 1 << bit;
            }
            Self::Replace(with) => content.clone_from(with),
            _ => {}
        }
        fs::write(file, content).unwrap();
    }
}

/// All files of a run folder but the lock, by name.
fn files(path: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![path.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false if path.ends_with(".lock") => {}
                false => found.push(path),
            }
        }
    }
    found.sort();
    found
}

fn copy(from: &Path, to: &Path) {
    for file in files(from) {
        let target = to.join(file.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(file, target).unwrap();
    }
}

/// A run that was interrupted, and the same run uninterrupted.
struct Cases {
    _home: tempfile::TempDir,
    interrupted: PathBuf,
    whole: PathBuf,
}

fn cases() -> &'static Cases {
    static CASES: std::sync::OnceLock<Cases> = std::sync::OnceLock::new();
    CASES.get_or_init(|| {
        let home = tempfile::tempdir().unwrap();
        let [interrupted, whole] = ["interrupted", "whole"].map(|name| home.path().join(name));
        let objective = || Objective::new(KMeans::new(2, 1), SumOfSquares);
        run(&interrupted, objective(), Some(33)).unwrap();
        run(&whole, objective(), None).unwrap();
        Cases {
            _home: home,
            interrupted,
            whole,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever happens to one or two files, a run either goes on to the same bytes or says what is
    /// wrong. It never panics, and never starts over by itself.
    #[test]
    fn damaged_folders_recover_or_say_so(
        damages in prop::collection::vec((any::<prop::sample::Index>(), damage()), 1..3)
    ) {
        let cases = cases();
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("run");
        copy(&cases.interrupted, &path);
        for (at, damage) in &damages {
            let files = files(&path);
            damage.apply(&files[at.index(files.len())]);
        }
        let resumed = RunFolder::resume(&path, &config(), &json!({}), &["seen.jsonl"]);
        match resumed.map(|resumed| resumed.snapshot.map(|snapshot| snapshot.step)) {
            Ok(step) => {
                prop_assert!(step.is_some(), "started over by itself");
                let objective = Objective::new(KMeans::new(2, 1), SumOfSquares);
                // Few checkpoints: bringing them to disk is slow.
                run_with(&path, objective, None, STEPS).unwrap();
                prop_assert_eq!(first_difference(&path, &cases.whole), None);
            }
            Err(
                TrainError::Checkpoint { .. }
                | TrainError::Runs(_),
            ) => {}
            Err(other) => prop_assert!(false, "not a named error: {}", other),
        }
    }
}
