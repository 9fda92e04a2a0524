//! Runs that are moved aside: nothing is lost, whatever is in the way.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use gradual_runs::{ExperimentFolder, FolderLock, Place, RunsError, Stamp, aside, aside_all};

use crate::common::{tree, write_experiment, write_run};

#[test]
fn a_run_moves_with_everything_in_its_folder() {
    let home = tempfile::tempdir().unwrap();
    let folder = write_experiment(home.path());
    let stamp = Stamp::now();
    let name = stamp.to_string();
    assert!(name.len() == 16 && name.ends_with('Z'), "{name}");
    let place = Place::new(&folder, "erm", 1).unwrap();
    fs::write(place.folder.join("notes.jsonl"), "mine").unwrap();
    let before = fs::read(place.folder.join("curves.jsonl")).unwrap();
    let all = tree(&folder).len();
    let now = aside(&folder, &place, &stamp).unwrap().unwrap();
    assert_eq!(now, folder.join(format!(".old-{stamp}/erm/seed-1")));
    assert_eq!(fs::read_to_string(now.join("notes.jsonl")).unwrap(), "mine");
    assert_eq!(fs::read(now.join("curves.jsonl")).unwrap(), before);
    assert!(!place.folder.exists());
    // One more: the lock.
    assert_eq!(tree(&folder).len(), all + 1);
    assert_eq!(aside(&folder, &place, &stamp).unwrap(), None);
    // What was moved is no arm.
    assert_eq!(ExperimentFolder::read(&folder).unwrap().runs.len(), 5);
}

#[test]
fn names_that_are_taken_are_not_used() {
    let home = tempfile::tempdir().unwrap();
    let folder = write_experiment(home.path());
    let place = Place::new(&folder, "erm", 1).unwrap();
    let stamp = Stamp::now();
    let mut found = vec![aside(&folder, &place, &stamp).unwrap().unwrap()];
    // A file in place of the folder, of the arm's and of the run's, and a link that leads out.
    let old = |number: u32| folder.join(format!(".old-{stamp}-{number}"));
    fs::write(old(2), "file").unwrap();
    fs::create_dir(old(3)).unwrap();
    fs::write(old(3).join("erm"), "file").unwrap();
    fs::create_dir_all(old(4).join("erm")).unwrap();
    fs::write(old(4).join("erm/seed-1"), "file").unwrap();
    let outside = home.path().join("outside");
    fs::create_dir(&outside).unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(&outside, old(5)).unwrap();
        fs::create_dir(old(6)).unwrap();
        std::os::unix::fs::symlink(&outside, old(6).join("erm")).unwrap();
        fs::create_dir_all(old(7).join("erm")).unwrap();
        std::os::unix::fs::symlink(&outside, old(7).join("erm/seed-1")).unwrap();
    }
    for _ in 0..3 {
        write_run(&folder, "erm", 1);
        let before = tree(&folder).len();
        let now = aside(&folder, &place, &stamp).unwrap().unwrap();
        assert!(now.join("curves.jsonl").exists() && !found.contains(&now));
        assert_eq!(tree(&folder).len(), before + 1, "the lock alone is new");
        found.push(now);
    }
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
}

#[test]
fn a_run_that_is_at_work_stays() {
    let home = tempfile::tempdir().unwrap();
    let folder = write_experiment(home.path());
    let place = Place::new(&folder, "erm", 0).unwrap();
    let held = FolderLock::take(&place.folder).unwrap();
    assert!(matches!(
        aside(&folder, &place, &Stamp::now()),
        Err(RunsError::Locked { .. })
    ));
    assert!(place.folder.join("DONE").exists());
    drop(held);
    aside(&folder, &place, &Stamp::now()).unwrap().unwrap();
}

fn places(folder: &Path) -> Vec<Place> {
    let of = |arm| [0, 1, 2].map(|seed| Place::new(folder, arm, seed).unwrap());
    ["erm", "grouped"].map(of).concat()
}

/// Everything in the folder but the locks.
fn held(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut held = tree(folder);
    held.retain(|path, _| !path.ends_with(".lock"));
    held
}

#[test]
fn all_runs_move_or_none() {
    let home = tempfile::tempdir().unwrap();
    let folder = write_experiment(home.path());
    let (stamp, places) = (Stamp::now(), places(&folder));
    let before = held(&folder);
    let run = &places[4].folder;
    // At work.
    let lock = FolderLock::take(run).unwrap();
    let refused = aside_all(&folder, &places, &stamp).unwrap_err();
    assert!(matches!(refused, RunsError::Locked { .. }), "{refused}");
    assert!(held(&folder) == before);
    drop(lock);
    // A link, and a file.
    #[cfg(unix)]
    for exchange in [
        (|kept: &Path, run: &Path| std::os::unix::fs::symlink(kept, run).unwrap())
            as fn(&Path, &Path),
        |_, run| fs::write(run, "file").unwrap(),
    ] {
        let kept = home.path().join("kept");
        fs::rename(run, &kept).unwrap();
        exchange(&kept, run);
        aside_all(&folder, &places, &stamp).unwrap_err();
        fs::remove_file(run).unwrap();
        fs::rename(&kept, run).unwrap();
        assert!(held(&folder) == before);
    }
    // No name is left for one of them.
    for number in 1..=1_000 {
        let name = match number {
            1 => format!(".old-{stamp}"),
            more => format!(".old-{stamp}-{more}"),
        };
        fs::create_dir(folder.join(&name)).unwrap();
        fs::write(folder.join(name).join("grouped"), "").unwrap();
    }
    let refused = aside_all(&folder, &places, &stamp).unwrap_err();
    assert!(
        refused.to_string().contains("all names are taken"),
        "{refused}"
    );
    assert!(!folder.join(format!(".old-{stamp}/erm")).exists());
    let mut after = held(&folder);
    after.retain(|path, _| !path.to_string_lossy().contains(".old-"));
    assert!(after == before);
    // What is not there is passed over.
    let stamp = Stamp::now();
    fs::remove_dir_all(run).unwrap();
    for number in 1..=1_000 {
        let more = folder.join(format!(".old-{stamp}-{number}"));
        let _ = fs::remove_dir_all(more);
    }
    let _ = fs::remove_dir_all(folder.join(format!(".old-{stamp}")));
    assert_eq!(aside_all(&folder, &places, &stamp).unwrap().len(), 5);
}

/// Event files go with their run, and not through links.
#[test]
fn event_files_move_with_their_run() {
    let home = tempfile::tempdir().unwrap();
    let folder = write_experiment(home.path());
    let place = Place::new(&folder, "erm", 1).unwrap();
    let events = folder.join("tensorboard/erm/seed-1");
    let other = folder.join("tensorboard/erm/seed-2");
    for folder in [&events, &other] {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join("events"), "seen").unwrap();
    }
    let stamp = Stamp::now();
    aside(&folder, &place, &stamp).unwrap().unwrap();
    let moved = folder.join(format!(".old-{stamp}/tensorboard/erm/seed-1/events"));
    assert_eq!(fs::read_to_string(moved).unwrap(), "seen");
    assert!(!events.exists() && other.join("events").exists());
    #[cfg(unix)]
    {
        let elsewhere = home.path().join("elsewhere");
        fs::create_dir_all(elsewhere.join("seed-2")).unwrap();
        fs::remove_dir_all(folder.join("tensorboard/erm")).unwrap();
        std::os::unix::fs::symlink(&elsewhere, folder.join("tensorboard/erm")).unwrap();
        let place = Place::new(&folder, "erm", 2).unwrap();
        aside(&folder, &place, &stamp).unwrap().unwrap();
        assert!(elsewhere.join("seed-2").exists());
    }
}

/// Two commands at once: each run is moved by one of them.
#[test]
fn two_commands_at_once() {
    let home = tempfile::tempdir().unwrap();
    let folder = write_experiment(home.path());
    let stamp = Stamp::now();
    let moved: usize = std::thread::scope(|scope| {
        let commands: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let moved = places(&folder);
                    let moved = moved.iter().filter_map(|place| {
                        // Another command may hold it just now, and is about to move it.
                        aside(&folder, place, &stamp).unwrap_or_default()
                    });
                    moved.count()
                })
            })
            .collect();
        commands.into_iter().map(|each| each.join().unwrap()).sum()
    });
    assert_eq!(moved, 6);
    let old = folder.join(format!(".old-{stamp}"));
    assert_eq!(tree(&old).len(), 6 * 6);
}

#[test]
fn arms_are_plain_names() {
    let home = tempfile::tempdir().unwrap();
    for name in [
        "", ".", "..", "/", "/etc", "../erm", "a/b", "erm/", "./erm", ".hidden", "report", "a\\b",
        "a\0b",
    ] {
        assert!(
            matches!(
                Place::new(home.path(), name, 0),
                Err(RunsError::Name { .. })
            ),
            "{name:?}"
        );
    }
    for name in ["erm", "whitened svd", "größer", "a.b"] {
        Place::new(home.path(), name, 0).unwrap();
    }
}

/// As many runs as a process has open files by default are no reason to fail: it asks for more.
#[cfg(unix)]
#[test]
fn more_runs_than_open_files_are_moved() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    let places: Vec<Place> = (0..300)
        .map(|seed| Place::new(folder, "erm", seed).unwrap())
        .collect();
    for place in &places {
        fs::create_dir_all(&place.folder).unwrap();
        fs::write(place.folder.join("note"), "mine").unwrap();
    }
    let (_, hard) = rlimit::getrlimit(rlimit::Resource::NOFILE).unwrap();
    rlimit::setrlimit(rlimit::Resource::NOFILE, 200.min(hard), hard).unwrap();
    let moved = aside_all(folder, &places, &Stamp::now()).unwrap();
    assert_eq!(moved.len(), 300);
    assert!(moved.iter().all(|run| run.join("note").is_file()));
}
