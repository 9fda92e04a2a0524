//! Runs that are killed again and again end as if they had never stopped.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use burn_pack::Reader;
use gradual::runs::Done;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const KILLS: usize = 50;
const STEPS: u64 = 1_000;

fn command(arm: &str, home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gradual-lab"));
    command
        .args(["experiment", "sparse-parity", "--quick", "--seeds=1"])
        .args(["--draw=48", "--checkpoint-every=7", "--jobs=1"])
        .arg(format!("--steps={STEPS}"))
        .arg(format!("--arms={arm}"))
        .arg(format!("--out={}", home.display()))
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

fn finish(arm: &str, home: &Path) {
    let output = command(arm, home).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arm}: {said}");
}

fn run_folder(arm: &str, home: &Path) -> PathBuf {
    home.join("sparse-parity-quick").join(arm).join("seed-0")
}

/// Final weights by name; parameters have other numbers in every process.
fn weights(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let file = folder
        .join("checkpoints")
        .join(format!("step-{STEPS:012}"))
        .join("model.bpk");
    let reader = Reader::from_file(&file).unwrap();
    let names = reader.tensor_names();
    let mut weights: Vec<(String, Vec<u8>)> = names
        .iter()
        .map(|name| ((*name).to_owned(), reader.tensor_data(name).unwrap()))
        .collect();
    weights.sort();
    assert!(!weights.is_empty());
    weights
}

fn killed_runs_end_alike(arm: &str, seed: u64) {
    let (whole, killed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let started = Instant::now();
    finish(arm, whole.path());
    // Fifty such lives together come to less than half of the way, whatever the machine and the arm;
    // it may become twice as fast when other tests are done.
    let longest = 60 + started.elapsed().as_millis() as u64 / 60;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut alive = 0;
    for _ in 0..KILLS {
        let mut child = command(arm, killed.path()).spawn().unwrap();
        sleep(Duration::from_millis(random.random_range(1..longest)));
        alive += usize::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(
        alive > KILLS / 2,
        "{arm}: only {alive} of {KILLS} were killed"
    );
    finish(arm, killed.path());

    let [whole, killed] = [&whole, &killed].map(|home| run_folder(arm, home.path()));
    for file in ["curves.jsonl", "groups.jsonl"] {
        let [one, other] =
            [&whole, &killed].map(|folder| fs::read_to_string(folder.join(file)).unwrap());
        assert!(one == other, "{arm}: {file} differs");
    }
    let [one, other] = [&whole, &killed].map(|folder| {
        let mut done = Done::read(folder).unwrap().unwrap();
        done.check_journals(folder).unwrap();
        // Wall-clock times differ.
        done.journals.as_mut().unwrap().remove("timing.jsonl");
        done
    });
    assert!(one == other, "{arm}: DONE differs");
    assert!(weights(&whole) == weights(&killed), "{arm}: weights differ");
    let timing = fs::read_to_string(killed.join("timing.jsonl")).unwrap();
    let curves = fs::read_to_string(killed.join("curves.jsonl")).unwrap();
    assert_eq!(timing.lines().count(), curves.lines().count());
}

#[test]
fn erm() {
    killed_runs_end_alike("erm", 1);
}

#[test]
fn grouped() {
    killed_runs_end_alike("grouped", 2);
}

#[test]
fn centroids() {
    killed_runs_end_alike("centroids", 3);
}

#[test]
fn svd() {
    killed_runs_end_alike("svd", 4);
}

#[test]
fn dro() {
    killed_runs_end_alike("dro", 5);
}

#[test]
fn whitened() {
    killed_runs_end_alike("whitened", 6);
}
