//! Run folders of a linear model, and what lies in them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use burn::optim::SgdConfig;
use burn::tensor::Device;
use gradual_group::OneGroup;
use gradual_loss::Mean;
use gradual_runs::{RunConfig, SCHEMA};
use gradual_train::{
    End, Interrupt, Keep, Objective, RunFolder, Snapshot, TrainError, Trainer, TrainerConfig,
};
use serde_json::{Value, json};

use super::{Model, Regression};

pub(crate) const STEPS: u64 = 20;
/// The last checkpoint of an interrupted run.
pub(crate) const LAST: &str = "step-000000000012";

pub(crate) fn config() -> RunConfig {
    RunConfig {
        schema: SCHEMA,
        experiment: "regression".into(),
        arm: "erm".into(),
        seed: 0,
        steps: STEPS,
        draw: 8,
        backend: "flex".into(),
        task: json!({"bits": 4}),
        recipe: json!({"rate": 0.1}),
        settings: json!({"evaluate_every": 5}),
    }
}

pub(crate) type Said = (Vec<String>, Vec<String>);

/// One run in `path`, from where it stopped, up to an interruption after `until` steps. What was damaged and mended.
pub(crate) fn run(path: &Path, until: Option<u64>) -> Result<Said, TrainError> {
    let resumed = RunFolder::resume(path, &config(), &json!({}), &["seen.jsonl"])?;
    train(resumed.folder, resumed.snapshot, until)?;
    Ok((resumed.damaged, resumed.mended))
}

pub(crate) fn train(
    folder: RunFolder,
    snapshot: Option<Snapshot>,
    until: Option<u64>,
) -> Result<(), TrainError> {
    let folder = folder.with_checkpoints(4, Keep::default());
    let mut journal = folder.journal("seen.jsonl")?;
    let task = Regression::new();
    let interrupt = Interrupt::default();
    let asking = interrupt.clone();
    let settings = TrainerConfig {
        steps: STEPS,
        draw: 8,
        every: 5,
        ..TrainerConfig::default()
    };
    let objective = Objective::new(OneGroup, Mean);
    let ended = Trainer::new(
        &task,
        objective,
        SgdConfig::new().init(),
        &Device::flex(),
        settings,
    )
    .observe(folder)
    .watch(move |step, _: &Model| {
        if Some(step) == until {
            asking.ask();
        }
        Ok(journal.append(format!("{{\"step\":{step}}}"))?)
    })
    .interrupted_by(&interrupt)
    .resume(snapshot)
    .run()?;
    assert_eq!(ended.end == End::Interrupted, until.is_some());
    Ok(())
}

/// An interrupted run and a finished one, file by file.
pub(crate) type Files = BTreeMap<PathBuf, Vec<u8>>;

pub(crate) fn made() -> &'static (Files, Files) {
    static MADE: OnceLock<(Files, Files)> = OnceLock::new();
    MADE.get_or_init(|| {
        let home = tempfile::tempdir().unwrap();
        let of = |name: &str, until| {
            let path = home.path().join(name);
            run(&path, until).unwrap();
            let files = tree(&path).into_iter();
            let files = files.filter(|(_, content)| content != b"a folder");
            let inner = |(file, content): (PathBuf, _)| {
                (file.strip_prefix(&path).unwrap().to_owned(), content)
            };
            files.map(inner).collect()
        };
        (of("interrupted", Some(12)), of("whole", None))
    })
}

pub(crate) fn write(files: &Files, to: &Path) {
    for (name, content) in files {
        let file = to.join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, content).unwrap();
    }
}

/// Every file, link and other thing below a folder, with what it holds or where it points to.
pub(crate) fn tree(folder: &Path) -> Files {
    let mut found = Files::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let kind = fs::symlink_metadata(&path).unwrap().file_type();
            let content = match kind {
                kind if kind.is_dir() => {
                    folders.push(path.clone());
                    b"a folder".to_vec()
                }
                kind if kind.is_symlink() => fs::read_link(&path)
                    .unwrap()
                    .into_os_string()
                    .into_encoded_bytes(),
                kind if kind.is_file() => fs::read(&path).unwrap(),
                _ => b"something else".to_vec(),
            };
            found.insert(path, content);
        }
    }
    found
}

/// Puts a manifest into a checkpoint, with the checksum that goes with it.
pub(crate) fn forge(checkpoint: &Path, change: impl Fn(&mut Value)) {
    let file = checkpoint.join("manifest.json");
    let text = fs::read_to_string(&file).unwrap();
    let mut manifest: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    change(&mut manifest);
    let line = manifest.to_string();
    let sum = crc32fast::hash(line.as_bytes());
    fs::write(&file, format!("{line}\n{sum:08x}\n")).unwrap();
}
