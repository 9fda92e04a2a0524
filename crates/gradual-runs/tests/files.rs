//! Files written whole, what is left of writers that were killed, and what is no file.

#![cfg(unix)]

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use gradual_runs::{
    Digest, Done, Evaluation, ExperimentFolder, FolderLock, Journal, Lines, Place, Record, Run,
    RunConfig, RunsError, files,
};

use crate::common::{config, evaluation, tree, write_experiment, write_run};

/// A sentence, and what makes the thing that it is about.
type Made = (&'static str, fn(&Path));

fn pipe(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status().unwrap();
    assert!(made.success() && fs::symlink_metadata(path).unwrap().file_type().is_fifo());
}

/// The names that were predictable, and a journal that is a second name of somebody's file, are no way out.
#[test]
fn whole_files_follow_no_link() {
    let home = tempfile::tempdir().unwrap();
    let victim = home.path().join("victim");
    fs::write(&victim, "precious").unwrap();
    let folder = home.path().join("run");
    fs::create_dir(&folder).unwrap();
    let file = folder.join("config.json");
    for name in [
        "config.json.tmp",
        "config.json.partial",
        ".config.json.tmp",
        ".lock",
    ] {
        symlink(&victim, folder.join(name)).unwrap();
    }
    files::replace(&file, "new").unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), "new");
    fs::remove_file(&file).unwrap();
    symlink(&victim, &file).unwrap();
    for result in [
        files::replace(&file, "new"),
        files::text(&file).map(drop),
        files::read::<RunConfig>(&file).map(drop),
        Journal::create(&file, "new").map(drop),
        Digest::of_file(&file).map(drop),
        FolderLock::take(&folder).map(drop),
        FolderLock::wait(&folder).map(drop),
        Lines::<Evaluation>::read(&file, true).map(drop),
        files::write_new(&file, "new").map_err(RunsError::file("write", &file)),
    ] {
        let error = result.unwrap_err();
        let said = error.to_string();
        assert!(
            matches!(error, RunsError::Link { .. }) || said.contains("exists"),
            "{said}"
        );
    }
    // A second name of the victim is replaced, and not written.
    let journal = folder.join("curves.jsonl");
    fs::hard_link(&victim, &journal).unwrap();
    let mut open = Journal::create(&journal, "first\n").unwrap();
    open.append("second".into()).unwrap();
    assert_eq!(fs::read_to_string(&journal).unwrap(), "first\nsecond\n");
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    fs::remove_file(&journal).unwrap();
    fs::hard_link(&victim, &journal).unwrap();
    let error = open.append("third".into()).unwrap_err().to_string();
    assert!(error.contains("another file is in its place"), "{error}");
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
}

/// Nothing waits for a pipe, reads a device, or holds a huge file in memory.
#[test]
fn what_is_no_file_or_too_long_is_named() {
    let home = tempfile::tempdir().unwrap();
    let run = write_run(home.path(), "erm", 0);
    let place = Place::new(home.path(), "erm", 0).unwrap();
    let names = [
        "config.json",
        "curves.jsonl",
        "groups.jsonl",
        "timing.jsonl",
        "DONE",
    ];
    for name in names {
        let path = run.join(name);
        let whole = fs::read(&path).unwrap();
        let makers: [Made; 5] = [
            ("is a pipe", pipe),
            ("is a folder", |path| fs::create_dir(path).unwrap()),
            ("is a link", |path| symlink("/dev/zero", path).unwrap()),
            ("is a link", |path| {
                symlink("/nowhere/at/all", path).unwrap();
            }),
            ("longer than 16777216 bytes", |path| {
                File::create(path).unwrap().set_len(1 << 40).unwrap();
            }),
        ];
        for (expected, make) in makers {
            fs::remove_file(&path).unwrap();
            make(&path);
            // A journal of one terabyte is told by its length, and in an unfinished run by its first line.
            if expected.starts_with("longer") && name.ends_with(".jsonl") {
                let error = Run::read(&place).unwrap_err().to_string();
                assert!(
                    error.contains("it has 1099511627776 bytes and had"),
                    "{error}"
                );
                fs::remove_file(run.join("DONE")).unwrap();
            }
            let error = Run::read(&place).unwrap_err().to_string();
            assert!(
                error.contains(expected) && error.contains(name),
                "{name}: {error}"
            );
            match path.symlink_metadata().unwrap().is_dir() {
                true => fs::remove_dir(&path).unwrap(),
                false => fs::remove_file(&path).unwrap(),
            }
            fs::write(&path, &whole).unwrap();
            crate::common::sign(&run);
        }
    }
    // The same for the file of the experiment, and for its lock.
    for (name, read) in [
        (
            "experiment.json",
            (|folder| ExperimentFolder::read(folder).map(drop)) as fn(&Path) -> _,
        ),
        (".lock", |folder| FolderLock::wait(folder).map(drop)),
    ] {
        let path = home.path().join(name);
        pipe(&path);
        let error: RunsError = read(home.path()).unwrap_err();
        assert!(error.to_string().contains("is a pipe"), "{error}");
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn links_in_the_folder_of_an_experiment_are_refused() {
    let home = tempfile::tempdir().unwrap();
    let folder = write_experiment(home.path());
    let elsewhere = home.path().join("elsewhere");
    fs::rename(folder.join("erm/seed-1"), &elsewhere).unwrap();
    symlink(&elsewhere, folder.join("erm/seed-1")).unwrap();
    let said = |folder: &Path| ExperimentFolder::read(folder).unwrap_err().to_string();
    assert!(said(&folder).contains("erm/seed-1 is a link"));
    fs::remove_file(folder.join("erm/seed-1")).unwrap();
    fs::rename(folder.join("grouped"), home.path().join("grouped")).unwrap();
    symlink(home.path().join("grouped"), folder.join("grouped")).unwrap();
    assert!(said(&folder).contains("grouped is a link"));
    let place = Place::new(&folder, "grouped", 0).unwrap();
    assert!(matches!(
        gradual_runs::aside(&folder, &place, &gradual_runs::Stamp::now()),
        Err(RunsError::Link { .. })
    ));
    fs::remove_file(folder.join("grouped")).unwrap();
    // One to a file in the place of a run is told of.
    symlink("/dev/null", folder.join("erm/seed-7")).unwrap();
    let told = Place::all(&folder).unwrap().notes;
    assert!(
        told.iter().any(|note| note.contains("erm/seed-7")),
        "{told:?}"
    );
    // Links that nobody would follow are nobody's matter, and the folder itself may be reached through one.
    symlink(folder.join("experiment.json"), folder.join("latest")).unwrap();
    symlink("gone", folder.join("erm/dangling")).unwrap();
    let root = home.path().join("root");
    symlink(&folder, &root).unwrap();
    assert_eq!(ExperimentFolder::read(&root).unwrap().runs.len(), 2);
    drop(FolderLock::take(&root).unwrap());
}

/// A lock is neither shortened nor written, whoever made the file.
#[test]
fn locks_change_nothing() {
    let home = tempfile::tempdir().unwrap();
    let victim = home.path().join("victim");
    fs::write(&victim, "precious").unwrap();
    let folder = home.path().join("run");
    fs::create_dir(&folder).unwrap();
    fs::hard_link(&victim, folder.join(".lock")).unwrap();
    let held = FolderLock::take(&folder).unwrap();
    assert!(matches!(
        FolderLock::take(&folder),
        Err(RunsError::Locked { .. })
    ));
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    // A folder that was moved aside is no longer held at its place, but where it is now.
    let moved = home.path().join("moved");
    fs::rename(&folder, &moved).unwrap();
    fs::create_dir(&folder).unwrap();
    drop(FolderLock::take(&folder).unwrap());
    assert!(FolderLock::take(&moved).is_err());
    drop(held);
    drop(FolderLock::take(&moved).unwrap());
}

/// Many look at once; a writer waits for them, but not for another writer.
#[test]
fn looks_put_off_a_writer_and_nobody_else() {
    let home = tempfile::tempdir().unwrap();
    let looks = [0, 1].map(|_| FolderLock::look(home.path()).unwrap());
    assert!(FolderLock::take(home.path()).is_err());
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| FolderLock::take_soon(home.path()).unwrap());
        std::thread::sleep(std::time::Duration::from_millis(300));
        drop(looks);
        let held = writer.join().unwrap();
        assert!(matches!(
            FolderLock::look(home.path()),
            Err(RunsError::Locked { .. })
        ));
        assert!(matches!(
            FolderLock::take_soon(home.path()),
            Err(RunsError::Locked { .. })
        ));
        drop(held);
    });
    drop(FolderLock::take(home.path()).unwrap());
}

/// Who waits for a lock stops waiting when it is told to.
#[test]
fn a_wait_ends_when_it_is_told_to() {
    let home = tempfile::tempdir().unwrap();
    let _held = FolderLock::take(home.path()).unwrap();
    let began = std::time::Instant::now();
    let goes_on = || began.elapsed() < std::time::Duration::from_millis(200);
    let taken = FolderLock::wait_while(home.path(), || {}, goes_on);
    assert!(matches!(taken, Err(RunsError::Locked { .. })));
}

/// A writer that waits for a lock does not end with that of a folder which was moved meanwhile.
#[test]
fn a_lock_is_of_the_folder_that_is_there() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("run");
    fs::create_dir(&folder).unwrap();
    let held = FolderLock::take(&folder).unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| FolderLock::wait(&folder).unwrap());
        std::thread::sleep(std::time::Duration::from_millis(200));
        fs::rename(&folder, home.path().join("moved")).unwrap();
        fs::create_dir(&folder).unwrap();
        drop(held);
        let taken = waiting.join().unwrap();
        assert!(matches!(
            FolderLock::take(&folder),
            Err(RunsError::Locked { .. })
        ));
        drop(taken);
    });
}

/// What a killed writer left is swept, and nothing else is.
#[test]
fn only_our_own_leftovers_are_swept() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("run");
    fs::create_dir(&folder).unwrap();
    let victim = home.path().join("victim");
    fs::write(&victim, "precious").unwrap();
    // A folder as it is left behind, with a link in it.
    let left = files::temporary_folder(&folder).unwrap().keep();
    symlink(&victim, left.join("link")).unwrap();
    fs::write(folder.join(".gradual-0123456789abcDEF"), "left").unwrap();
    let others = [
        "notes.jsonl",
        ".gradual-",
        ".gradual-0123456789abcDE",
        ".gradual-0123456789abcDEF0",
        ".gradual-0123456789abcDE.",
        "x.gradual-0123456789abcDEF",
        ".gradual-notes",
        "config.json.tmp",
        ".writing-000000000020",
    ];
    for name in others {
        fs::write(folder.join(name), name).unwrap();
    }
    symlink(&victim, folder.join(".gradual-abcdefghijklmnop")).unwrap();
    let kept: Vec<_> = tree(&folder)
        .into_iter()
        .filter(|(path, _)| {
            !path.starts_with(&left) && !path.ends_with(".gradual-0123456789abcDEF")
        })
        .collect();
    files::sweep(&folder).unwrap();
    assert_eq!(tree(&folder).into_iter().collect::<Vec<_>>(), kept);
    assert_eq!(kept.len(), others.len() + 1);
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
}

/// Others may read what a run writes, as far as the user's mask lets them.
#[test]
fn files_have_the_permissions_of_any_new_file() {
    let home = tempfile::tempdir().unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode();
    let usual = home.path().join("usual");
    fs::write(&usual, "").unwrap();
    let file = home.path().join("config.json");
    files::replace(&file, "").unwrap();
    assert_eq!(mode(&file), mode(&usual));
    let folder = home.path().join("folder");
    fs::create_dir(&folder).unwrap();
    let temporary = files::temporary_folder(home.path()).unwrap();
    assert_eq!(mode(temporary.path()), mode(&folder));
}

#[test]
fn text_is_utf_8() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("config.json");
    let mut text = config("erm", 0).to_line().unwrap().into_bytes();
    let at = text.iter().position(|&byte| byte == b'p').unwrap();
    text[at] = 0xff;
    fs::write(&path, text).unwrap();
    let error = files::read::<RunConfig>(&path).unwrap_err().to_string();
    let said = format!("expected UTF-8 text, which it is not from byte {at} on");
    assert!(error.contains(&said), "{error}");
}

/// What a reader quotes of a file is cut, wherever it stands.
#[test]
fn messages_are_short() {
    let home = tempfile::tempdir().unwrap();
    let run = write_run(home.path(), "erm", 0);
    let place = Place::new(home.path(), "erm", 0).unwrap();
    let long = "x".repeat(1_000_000);
    let config = config("erm", 0).to_line().unwrap();
    let cases = [
        ("DONE", format!(r#"{{"end":"{long}"}}"#)),
        (
            "DONE",
            format!(r#"{{"end":"completed","journals":{{"{long}":{{"bytes":0,"crc32":0}}}}}}"#),
        ),
        ("config.json", config.replace("erm", &long)),
        (
            "config.json",
            config.replace("\"seed\":0", &format!(r#""seed":"{long}""#)),
        ),
        (
            "config.json",
            config.replace("\"seed\":0", &format!(r#""seed":{}"#, "1".repeat(100_000))),
        ),
        ("config.json", "[".repeat(1_000_000)),
        ("DONE", "[".repeat(1_000_000)),
    ];
    for (name, content) in cases {
        let path = run.join(name);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, content).unwrap();
        let error = Run::read(&place).unwrap_err();
        let said = gradual_runs::message(&error);
        assert!(said.len() < 1_000, "{}: {}", said.len(), &said[..300]);
        fs::write(&path, whole).unwrap();
    }
    let line = evaluation(0, 0)
        .to_line()
        .unwrap()
        .replace("\"add\"", &format!("\"a{long}\""));
    let path = run.join("curves.jsonl");
    fs::write(&path, line.replace("0.5", "7.5")).unwrap();
    fs::remove_file(run.join("DONE")).unwrap();
    let said = gradual_runs::message(&Run::read(&place).unwrap_err());
    assert!(
        said.contains("capabilities.axxx") && said.len() < 1_000,
        "{}",
        said.len()
    );
}

/// Who waits for long is told once; who waits for a moment is not.
#[test]
fn a_long_wait_is_told() {
    for (millis, expected) in [(0, 0), (200, 0), (2_500, 1)] {
        let home = tempfile::tempdir().unwrap();
        let held = FolderLock::take(home.path()).unwrap();
        let mut told = 0;
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(std::time::Duration::from_millis(millis));
                drop(held);
            });
            let lock = FolderLock::wait_telling(home.path(), || told += 1).unwrap();
            assert!(matches!(
                FolderLock::take(home.path()),
                Err(RunsError::Locked { .. })
            ));
            drop(lock);
        });
        assert_eq!(told, expected, "{millis} ms");
    }
}

/// A line that is too long is refused before it is read.
#[test]
fn lines_have_a_largest_length() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("curves.jsonl");
    let mut file = File::create(&path).unwrap();
    let line = evaluation(0, 0).to_line().unwrap() + "\n";
    file.write_all(line.as_bytes()).unwrap();
    file.set_len(1 << 40).unwrap();
    let error = Lines::<Evaluation>::read(&path, false).unwrap_err();
    assert!(matches!(error, RunsError::TooLong { .. }), "{error}");
}

#[test]
fn marks_come_back_as_they_were() {
    let home = tempfile::tempdir().unwrap();
    let run = write_run(home.path(), "erm", 0);
    let done = Done::read(&run).unwrap().unwrap();
    let curves = done.journals.as_ref().unwrap()["curves.jsonl"];
    let content = fs::read(run.join("curves.jsonl")).unwrap();
    assert_eq!(curves, Digest::of(&content));
    assert_eq!(curves.bytes, content.len() as u64);
    done.check_journals(&run).unwrap();
    let text = fs::read_to_string(run.join("DONE")).unwrap();
    assert!(text.starts_with(
        r#"{"end":"completed","reason":null,"skipped_steps":0,"journals":{"curves.jsonl":{"bytes":"#
    ));
}
