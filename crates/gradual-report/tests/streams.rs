//! The program with streams that are closed or full, paths of any bytes, and signals.
#![cfg(unix)]

mod common;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::Duration;

use common::{Arm, Fixture, run_folder, write};
use tempfile::tempdir;

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_gradual-report"))
}

fn small() -> Fixture {
    Fixture {
        arms: vec![Arm::new("erm", 100.0, 10.0, 0.3, false)],
        capabilities: 2,
        seeds: 1,
        evaluations: 6,
        ..Fixture::default()
    }
}

fn quiet(output: &Output) -> String {
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!message.contains("panicked"), "{message}");
    message
}

/// The program through a shell, which can close streams.
fn shell(line: &str, dir: &Path) -> Output {
    let program = env!("CARGO_BIN_EXE_gradual-report");
    let mut shell = Command::new("sh");
    let shell = shell.args(["-c", line, program]).arg(dir);
    shell.output().unwrap()
}

#[test]
fn a_reader_that_is_gone_is_no_error() {
    let root = tempdir().unwrap();
    let dir = small().write(root.path());
    for line in [
        "\"$0\" \"$1\" | true; exit 0",
        "\"$0\" --help | head -1",
        "\"$0\" \"$1\" >&-",
        "\"$0\" \"$1\" 2>&-",
        "\"$0\" \"$1\" 2>/dev/full",
    ] {
        let output = shell(line, &dir);
        assert!(output.status.success(), "{line}");
        let said = quiet(&output);
        assert!(
            said.lines().all(|line| line.starts_with("note: ")),
            "{line}: {said}"
        );
        assert!(dir.join("report/index.html").exists());
    }
    // The reader is gone before there is anything to read.
    let mut child = program().arg(&dir).stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_full_disk_is_an_error() {
    let Ok(full) = File::options().write(true).open("/dev/full") else {
        return;
    };
    let root = tempdir().unwrap();
    let dir = small().write(root.path());
    for arguments in [vec![dir.as_os_str()], vec![OsStr::new("--help")]] {
        let output = program()
            .args(&arguments)
            .stdout(full.try_clone().unwrap())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(quiet(&output).contains("could not write to standard output"));
    }
    // Whatever it has to say.
    let output = shell("\"$0\" /absent 2>/dev/full; test $? = 1", &dir);
    assert!(output.status.success());
}

#[test]
fn paths_of_any_bytes() {
    let root = tempdir().unwrap();
    let odd = root.path().join(OsStr::from_bytes(b"a\xff\xfe b"));
    fs::create_dir(&odd).unwrap();
    let dir = small().write(&odd);
    let out = odd.join(OsStr::from_bytes(b"out\xff"));
    let output = program().arg(&dir).arg("--out").arg(&out).output().unwrap();
    assert!(output.status.success(), "{}", quiet(&output));
    assert!(out.join("index.html").exists());
    let page = odd.join(OsStr::from_bytes(b"claims\xff.md"));
    let output = program()
        .arg(&dir)
        .arg("--claims")
        .arg(&page)
        .output()
        .unwrap();
    assert!(
        output.status.success() && page.exists(),
        "{}",
        quiet(&output)
    );
    let absent = root.path().join(OsStr::from_bytes(b"\xff"));
    let output = program().arg(&absent).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(quiet(&output).contains("expected a folder"));
}

#[test]
fn errors_steer_no_terminal() {
    let root = tempdir().unwrap();
    let dir = small().write(root.path());
    let evil = "\u{1b}]0;x\u{7}\u{1b}[2J\u{202e}\u{2028}";
    let path = run_folder(&dir, "erm", 0).join("curves.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    let last = text.lines().last().unwrap();
    let name = serde_json::to_string(&format!("{evil}{}", "x".repeat(100_000))).unwrap();
    for replaced in [
        last.replace("\"task-01\"", &name),
        last.replace("\"schema\":1", &format!("\"schema\":{name}")),
    ] {
        write(&path, &text.replace(last, &replaced));
        let output = program().arg(&dir).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let message = quiet(&output);
        assert!(message.len() < 10_000, "{}", message.len());
        let steers = |letter: char| {
            letter.is_control() && letter != '\n' || ['\u{202e}', '\u{2028}'].contains(&letter)
        };
        assert!(!message.contains(steers), "{message:?}");
    }
    let odd = root.path().join(format!("a{evil}"));
    let output = program().arg(&odd).output().unwrap();
    assert!(!output.stderr.contains(&0x1b), "{}", quiet(&output));
}

#[test]
fn an_interrupt_ends_it_and_leaves_the_old_report() {
    let root = tempdir().unwrap();
    let dir = small().write(root.path());
    assert!(program().arg(&dir).output().unwrap().status.success());
    let page = fs::read_to_string(dir.join("report/index.html")).unwrap();
    // Now there is more to do.
    fs::remove_dir_all(dir.join("erm")).unwrap();
    let large = Fixture {
        arms: (0..12)
            .map(|at| Arm::new(&format!("arm-{at}"), 100.0, 9.0, 0.3, true))
            .collect(),
        capabilities: 20,
        seeds: 5,
        ..Fixture::default()
    };
    large.write(root.path());
    for signal in ["-INT", "-TERM"] {
        let mut child = program()
            .arg(&dir)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        thread::sleep(Duration::from_millis(400));
        let id = child.id().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &id])
                .status()
                .unwrap()
                .success()
        );
        let status = child.wait().unwrap();
        assert_eq!(status.code(), Some(130), "{status}");
        let mut said = String::new();
        child
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        assert_eq!(said, "");
        let now = fs::read_to_string(dir.join("report/index.html")).unwrap();
        assert_eq!(now, page);
        let left: Vec<_> = fs::read_dir(&dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.starts_with(".report"))
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }
}
