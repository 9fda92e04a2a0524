//! Manifests and journals of checkpoints that something has changed.

mod common;

use std::fs;
use std::path::Path;

use gradual_fuzz::Mutated;
use gradual_train::{RunFolder, TrainError};
use serde_json::json;

use common::folder::{LAST, config, forge, made, tree, write};

/// A run resumes from a checkpoint that is whole or says what is wrong; nothing beside its folder changes.
fn resumes_or_says_so(home: &Path) {
    let run = home.join("run");
    match RunFolder::resume(&run, &config(), &json!({}), &["seen.jsonl"]) {
        Ok(resumed) => assert!(resumed.snapshot.is_some(), "started over by itself"),
        Err(TrainError::Checkpoint { .. } | TrainError::Runs(_)) => {}
        Err(other) => panic!("not a named error: {other}"),
    }
    let mut others = tree(home);
    others.retain(|path, _| !path.starts_with(&run));
    assert_eq!(others.len(), 1);
    assert_eq!(others[&home.join("victim")], b"precious");
}

/// An interrupted run beside something precious.
fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("victim"), "precious").unwrap();
    write(&made().0, &home.path().join("run"));
    home
}

#[test]
fn changed_manifests_lead_nowhere() {
    let home = home();
    let checkpoint = home.path().join("run/checkpoints").join(LAST);
    let whole = fs::read(checkpoint.join("manifest.json")).unwrap();
    let line = whole.split(|&byte| byte == b'\n').next().unwrap().to_vec();
    let listed = |name: &str| {
        forge(&checkpoint, |manifest| {
            manifest["files"][name] = json!({"bytes": 8, "crc32": crc32fast::hash(b"precious")});
        });
        let text = fs::read(checkpoint.join("manifest.json")).unwrap();
        text.split(|&byte| byte == b'\n').next().unwrap().to_vec()
    };
    let seeds = [
        line,
        listed("../../../victim"),
        listed("../../../../victim"),
        listed("notes.jsonl"),
        whole.clone(),
    ];
    let words = [
        "\"../victim\"",
        "model.bpk",
        "curves.jsonl",
        "\"files\"",
        "bytes",
        "crc32",
    ];
    let path = checkpoint.join("manifest.json");
    bolero::check!()
        .with_generator(Mutated::new(seeds).with_words(words))
        .for_each(|input: &Vec<u8>| {
            // With the checksum that goes with it, so that it is read.
            let sum = format!("\n{:08x}\n", crc32fast::hash(input));
            fs::write(&path, [input.as_slice(), sum.as_bytes()].concat()).unwrap();
            resumes_or_says_so(home.path());
        });
}

#[test]
fn changed_files_of_checkpoints_are_found() {
    let home = home();
    let checkpoint = home.path().join("run/checkpoints").join(LAST);
    let names = ["curves.jsonl", "state.cbor", "manifest.json"];
    let whole = names.map(|name| fs::read(checkpoint.join(name)).unwrap());
    // Which file it is comes first.
    let seeds = (0..)
        .zip(&whole)
        .map(|(at, content)| [&[at], content.as_slice()].concat());
    bolero::check!()
        .with_generator(Mutated::new(seeds))
        .for_each(|input: &Vec<u8>| {
            let Some((&at, content)) = input.split_first() else {
                return;
            };
            let at = usize::from(at) % names.len();
            let file = checkpoint.join(names[at]);
            fs::write(&file, content).unwrap();
            resumes_or_says_so(home.path());
            fs::write(&file, &whole[at]).unwrap();
        });
}
