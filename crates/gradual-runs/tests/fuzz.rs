//! Files of run folders that something has changed.

mod common;

use std::fs;
use std::path::Path;

use gradual_fuzz::Mutated;
use gradual_measure::{RunCurves, RunSummary};
use gradual_runs::{
    Evaluation, ExperimentFolder, GroupingRecord, Lines, Place, Record, Run, Timing,
};

use common::write_run;

/// What a journal gives can be computed with, and is written as it was read.
#[test]
fn changed_journals_are_refused_or_sound() {
    let home = tempfile::tempdir().unwrap();
    let run = write_run(home.path(), "erm", 0);
    let names = ["curves.jsonl", "groups.jsonl", "timing.jsonl"];
    let whole = names.map(|name| fs::read(run.join(name)).unwrap());
    // Which journal it is comes first, and whether its run is finished.
    let seeds = (0..6).map(|at| [&[at], whole[usize::from(at) % 3].as_slice()].concat());
    let words = [
        "accuracy", "chance", "loss", "step", "shares", "1e200", "\"add\"", "\"copy\"",
    ];
    let path = home.path().join("changed.jsonl");
    bolero::check!()
        .with_generator(Mutated::new(seeds).with_words(words))
        .for_each(|input: &Vec<u8>| {
            let Some((&at, content)) = input.split_first() else {
                return;
            };
            fs::write(&path, content).unwrap();
            let finished = at % 2 == 0;
            match at % 3 {
                0 => {
                    let evaluations = read::<Evaluation>(&path, finished);
                    if evaluations.iter().any(|each| !each.capabilities.is_empty()) {
                        let curves = RunCurves::from_evaluations(&evaluations).unwrap();
                        RunSummary::from_curves(&curves).unwrap();
                    }
                }
                1 => drop(read::<GroupingRecord>(&path, finished)),
                _ => drop(read::<Timing>(&path, finished)),
            }
        });
}

fn read<R: Record + PartialEq + std::fmt::Debug>(path: &Path, finished: bool) -> Vec<R> {
    let Ok(Lines { records, .. }) = Lines::<R>::read(path, finished) else {
        return Vec::new();
    };
    for record in &records {
        assert_eq!(&R::from_line(&record.to_line().unwrap()).unwrap(), record);
    }
    records
}

/// The files of one record: a folder is read, or what is wrong is said.
#[test]
fn changed_folders_are_refused_or_sound() {
    let home = tempfile::tempdir().unwrap();
    let run = write_run(home.path(), "erm", 0);
    let experiment = common::experiment().to_line().unwrap();
    fs::write(home.path().join("experiment.json"), &experiment).unwrap();
    let files = [
        run.join("config.json"),
        run.join("DONE"),
        home.path().join("experiment.json"),
    ];
    let whole = [0, 1, 2].map(|at: usize| fs::read(&files[at]).unwrap());
    let seeds = (0..)
        .zip(&whole)
        .map(|(at, content)| [&[at], content.as_slice()].concat());
    let words = [
        "journals",
        "bytes",
        "crc32",
        "seed",
        "\"erm\"",
        "completed",
        "../../x.jsonl",
        "commands",
    ];
    let place = Place::new(home.path(), "erm", 0).unwrap();
    bolero::check!()
        .with_generator(Mutated::new(seeds).with_words(words))
        .for_each(|input: &Vec<u8>| {
            let Some((&at, content)) = input.split_first() else {
                return;
            };
            let at = usize::from(at) % files.len();
            fs::write(&files[at], content).unwrap();
            if let Ok(Some(run)) = Run::read(&place) {
                assert_eq!((run.config.arm.as_str(), run.config.seed), ("erm", 0));
                assert_eq!(run.evaluations.len(), 5);
            }
            drop(ExperimentFolder::read(home.path()));
            fs::write(&files[at], &whole[at]).unwrap();
        });
}
