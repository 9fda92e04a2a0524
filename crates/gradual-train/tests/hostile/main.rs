//! Run folders from somebody else: whatever they hold, nothing outside of them is read or written, nothing of a user's
//! is removed, and what is wrong is named.

#![cfg(unix)]

#[path = "../common/mod.rs"]
mod common;
mod journals;

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use gradual_runs::{Done, Evaluation, Place, Record, RunsError, Stamp, aside};
use gradual_train::{End, FolderState, Observer, RunFolder, TrainError};
use proptest::prelude::*;
use serde_json::json;

use common::folder::{Files, LAST, Said, config, forge, made, run, train, tree, write};

const NOT_UTF_8: &[u8] = b"{\"schema\":1,\"experiment\":\"\xff\"}";

/// What a file is exchanged for, and how: given the file, where a copy of it is, and something precious.
type Exchange = (&'static str, fn(&Path, &Path, &Path));

/// Why a journal is refused, and what makes it so.
type Change = (&'static str, fn(&str) -> String);

/// A home with things that must not change, and in it `experiment/erm/seed-0`, an interrupted run.
struct Home {
    folder: tempfile::TempDir,
    sentinels: Files,
}

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let outside = folder.path().join("outside");
        fs::create_dir_all(outside.join("deep")).unwrap();
        for name in [
            "victim",
            "victim.txt",
            "deep/victim",
            "curves.jsonl",
            "config.json",
            ".lock",
        ] {
            fs::write(outside.join(name), format!("precious {name}")).unwrap();
        }
        for name in [
            "victim",
            "victim.txt",
            "curves.jsonl",
            "config.json",
            ".profile",
        ] {
            fs::write(folder.path().join(name), format!("precious {name}")).unwrap();
        }
        let home = Self {
            folder,
            sentinels: Files::new(),
        };
        write(&made().0, &home.run());
        let sentinels = home.outside();
        Self { sentinels, ..home }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn experiment(&self) -> PathBuf {
        self.path("experiment")
    }

    fn run(&self) -> PathBuf {
        self.path("experiment/erm/seed-0")
    }

    /// All but the experiment.
    fn outside(&self) -> Files {
        let mut files = tree(self.folder.path());
        files.retain(|path, _| !path.starts_with(self.experiment()));
        files
    }

    fn check(&self, what: &str) {
        assert!(
            self.outside() == self.sentinels,
            "{what}: something outside has changed"
        );
    }
}

/// Resumes from a checkpoint whose manifest lists `name`, with a file where it leads, and then runs to the end.
fn resume_with_name(name: &str) -> Result<Said, TrainError> {
    let mut home = Home::new();
    let checkpoint = home.run().join("checkpoints").join(LAST);
    let name = &name.replace("HOME", &home.folder.path().to_string_lossy());
    let payload = "payload";
    let source = checkpoint.join(name);
    // What the name leads to from the checkpoint is the payload, wherever nothing precious is.
    if fs::symlink_metadata(&source).is_err() {
        let _ = fs::write(&source, payload);
    }
    let content = fs::read(&source).unwrap_or_else(|_| payload.into());
    forge(&checkpoint, |manifest| {
        manifest["files"][name] = json!({
            "bytes": content.len(), "crc32": crc32fast::hash(&content),
        });
    });
    home.sentinels = home.outside();
    fs::write(home.run().join("notes.jsonl"), "mine").unwrap();
    let config = fs::read(home.run().join("config.json")).unwrap();
    let said = run(&home.run(), None);
    home.check(name);
    assert_eq!(
        fs::read(home.run().join("config.json")).unwrap(),
        config,
        "{name:?}"
    );
    assert_eq!(
        fs::read(home.run().join("notes.jsonl")).unwrap(),
        b"mine",
        "{name:?}"
    );
    if said.is_ok() {
        compare_with_whole(&home.run());
    }
    said
}

/// The run has come to the end of one that was never stopped.
fn compare_with_whole(run: &Path) {
    for name in ["curves.jsonl", "groups.jsonl", "seen.jsonl"] {
        assert!(
            fs::read(run.join(name)).unwrap() == made().1[Path::new(name)],
            "{name}"
        );
    }
    Done::read(run)
        .unwrap()
        .unwrap()
        .check_journals(run)
        .unwrap();
}

#[test]
fn manifests_name_no_other_files() {
    let long = "x".repeat(100_000);
    let names = [
        "../victim",
        "../../victim",
        "../../../victim",
        "../../../../victim",
        "../../../../victim.txt",
        "../../../../outside/victim",
        "HOME/victim",
        "HOME/new",
        "a\0b",
        "a\0.jsonl",
        "back\\slash",
        "..\\..\\victim",
        "",
        ".",
        "..",
        "/",
        "./victim",
        "sub/curves.jsonl",
        "curves.jsonl/",
        "../curves.jsonl",
        "../../curves.jsonl",
        "config.json",
        "../../config.json",
        "DONE",
        ".lock",
        "environment.json",
        "manifest.json",
        "checkpoints",
        ".jsonl",
        "ü.jsonl",
        "a b.jsonl",
        "a\n.jsonl",
        "\u{1b}[2J.jsonl",
        "notes.jsonl.tmp",
        &long,
    ];
    for name in names {
        let (damaged, _) = resume_with_name(name).unwrap();
        let said = damaged.join("; ");
        assert!(
            said.starts_with(LAST)
                && said.contains("which is no file of a checkpoint")
                && said.len() < 400,
            "{name:?}: {said}"
        );
        assert!(!said.contains(char::is_control), "{said:?}");
    }
    // Versions before kept copies of all journals in the folder, and no other run has to know of them.
    for name in ["notes.jsonl", "other.jsonl", "Curves.jsonl"] {
        assert_eq!(resume_with_name(name).unwrap().0, [""; 0], "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_name_leads_out(
        parts in prop::collection::vec(
            prop_oneof![
                Just(String::from("..")), Just(String::from("..")), Just(String::from(".")), Just(String::new()),
                Just(String::from("victim")), Just(String::from("outside")), Just(String::from("config.json")),
                Just(String::from("curves.jsonl")), Just(String::from("checkpoints")), ".{0,6}", "[a-z]{1,3}\\.jsonl",
            ],
            1..6,
        )
    ) {
        let name = parts.join("/");
        prop_assume!(!name.starts_with('/'));
        resume_with_name(&name).unwrap();
    }
}

/// All that a run reads or writes, each exchanged for a link to a copy of it, for a link to something precious, for a
/// pipe, and for a folder or a file.
#[test]
fn what_is_no_file_of_ours_is_named_and_left_alone() {
    let names = [
        "config.json",
        "environment.json",
        "curves.jsonl",
        "groups.jsonl",
        "timing.jsonl",
        "seen.jsonl",
        ".lock",
        "DONE",
        "checkpoints",
        "checkpoints/step-000000000012",
        "checkpoints/step-000000000012/manifest.json",
        "checkpoints/step-000000000012/model.bpk",
        "checkpoints/step-000000000012/state.cbor",
        "checkpoints/step-000000000012/curves.jsonl",
        "checkpoints/step-000000000012/seen.jsonl",
    ];
    let kinds: [Exchange; 5] = [
        ("link", |file, copy, _| symlink(copy, file).unwrap()),
        ("link", |file, _, victim| symlink(victim, file).unwrap()),
        ("link", |file, _, _| symlink("/dev/zero", file).unwrap()),
        ("link", |file, _, _| symlink("nowhere", file).unwrap()),
        ("pipe", |file, _, _| {
            assert!(Command::new("mkfifo").arg(file).status().unwrap().success());
        }),
    ];
    for name in names {
        for (number, (kind, exchange)) in kinds.iter().enumerate() {
            let mut home = Home::new();
            let (file, copy) = (home.run().join(name), home.path("copy"));
            if fs::symlink_metadata(&file).is_ok() {
                fs::rename(&file, &copy).unwrap();
            }
            let victim = match copy.is_dir() {
                true => home.path("outside"),
                false => home.path("victim"),
            };
            exchange(&file, &copy, &victim);
            home.sentinels = home.outside();
            let what = format!("{name}, {kind} {number}");
            let said = match run(&home.run(), None) {
                Err(error) => error.to_string(),
                // The checkpoint before serves as well.
                Ok((damaged, _)) => {
                    assert!(name.starts_with("checkpoints/"), "{what}: nothing was said");
                    compare_with_whole(&home.run());
                    damaged.join("; ")
                }
            };
            let last = name.rsplit('/').next().unwrap();
            assert!(said.contains(last) && said.contains(kind), "{what}: {said}");
            home.check(&what);
            // What was exchanged is as it was, or stands aside with the checkpoint that it made useless.
            let aside = name.replacen(LAST, &format!("{LAST}-kept-1"), 1);
            let there = fs::symlink_metadata(home.run().join(aside));
            let there = there.or_else(|_| fs::symlink_metadata(&file));
            assert_eq!(there.unwrap().is_symlink(), *kind == "link", "{what}");
            // A new run has a place once the old one is moved aside.
            if number == 1 && name != ".lock" {
                start_over(&home, &what);
            }
        }
    }
}

/// Moves the run aside, starts it anew and runs it to its end.
fn start_over(home: &Home, what: &str) {
    let before = tree(&home.run());
    let place = Place::new(&home.experiment(), "erm", 0).unwrap();
    let old = aside(&home.experiment(), &place, &Stamp::now())
        .unwrap()
        .unwrap();
    let folder = RunFolder::create(&home.run(), &config(), &json!({}), &["seen.jsonl"]).unwrap();
    train(folder, None, None).unwrap();
    compare_with_whole(&home.run());
    home.check(what);
    let moved = |(path, content): (PathBuf, Vec<u8>)| {
        (old.join(path.strip_prefix(home.run()).unwrap()), content)
    };
    let mut after = tree(&old);
    after.remove(&old.join(".lock"));
    let mut expected: Files = before.into_iter().map(moved).collect();
    expected.remove(&old.join(".lock"));
    assert!(after == expected, "{what}: the old run has changed");
}

/// The folder of a run, and that of its arm, may be no links; that of the experiment may be reached through one.
#[test]
fn links_to_runs_are_refused() {
    for (link, to) in [("experiment/erm/seed-0", "seed"), ("experiment/erm", "arm")] {
        let home = Home::new();
        fs::rename(home.path(link), home.path(to)).unwrap();
        symlink(home.path(to), home.path(link)).unwrap();
        let before = tree(&home.path(to));
        for result in [
            RunFolder::state(&home.run(), &config()).map(drop),
            RunFolder::resume(&home.run(), &config(), &json!({}), &[]).map(drop),
            RunFolder::create(&home.run(), &config(), &json!({}), &[]).map(drop),
        ] {
            let error = result.unwrap_err();
            assert!(
                matches!(error, TrainError::Runs(RunsError::Link { .. })),
                "{error}"
            );
            assert!(
                error.to_string().contains(&format!("{link} is a link")),
                "{error}"
            );
        }
        assert!(tree(&home.path(to)) == before);
    }
    // One that leads nowhere is not made.
    let home = Home::new();
    fs::remove_dir_all(home.run()).unwrap();
    symlink(home.path("new"), home.run()).unwrap();
    assert!(run(&home.run(), None).is_err() && !home.path("new").exists());

    let home = Home::new();
    symlink(home.experiment(), home.path("root")).unwrap();
    run(&home.path("root/erm/seed-0"), None).unwrap();
    compare_with_whole(&home.run());
}

/// Every trick at once, beside things that must not change.
#[test]
fn a_folder_full_of_tricks() {
    for fresh in [false, true] {
        let mut home = Home::new();
        let run_folder = home.run();
        let victim = home.path("victim");
        let checkpoints = run_folder.join("checkpoints");
        let names = [
            "config.json.tmp",
            "config.json.partial",
            "environment.json.tmp",
            "curves.jsonl.tmp",
            "groups.jsonl.tmp",
            "timing.jsonl.tmp",
            "seen.jsonl.tmp",
            "DONE.tmp",
            "curves.jsonl.partial",
            "more.jsonl",
            ".gradual-abcdefghijklmnop",
            "checkpoints/.gradual-abcdefghijklmnop",
            "checkpoints/step-",
            "checkpoints/.removing-step-000000000008",
            "checkpoints/.writing-000000000020",
            "checkpoints/step-99999999999999999999",
            "checkpoints/step-000000000012/link",
        ];
        for name in names {
            symlink(&victim, run_folder.join(name)).unwrap();
        }
        for step in [16, 20, 24, 999_999_999_999_u64] {
            symlink(
                home.path("outside"),
                checkpoints.join(format!(".writing-{step:012}")),
            )
            .unwrap_or(());
            symlink(
                home.path("outside"),
                checkpoints.join(format!(".removing-step-{step:012}")),
            )
            .unwrap();
        }
        symlink(home.path("outside"), checkpoints.join("step-000000000099")).unwrap();
        // Journals and the lock are second names of something precious. What is no beginning of a journal is refused.
        let emptied = home.path("outside/emptied");
        fs::write(&emptied, "").unwrap();
        home.sentinels = home.outside();
        for (name, other) in [
            ("curves.jsonl", &emptied),
            ("groups.jsonl", &emptied),
            ("timing.jsonl", &emptied),
            ("seen.jsonl", &emptied),
            (".lock", &victim),
            ("environment.json", &victim),
        ] {
            let _ = fs::remove_file(run_folder.join(name));
            fs::hard_link(other, run_folder.join(name)).unwrap();
        }
        fs::write(run_folder.join("notes.jsonl"), "mine").unwrap();
        fs::write(checkpoints.join("notes.txt"), "mine").unwrap();
        fs::write(checkpoints.join("step-000000000008/notes.txt"), "mine").unwrap();
        forge(&checkpoints.join("step-000000000008"), |manifest| {
            manifest["files"]["../../../../victim"] = json!({"bytes": 7, "crc32": 0});
        });
        if fresh {
            start_over(&home, "every trick");
            continue;
        }
        let (damaged, mended) = run(&run_folder, None).unwrap();
        assert!(
            damaged[0].contains("step-000000000099 is a link"),
            "{damaged:?}"
        );
        assert_eq!(mended.len(), 4, "{mended:?}");
        compare_with_whole(&run_folder);
        home.check("every trick");
        for name in names {
            assert_eq!(
                fs::read_link(run_folder.join(name)).unwrap(),
                victim,
                "{name}"
            );
        }
        for name in [
            "notes.jsonl",
            "checkpoints/notes.txt",
            "checkpoints/step-000000000008/notes.txt",
        ] {
            assert_eq!(fs::read(run_folder.join(name)).unwrap(), b"mine", "{name}");
        }
    }
}

/// However many checkpoints are damaged, a message names a few; and whole ones are kept beside them.
#[test]
fn messages_stay_short() {
    let home = Home::new();
    let checkpoints = home.run().join("checkpoints");
    for step in 100..1_100 {
        let name = checkpoints.join(format!("step-{step:012}"));
        match step % 2 {
            0 => symlink("nowhere", name).unwrap(),
            _ => fs::create_dir(name).unwrap(),
        }
    }
    // What comes later and is damaged does not push out what the run keeps.
    for until in [13, 14] {
        let (damaged, _) = run(&home.run(), Some(until)).unwrap();
        assert_eq!(damaged.len(), 6, "{damaged:?}");
        assert_eq!(damaged[5], "995 more are damaged");
        for kept in [until - 1, until] {
            let kept = checkpoints.join(format!("step-{kept:012}"));
            assert!(kept.join("manifest.json").exists(), "{}", kept.display());
        }
    }
    let mut all = 0;
    for entry in fs::read_dir(&checkpoints).unwrap() {
        let path = entry.unwrap().path();
        all += 1;
        if path.join("model.bpk").exists() {
            fs::remove_file(path.join("model.bpk")).unwrap();
        }
    }
    let more = format!("{} more are damaged", all - 5);
    let said = run(&home.run(), None).unwrap_err().to_string();
    assert!(said.contains(&more) && said.len() < 3_000, "{}", said.len());
}

/// What a user keeps in a run folder stays there, also in a checkpoint that would go.
#[test]
fn files_of_others_stay() {
    let home = Home::new();
    let ours = [
        "notes.jsonl",
        "seen2.jsonl",
        "plot.svg",
        "config.json.bak",
        "checkpoints/notes.txt",
        "checkpoints/step-7",
        "checkpoints/best.bpk",
        "checkpoints/step-000000000012/notes.txt",
        "checkpoints/step-000000000008/notes.jsonl",
    ];
    for name in ours {
        fs::write(home.run().join(name), name).unwrap();
    }
    // This one is not whole, and its place is wanted again.
    fs::remove_file(home.run().join("checkpoints/step-000000000012/model.bpk")).unwrap();
    run(&home.run(), None).unwrap();
    compare_with_whole(&home.run());
    for name in ours {
        let kept = name.replace("000000000012/", "000000000012-kept-1/");
        assert_eq!(fs::read_to_string(home.run().join(kept)).unwrap(), name);
    }
    // What was left by writers that were killed does not.
    let home = Home::new();
    let left = home.run().join("checkpoints/.gradual-0123456789abcdef");
    fs::create_dir(&left).unwrap();
    fs::write(left.join("model.bpk"), "half").unwrap();
    fs::write(home.run().join(".gradual-0123456789ABCDEF"), "half").unwrap();
    run(&home.run(), None).unwrap();
    assert!(
        tree(&home.run())
            .keys()
            .all(|path| !path.to_string_lossy().contains(".gradual-"))
    );
}

/// A configuration that can't be read: the file, the reason, and the ways out.
#[test]
fn a_damaged_configuration_is_named_with_the_way_out() {
    let contents: [(&[u8], &str); 7] = [
        (b"", "EOF"),
        (b"{\"schema\":1,\"exper", "EOF"),
        (b"[]", "read run configuration"),
        (b"null", "read run configuration"),
        (b"{\"schema\":2,\"experiment\":\"regression\",\"arm\":\"erm\",\"seed\":0,\"steps\":20,\"draw\":8,\"backend\":\"flex\"}",
            "expected schema 1, got 2"),
        (NOT_UTF_8, "expected UTF-8 text"),
        (&[b' '; (16 << 20) + 1], "longer than 16777216 bytes"),
    ];
    for (content, reason) in contents {
        let home = Home::new();
        let file = home.run().join("config.json");
        fs::write(&file, content).unwrap();
        let before = tree(&home.run());
        for result in [
            RunFolder::state(&home.run(), &config()).map(drop),
            run(&home.run(), None).map(drop),
        ] {
            let said = result.unwrap_err().to_string();
            for part in ["config.json", reason, "--out", "--fresh"] {
                assert!(said.contains(part), "{part}: {said}");
            }
        }
        let mut after = tree(&home.run());
        after.remove(&home.run().join(".lock"));
        assert!(after.iter().all(|(path, content)| before[path] == *content));
        start_over(&home, reason);
    }
    let home = Home::new();
    let file = home.run().join("config.json");
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    let said = run(&home.run(), None).unwrap_err().to_string();
    assert!(
        said.contains("config.json is a folder, expected a file") && said.contains("--fresh"),
        "{said}"
    );
    // Without it nobody knows whose the rest is.
    fs::remove_dir(&file).unwrap();
    let said = run(&home.run(), None).unwrap_err().to_string();
    assert!(
        said.contains("is there, but config.json is missing") && said.contains("--fresh"),
        "{said}"
    );
    // Who may read everything is not kept out.
    fs::write(&file, "{}").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read(&file).is_err() {
        let said = run(&home.run(), None).unwrap_err().to_string();
        assert!(
            said.contains("config.json") && said.contains("--fresh"),
            "{said}"
        );
    }
}
