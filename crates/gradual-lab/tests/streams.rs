//! Arguments and streams as they come: no text, closed, full.
#![cfg(unix)]

mod common;

use std::ffi::OsStr;
use std::fs::{self, OpenOptions};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use common::refused;

const LAB: &str = env!("CARGO_BIN_EXE_gradual-lab");

fn short(out: &Path) -> Command {
    let mut command = Command::new(LAB);
    command
        .args([
            "experiment",
            "sparse-parity",
            "--quick",
            "--seeds=1",
            "--steps=20",
        ])
        .args(["--draw=16", "--arms=erm"])
        .arg("--out")
        .arg(out);
    command
}

fn said(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!said.contains("panicked"), "{said}");
    said
}

fn full() -> Stdio {
    OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap()
        .into()
}

#[test]
fn a_folder_whose_name_is_no_text_takes_runs() {
    let home = tempfile::tempdir().unwrap();
    let out = home.path().join(OsStr::from_bytes(b"r\xffns"));
    let output = short(&out).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let folder = out.join("sparse-parity-quick");
    assert!(folder.join("report/index.html").is_file());
    let record = fs::read_to_string(folder.join("experiment.json")).unwrap();
    assert!(
        record.contains(r"$'") && record.contains(r"\\377ns'"),
        "{record}"
    );
    // For scripts the name is text all the same.
    let output = short(&out).arg("--json").output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let result: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(
        result["page"]
            .as_str()
            .unwrap()
            .contains("ns/sparse-parity-quick")
    );
}

/// Panics were all that came of it. The limit does not hold for root, so that another user is needed.
#[test]
fn runs_without_more_threads_are_those_with_them() {
    let home = tempfile::tempdir().unwrap();
    let open = |path: &Path| fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
    open(home.path());
    let program = home.path().join("program");
    fs::copy(LAB, &program).unwrap();
    open(&program);
    let user = (40_000 + std::process::id() % 20_000).to_string();
    let curves = |threads: &str| {
        let out = home.path().join(threads);
        let output = Command::new("setpriv")
            // Burn's backend ndarray, which tests have beside others, makes some of its own.
            .env("MATMUL_NUM_THREADS", "1")
            .args(["--clear-groups", "--reuid", &user, "--regid", &user])
            .args(["prlimit", &format!("--nproc={threads}")])
            .arg(&program)
            .args([
                "experiment",
                "sparse-parity",
                "--quick",
                "--steps=20",
                "--draw=16",
            ])
            .args(["--arms=kmeans", "--seeds=2", "--jobs=2", "--out"])
            .arg(&out)
            .output();
        let Ok(output) = output else { return None };
        let said = said(&output);
        if said.contains("setpriv: ") {
            return None;
        }
        assert!(output.status.success(), "{threads}: {said}");
        let told = said.contains("the system gives this program 0 of");
        assert_eq!(told, threads == "2", "{said}");
        let run = out.join("sparse-parity-quick/kmeans/seed-1/curves.jsonl");
        Some(fs::read(run).unwrap())
    };
    // It takes setpriv of util-linux, and root.
    let Some(many) = curves("100") else { return };
    for few in ["2", "3", "4", "5"] {
        assert_eq!(curves(few).unwrap(), many, "{few}");
    }
}

/// The signal that comes with it ended the program without a word.
#[test]
fn a_limit_on_the_size_of_files_is_told() {
    let home = tempfile::tempdir().unwrap();
    let output = Command::new("bash")
        .args(["-c", "ulimit -f 4; exec \"$@\"", "bash"])
        .arg(LAB)
        .args(short(&home.path().join("runs")).get_args())
        .output()
        .unwrap();
    let said = said(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("error: ") && said.contains("File too large"),
        "{said}"
    );
}

#[test]
fn an_argument_that_is_no_text_is_refused_with_a_sentence() {
    for flag in ["--arms", "--arm", "--backend", "--show", "--label"] {
        let mut command = short(Path::new("nowhere"));
        let output = command
            .arg(flag)
            .arg(OsStr::from_bytes(b"\xff\xfe"))
            .output()
            .unwrap();
        assert!(!output.status.success());
        assert!(said(&output).contains("error"), "{flag}: {}", said(&output));
        // Which of them it is; the last is no flag of this experiment.
        let named = said(&output).contains("\u{fffd}\u{fffd}");
        assert!(named || flag == "--label", "{flag}: {}", said(&output));
    }
    for name in [&b"\xff"[..], b"\xff.toml"] {
        let mut command = Command::new(LAB);
        let output = command
            .arg("experiment")
            .arg(OsStr::from_bytes(name))
            .output()
            .unwrap();
        let said = said(&output);
        assert!(!output.status.success() && said.contains("UTF-8"), "{said}");
    }
    assert!(!Path::new("nowhere").exists());
}

#[test]
fn a_result_that_can_not_be_printed_is_an_error_and_the_runs_stay() {
    let home = tempfile::tempdir().unwrap();
    let output = short(home.path()).stdout(full()).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(
        said(&output).contains("could not print"),
        "{}",
        said(&output)
    );
    let folder = home.path().join("sparse-parity-quick");
    assert!(folder.join("erm/seed-0/DONE").is_file());
    assert!(folder.join("report/index.html").is_file());
}

#[test]
fn help_that_can_not_be_printed_is_an_error() {
    for arguments in [&["--help"][..], &["--version"], &["experiment", "--help"]] {
        let mut command = Command::new(LAB);
        let output = command.args(arguments).stdout(full()).output().unwrap();
        assert_eq!(
            output.status.code(),
            Some(1),
            "{arguments:?}: {}",
            said(&output)
        );
    }
}

#[test]
fn messages_that_nobody_can_read_stop_nothing() {
    let home = tempfile::tempdir().unwrap();
    let status = short(home.path())
        .stderr(full())
        .stdout(Stdio::null())
        .status();
    assert!(status.unwrap().success());
    // Nor the second time, when there is more to say.
    let status = short(home.path())
        .stderr(full())
        .stdout(Stdio::null())
        .status();
    assert!(status.unwrap().success());
    let status = short(home.path())
        .args(["--arms=nope"])
        .stderr(full())
        .status();
    assert!(!status.unwrap().success());
}

#[test]
fn closed_streams_stop_nothing() {
    let home = tempfile::tempdir().unwrap();
    for (at, closed) in [">&-", "2>&-", ">&- 2>&- <&-", "| head -c 1"]
        .into_iter()
        .enumerate()
    {
        let out = home.path().join(at.to_string());
        let script = format!(
            "set -o pipefail; {LAB} experiment sparse-parity --quick --seeds=1 --steps=20 --draw=16 --arms=erm \
             --out={} {closed}",
            out.display()
        );
        let output = Command::new("bash").args(["-c", &script]).output().unwrap();
        assert!(output.status.success(), "{closed}: {}", said(&output));
        assert!(
            out.join("sparse-parity-quick/report/index.html").is_file(),
            "{closed}"
        );
    }
    let script = format!("set -o pipefail; {LAB} experiment --list | head -1");
    let output = Command::new("bash").args(["-c", &script]).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
}

#[test]
fn sizes_that_no_machine_has_are_refused_before_anything_runs() {
    let home = tempfile::tempdir().unwrap();
    let out = format!("--out={}", home.path().display());
    for (flag, named) in [
        (
            "--steps=100000000000",
            "'100000000000' for '--steps <N>': it is a whole number from 1 to 1000000000",
        ),
        (
            "--steps=18446744073709551615",
            "'18446744073709551615' for '--steps <N>': it is a whole number from 1 to 1000000000",
        ),
        (
            "--steps=9223372036854775818",
            "'9223372036854775818' for '--steps <N>': it is a whole number from 1 to 1000000000",
        ),
        (
            "--steps=600000000",
            "10000000 evaluations, one every 60 of 600000000 steps",
        ),
        (
            "--draw=1000000000000",
            "'1000000000000' for '--draw <N>': it is a whole number from 1 to 1000000",
        ),
        ("--draw=1000000", "gradients are compared of at most"),
        (
            "--seeds=18446744073709551615",
            "'18446744073709551615' for '--seeds <N>': it is a whole number from 1 to 10000",
        ),
        ("--steps=1e14", "it is a whole number from 1 to 1000000000"),
        (
            "--steps=18446744073709551616",
            "it is a whole number from 1 to 1000000000",
        ),
        ("--jobs=0", "invalid value"),
    ] {
        let said = refused(&["sparse-parity", "--arms=erm,erm-half,whitened", flag, &out]);
        assert!(said.contains(named), "{flag}: {said}");
    }
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
    let with = |name: &str, run: &str| {
        let file = home.path().join(format!("{name}.toml"));
        let head = format!("name = \"{name}\"\narms = [\"erm\", \"erm-half\"]\n");
        fs::write(&file, format!("{head}[task.sparse-parity]\n[run]\n{run}\n")).unwrap();
        refused(&[&file.display().to_string(), &out])
    };
    let said = with("often", "steps = 500000000\nevaluate_every = 1");
    assert!(said.contains("500000000 evaluations"), "{said}");
    let said = with("slow", "steps = 1000000000");
    assert!(
        said.contains("slowdown = 2 makes 2000000000 of 1000000000 steps"),
        "{said}"
    );
}
