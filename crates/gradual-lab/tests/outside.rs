//! What the program writes, it writes into its folder of runs, whatever lies there.
#![cfg(target_os = "linux")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

/// System calls that make, change, move or remove files.
const CALLS: &str = "trace=open,openat,openat2,creat,mkdir,mkdirat,rename,renameat,renameat2,unlink,unlinkat,rmdir,link,\
                     linkat,symlink,symlinkat,truncate,chmod,fchmodat,chown,fchownat,lchown,mknod,mknodat,utimensat,\
                     setxattr,removexattr";

/// Runs `gradual-lab experiment ARGUMENTS` and returns the paths that it wrote or tried to write.
fn written(home: &Path, arguments: &[&str]) -> Vec<PathBuf> {
    let log = home.join("calls");
    let output = Command::new("strace")
        .args([
            "-f",
            "-y",
            "-qq",
            "-s",
            "4096",
            "-e",
            CALLS,
            "-e",
            "signal=none",
            "-o",
        ])
        .arg(&log)
        .arg(env!("CARGO_BIN_EXE_gradual-lab"))
        .arg("experiment")
        .args(arguments)
        .current_dir(home)
        .env("HOME", home.join("home"))
        .output()
        .expect("strace starts: `cargo xtask setup strace` installs it");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!said.contains("panicked"), "{said}");
    let calls = fs::read_to_string(&log).unwrap();
    let writes = |call: &&str| {
        !call.contains("open")
            || ["O_WRONLY", "O_RDWR", "O_CREAT"]
                .iter()
                .any(|flag| call.contains(flag))
    };
    let paths = calls.lines().filter(writes).flat_map(|call| {
        let parts: Vec<&str> = call.split('"').collect();
        let named = parts.chunks_exact(2).map(|pair| {
            // `5</folder>, "name"`: a path that is relative is so to this folder.
            let before = pair[0]
                .strip_suffix(">, ")
                .and_then(|text| text.rsplit_once('<'));
            before
                .map_or(home, |(_, folder)| Path::new(folder))
                .join(pair[1])
        });
        named.collect::<Vec<_>>()
    });
    paths.collect()
}

/// Paths that are neither in the folder nor the system's streams.
fn outside<'a>(folder: &Path, paths: &'a [PathBuf]) -> Vec<&'a PathBuf> {
    let devices = ["/dev/null", "/dev/tty"].map(Path::new);
    paths
        .iter()
        .filter(|path| !path.starts_with(folder) && !devices.contains(&path.as_path()))
        .collect()
}

/// Every file and folder below, with its content.
fn tree(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path.clone());
                found.push((path, Vec::new()));
            } else {
                found.push((path.clone(), fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

const SHORT: [&str; 6] = [
    "sparse-parity",
    "--quick",
    "--seeds=1",
    "--steps=40",
    "--draw=16",
    "--out=runs",
];

#[test]
#[ignore = "needs strace: `cargo xtask setup strace`; continuous integration runs it"]
fn a_run_its_resumption_and_its_report_write_into_their_folder() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path().canonicalize().unwrap();
    let arguments = |more: &[&'static str]| [&SHORT[..], more].concat();
    for more in [
        &["--arms=erm,svd"][..],
        &["--arms=erm,whitened"],
        &["--arms=erm", "--fresh"],
    ] {
        let paths = written(&home, &arguments(more));
        assert!(paths.len() > 10);
        let there = outside(&home.join("runs"), &paths);
        assert!(there.is_empty(), "{more:?}: {there:?}");
    }
}

/// A folder that somebody else made: links where files and folders of ours would be.
#[test]
#[ignore = "needs strace: `cargo xtask setup strace`; continuous integration runs it"]
fn links_in_a_folder_lead_nowhere() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path().canonicalize().unwrap();
    let victims = home.join("victims");
    let arguments = [&SHORT[..], &["--arms=erm"]].concat();
    for (link, folder) in [
        ("report", true),
        (".lock", false),
        ("experiment.json", false),
        ("experiment.json.tmp", false),
        ("erm", true),
        ("erm/seed-0", true),
        ("erm/seed-0/.lock", false),
        ("erm/seed-0/config.json", false),
        ("erm/seed-0/config.json.tmp", false),
        ("erm/seed-0/environment.json", false),
        ("erm/seed-0/curves.jsonl", false),
        ("erm/seed-0/groups.jsonl", false),
        ("erm/seed-0/timing.jsonl", false),
        ("erm/seed-0/DONE", false),
        ("erm/seed-0/DONE.tmp", false),
        ("erm/seed-0/checkpoints", true),
        ("erm/seed-0/checkpoints/.writing-000000000000", true),
    ] {
        let _ = fs::remove_dir_all(home.join("runs"));
        let _ = fs::remove_dir_all(&victims);
        fs::create_dir_all(victims.join("folder")).unwrap();
        fs::write(victims.join("folder/step-000000000001"), "mine").unwrap();
        fs::write(victims.join("folder/index.html"), "mine").unwrap();
        fs::write(victims.join("file"), "mine").unwrap();
        let place = home.join("runs/sparse-parity-quick").join(link);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        let victim = if folder { "folder" } else { "file" };
        symlink(victims.join(victim), &place).unwrap();
        let before = tree(&victims);
        let paths = written(&home, &arguments);
        assert_eq!(tree(&victims), before, "{link}");
        let there = outside(&home.join("runs"), &paths);
        assert!(there.is_empty(), "{link}: {there:?}");
    }
}
