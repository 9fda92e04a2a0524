//! Runs that are stopped by a signal, or by a disk that takes no more.
#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

const LAB: &str = env!("CARGO_BIN_EXE_gradual-lab");

fn arguments(home: &Path, steps: u64) -> Vec<String> {
    [
        "experiment",
        "sparse-parity",
        "--quick",
        "--seeds=1",
        "--draw=32",
        "--arms=erm,grouped",
        "--jobs=1",
    ]
    .map(str::to_owned)
    .into_iter()
    .chain([
        format!("--steps={steps}"),
        format!("--out={}", home.display()),
    ])
    .collect()
}

fn spawn(home: &Path, steps: u64) -> Child {
    let mut command = Command::new(LAB);
    let command = command.args(arguments(home, steps));
    command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn signal(child: &Child, name: &str) {
    let status = Command::new("kill")
        .args([name, &child.id().to_string()])
        .status();
    assert!(status.unwrap().success());
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Waits until the curves of an arm are longer than `bytes`.
fn grown(home: &Path, arm: &str, bytes: u64) {
    let curves = home
        .join("sparse-parity-quick")
        .join(arm)
        .join("seed-0/curves.jsonl");
    let patience = Instant::now();
    while fs::metadata(&curves).map_or(0, |file| file.len()) <= bytes {
        assert!(
            patience.elapsed() < Duration::from_secs(60),
            "{arm} does not go on"
        );
        sleep(Duration::from_millis(10));
    }
}

/// Nothing has begun while data are read, so nothing is waited for, and who was told to end has not failed.
#[test]
fn a_signal_while_data_are_read_ends_with_130() {
    let home = tempfile::tempdir().unwrap();
    let fifo = home.path().join("table.csv");
    let made = Command::new("mkfifo").arg(&fifo).status();
    assert!(made.unwrap().success());
    for name in ["-INT", "-TERM"] {
        let child = Command::new(LAB)
            .args(["experiment", "table", "--label=y", "--group=g"])
            .arg(format!("--data={}", fifo.display()))
            .arg(format!("--out={}", home.path().join("runs").display()))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Opened for writing once it is read, and never written to.
        let held = fs::OpenOptions::new().write(true).open(&fifo).unwrap();
        signal(&child, name);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{name}: {}", said(&output));
        drop(held);
    }
    assert!(!home.path().join("runs").exists());
}

#[test]
fn a_signal_stops_a_run_and_the_same_command_goes_on() {
    for name in ["-INT", "-TERM"] {
        let home = tempfile::tempdir().unwrap();
        let child = spawn(home.path(), 1_000_000);
        grown(home.path(), "erm", 2_000);
        signal(&child, name);
        let output = child.wait_with_output().unwrap();
        let text = said(&output);
        assert_eq!(output.status.code(), Some(130), "{text}");
        assert!(text.contains("stopping after the next step"), "{text}");
        assert!(
            text.contains("erm seed 0: interrupted after step"),
            "{text}"
        );
        assert!(
            text.contains("interrupted: 2 runs are open; the same command goes on"),
            "{text}"
        );
        assert!(output.stdout.is_empty());

        let curves = home
            .path()
            .join("sparse-parity-quick/erm/seed-0/curves.jsonl");
        let before = fs::metadata(curves).unwrap().len();
        let child = spawn(home.path(), 1_000_000);
        grown(home.path(), "erm", before);
        signal(&child, name);
        let text = said(&child.wait_with_output().unwrap());
        assert!(text.contains("erm seed 0: going on from step"), "{text}");
    }
}

/// A look at groups takes longer than any step, so it is given up, and taken again later.
#[test]
fn a_look_at_groups_is_given_up() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("mine.toml");
    let text = "name = \"mine\"\narms = [\"erm\"]\n[task.sparse-parity]\ntasks = 8\nbits = 20\nheld_out = 40\n[run]\nseeds = 1\n\
                steps = 4\ndraw = 32\n[quality]\nexamples = 500\nsteps = [1, 2, 3]\n";
    fs::write(&file, text).unwrap();
    let begin = || {
        let mut command = Command::new(LAB);
        command.arg("experiment").arg(&file);
        command.arg(format!("--out={}", home.path().display()));
        command
            .stderr(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let run = home.path().join("mine/erm/seed-0");
    let lines =
        |name: &str| fs::read_to_string(run.join(name)).map_or(0, |text| text.lines().count());
    let child = begin();
    // The losses of a step are written before groups are looked for at it.
    while lines("trajectories.jsonl") < 2 {
        sleep(Duration::from_millis(5));
    }
    signal(&child, "-TERM");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", said(&output));
    assert!(
        said(&output).contains("interrupted after step"),
        "{}",
        said(&output)
    );
    assert_eq!(lines("quality.jsonl"), 0);
    let output = begin().wait_with_output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(lines("quality.jsonl"), 4);
}

#[test]
fn an_interrupted_list_of_experiments_says_how_many_have_not_begun() {
    let home = tempfile::tempdir().unwrap();
    let mut words = arguments(home.path(), 1_000_000);
    words[1] = String::from("all");
    words.push(String::from("--arms=erm"));
    words.retain(|word| word != "--arms=erm,grouped");
    let mut command = Command::new(LAB);
    let child = command.args(words).stderr(Stdio::piped()).spawn().unwrap();
    grown(home.path(), "erm", 2_000);
    signal(&child, "-INT");
    let output = child.wait_with_output().unwrap();
    let text = said(&output);
    assert_eq!(output.status.code(), Some(130), "{text}");
    let all = text.split_once("experiment 1 of ").unwrap().1;
    let all: usize = all.lines().next().unwrap().parse().unwrap();
    let expected = format!(
        "interrupted: 1 run is open, and {} experiments have not begun; the same command goes on with it",
        all - 1
    );
    assert!(all > 5 && text.contains(&expected), "{text}");
}

/// Under `nohup`, which ignores the signal of a terminal that is closed, a run goes on.
#[test]
fn an_ignored_signal_stays_ignored() {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new("sh");
    let child = command
        .args(["-c", "trap '' HUP; exec \"$0\" \"$@\"", LAB])
        .args(arguments(home.path(), 300))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    grown(home.path(), "erm", 0);
    signal(&child, "-HUP");
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert!(!said(&output).contains("stopping"), "{}", said(&output));
}

#[test]
fn two_commands_do_not_share_a_run() {
    let home = tempfile::tempdir().unwrap();
    let first = spawn(home.path(), 100_000);
    grown(home.path(), "erm", 2_000);
    let second = spawn(home.path(), 100_000);
    // It goes on to its other run, which nobody holds.
    grown(home.path(), "grouped", 2_000);
    signal(&second, "-INT");
    let text = said(&second.wait_with_output().unwrap());
    assert!(text.contains("another run is writing into it"), "{text}");
    signal(&first, "-INT");
    assert_eq!(first.wait_with_output().unwrap().status.code(), Some(130));
}

/// A file-size limit stands for a full disk: a write fails in the middle of a line or a checkpoint.
#[test]
fn a_full_disk_is_named_and_nothing_is_torn() {
    let home = tempfile::tempdir().unwrap();
    let line: Vec<String> = arguments(home.path(), 600);
    let limited = |blocks: u32| {
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
        let mut command = Command::new("bash");
        command
            .args(["-c", &script, "bash", LAB])
            .args(&line)
            .output()
            .unwrap()
    };
    // 8 KiB hold the configuration and an evaluation, but no model: the first checkpoint fails.
    let output = limited(8);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(
        said(&output).contains("could not write"),
        "{}",
        said(&output)
    );
    // With room again, the same command goes on.
    let output = limited(2_000);
    assert!(output.status.success(), "{}", said(&output));
    let whole = tempfile::tempdir().unwrap();
    let output = Command::new(LAB)
        .args(arguments(whole.path(), 600))
        .output()
        .unwrap();
    assert!(output.status.success());
    for arm in ["erm", "grouped"] {
        let read = |home: &Path| {
            let folder = home.join("sparse-parity-quick").join(arm).join("seed-0");
            fs::read_to_string(folder.join("curves.jsonl")).unwrap()
        };
        assert!(read(home.path()) == read(whole.path()), "{arm}");
    }
}
