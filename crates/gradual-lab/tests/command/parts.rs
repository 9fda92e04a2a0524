//! Runs of one experiment by several programs, as a scheduler starts them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

/// Four runs: two arms, two seeds.
const RUNS: [&str; 7] = [
    "--quick",
    "--arms=erm,grouped",
    "--seeds=2",
    "--steps=30",
    "--draw=32",
    "--jobs=1",
    "--out=runs",
];

/// A program in this folder, outside any job.
fn program(home: &Path, command: &str) -> Command {
    let mut program = Command::new(env!("CARGO_BIN_EXE_gradual-lab"));
    program.arg(command).current_dir(home);
    for name in [
        "SLURM_ARRAY_TASK_ID",
        "SLURM_ARRAY_TASK_COUNT",
        "JOB_COMPLETION_INDEX",
        "JOB_COMPLETIONS",
    ] {
        program.env_remove(name);
    }
    program
}

fn said(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

fn experiment(home: &Path, more: &[&str]) -> String {
    let output = program(home, "experiment")
        .args(RUNS)
        .args(more)
        .output()
        .unwrap();
    let (out, err) = said(&output);
    assert!(output.status.success(), "{more:?}: {err}");
    out
}

fn refused(home: &Path, more: &[&str]) -> String {
    let output = program(home, "experiment")
        .args(RUNS)
        .args(more)
        .output()
        .unwrap();
    let (_, err) = said(&output);
    assert!(!output.status.success(), "{more:?} must fail");
    err
}

/// Every file under a folder, by its path in it.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => open.push(path),
                false => {
                    let name = path.strip_prefix(folder).unwrap();
                    all.insert(name.display().to_string(), fs::read(&path).unwrap());
                }
            }
        }
    }
    all
}

#[test]
fn runs_in_parts_come_to_the_report_of_one_program() {
    let (whole, parts) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    experiment(whole.path(), &[]);
    let home = parts.path();

    let plan = experiment(home, &["--plan"]);
    let plan: Vec<Value> = plan
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let runs: Vec<(u64, &str, u64)> = plan
        .iter()
        .map(|run| {
            assert_eq!(run["state"], "not begun");
            assert_eq!(run["config"]["steps"], 30);
            assert_eq!(run["config"]["arm"], run["arm"]);
            let number = |name: &str| run[name].as_u64().unwrap();
            (
                number("index"),
                run["arm"].as_str().unwrap(),
                number("seed"),
            )
        })
        .collect();
    let expected = [
        (0, "erm", 0),
        (1, "grouped", 0),
        (2, "erm", 1),
        (3, "grouped", 1),
    ];
    assert_eq!(runs, expected);
    assert!(!home.join("runs").exists(), "a plan writes nothing");

    let folder = experiment(home, &["--only", "3"]);
    assert_eq!(folder.trim(), "runs/sparse-parity-quick");
    let folder = home.join(folder.trim());
    let done = |arm: &str, seed: u64| folder.join(arm).join(format!("seed-{seed}/DONE")).exists();
    assert!(done("grouped", 1) && !done("erm", 0) && !done("erm", 1) && !done("grouped", 0));
    assert!(!folder.join("report").exists(), "the report is collected");
    experiment(home, &["--shard", "0/2"]);
    assert!(done("erm", 0) && done("erm", 1) && !done("grouped", 0));
    let message = refused(home, &["--collect"]);
    assert!(
        message.contains("1 of 4 runs is not done: 1 (grouped/seed-0, not begun)"),
        "{message}"
    );
    // What is done is not run again, by whatever share.
    let before = fs::metadata(folder.join("grouped/seed-1/DONE")).unwrap();
    experiment(home, &["--only=3,2"]);
    let after = fs::metadata(folder.join("grouped/seed-1/DONE")).unwrap();
    assert_eq!(before.modified().unwrap(), after.modified().unwrap());
    // The scheduler's number.
    let array = program(home, "experiment")
        .args(RUNS)
        .arg("--only")
        .env("SLURM_ARRAY_TASK_ID", "1")
        .output()
        .unwrap();
    assert!(array.status.success(), "{}", said(&array).1);
    assert!(done("grouped", 0));
    let plan = experiment(home, &["--plan"]);
    assert_eq!(plan.matches("\"state\":\"done\"").count(), 4, "{plan}");
    let page = experiment(home, &["--collect"]);
    assert_eq!(page.trim(), "runs/sparse-parity-quick/report/index.html");

    // The seconds that it took are all that differs.
    let timed = [
        "report/index.html",
        "report/summary.json",
        "report/files.json",
        "report/figures/overlay.csv",
        "report/figures/overlay-mean-seconds.svg",
        "report/tables/metrics.csv",
        "report/tables/runs.csv",
    ];
    let [whole, parts] =
        [whole.path(), home].map(|home| files(&home.join("runs/sparse-parity-quick")));
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&whole), names(&parts));
    let of_a_run = ["DONE", "timing.jsonl", "manifest.json"];
    let differing = whole.iter().filter(|(name, bytes)| parts[*name] != **bytes);
    let differing = differing.map(|(name, _)| name.as_str());
    let unexpected: Vec<&str> = differing
        .filter(|name| !timed.contains(name) && !name.contains("/checkpoints/"))
        .filter(|name| !of_a_run.iter().any(|file| name.ends_with(file)))
        .collect();
    assert_eq!(unexpected, [""; 0]);
}

#[test]
fn parts_that_make_no_sense_are_refused() {
    let home = tempfile::tempdir().unwrap();
    for (more, expected) in [
        (&["--only", "4"][..], "the runs are numbered from 0 to 3"),
        (&["--only", "x"], "'x' is no number of a run"),
        (&["--only"], "SLURM_ARRAY_TASK_ID"),
        (&["--shard"], "JOB_COMPLETIONS"),
        (&["--shard", "2/2"], "numbered from 0"),
        (&["--shard", "1"], "it is I/N"),
        (&["--plan", "--collect"], "cannot be used with"),
        (&["--only", "1", "--shard", "0/2"], "cannot be used with"),
        (&["--only", "1", "--fresh"], "cannot be used with"),
        (&["--collect"], "4 of 4 runs are not done"),
    ] {
        let message = refused(home.path(), more);
        assert!(message.contains(expected), "{more:?}: {message}");
        assert!(
            !home.path().join("runs").exists(),
            "{more:?} wrote something"
        );
    }
    let many = program(home.path(), "experiment")
        .args(["--plan", "--arms=erm,grouped,svd", "--seeds=10000"])
        .output()
        .unwrap();
    assert!(said(&many).1.contains("at most 20000"), "{}", said(&many).1);
    let all = program(home.path(), "experiment")
        .args(["all", "--quick", "--shard", "0/2"])
        .output()
        .unwrap();
    assert!(
        said(&all).1.contains("are of one experiment"),
        "{}",
        said(&all).1
    );
}

fn cluster(home: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = program(home, "cluster")
        .args(arguments)
        .args(RUNS)
        .output()
        .unwrap();
    let (out, err) = said(&output);
    match output.status.success() {
        true => Ok(out),
        false => Err(err),
    }
}

#[test]
fn jobs_are_measured_by_a_run() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let message = cluster(home, &["slurm", "sparse-parity"]).unwrap_err();
    assert!(
        message.contains("--only 0") && message.contains("--time"),
        "{message}"
    );
    let message = cluster(home, &["slurm", "all"]).unwrap_err();
    assert!(
        message.contains("a job has the runs of one experiment"),
        "{message}"
    );
    for (arguments, expected) in [
        (&["slurm", "sparse-parity", "--"][..], "leave out '--'"),
        (&["slurm", "table", "--data", "-"], "no standard input"),
        (
            &["slurm", "sparse-parity", "--only", "1"],
            "a job has the runs of one",
        ),
    ] {
        let message = cluster(home, arguments).unwrap_err();
        assert!(message.contains(expected), "{arguments:?}: {message}");
    }
    let json = experiment(home, &["--only", "2", "--json"]);
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["folder"], "runs/sparse-parity-quick");
    let script = cluster(home, &["slurm", "--parallel", "2", "sparse-parity"]).unwrap();
    for line in [
        "#SBATCH --array=0-1,3%2",
        "#SBATCH --time=2",
        "#SBATCH --cpus-per-task=1",
        "export RAYON_NUM_THREADS=1",
    ] {
        assert!(script.lines().any(|one| one == line), "{line}: {script}");
    }
    let memory = script.lines().find_map(|line| {
        let number = line.strip_prefix("#SBATCH --mem=")?.strip_suffix('M')?;
        number.parse::<u64>().ok()
    });
    assert!((64..4096).contains(&memory.unwrap()), "{script}");
    let job = cluster(
        home,
        &[
            "kubernetes",
            "--image=a/b:1",
            "--claim=disk",
            "sparse-parity",
        ],
    );
    assert!(job.unwrap_err().contains("absolute path"));
    let job = cluster(home, &["kubernetes", "sparse-parity"]).unwrap_err();
    assert!(job.contains("--image"), "{job}");
    let line = cluster(home, &["local", "--time=9", "--memory=77", "sparse-parity"]).unwrap();
    assert!(
        line.contains("--memfree 77M") && line.trim_end().ends_with("::: 0 1 3"),
        "{line}"
    );
    // What stands for the number is none of parallel's own signs, which a name may hold.
    assert!(
        line.contains("-I RUN0 ") && line.contains("--only RUN0'"),
        "{line}"
    );
}

/// Slurm refuses an array whose numbers are too large, so its user is told of it.
#[test]
fn an_array_that_slurm_may_refuse_has_a_note() {
    let home = tempfile::tempdir().unwrap();
    let said_of = |seeds: &str| {
        let output = program(home.path(), "cluster")
            .args(["slurm", "--time=1", "--memory=9", "sparse-parity", seeds])
            .output()
            .unwrap();
        assert!(output.status.success());
        said(&output).1
    };
    assert!(said_of("--seeds=2000").contains("MaxArraySize"));
    assert!(!said_of("--seeds=100").contains("MaxArraySize"));
}

/// Whatever folders and arguments are called, a shell and a cluster take them as they are.
#[cfg(unix)]
#[test]
fn odd_names_come_through_scripts_and_jobs() {
    let home = tempfile::tempdir().unwrap();
    let odd = home.path().join("it's #1 \"a\\b\"\u{202e}");
    fs::create_dir(&odd).unwrap();
    let limits = ["--time=1", "--memory=9"];
    let script = cluster(&odd, &["slurm", limits[0], limits[1], "sparse-parity"]).unwrap();
    assert!(!script.contains('\u{202e}'), "{script}");
    let cd = script.lines().find(|line| line.starts_with("cd ")).unwrap();
    let told = Command::new("bash")
        .args(["-c", &format!("{cd}; pwd")])
        .output()
        .unwrap();
    assert_eq!(said(&told).0.trim_end(), odd.to_str().unwrap());

    let out = format!("{}/$(X)$y\u{202e}", home.path().display());
    let job = program(home.path(), "cluster")
        .args(["kubernetes", "--image=a", "--claim=b", limits[0], limits[1]])
        .args(["sparse-parity", "--seeds=1", "--out", &out])
        .output()
        .unwrap();
    let (text, err) = said(&job);
    assert!(job.status.success(), "{err}");
    assert!(!text.contains('\u{202e}'), "{text}");
    let job: Value = serde_json::from_str(&text).unwrap();
    let pod = &job["spec"]["template"]["spec"]["containers"][0];
    // A dollar sign of an argument is doubled, so that it stands for no variable; a path of a mount is no argument.
    let arguments: Vec<&str> = pod["command"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one.as_str().unwrap())
        .collect();
    assert!(
        arguments.contains(&out.replace('$', "$$").as_str()),
        "{arguments:?}"
    );
    assert_eq!(pod["volumeMounts"][0]["mountPath"], out);
}

/// The script of an array, as Slurm runs it for one task.
#[cfg(unix)]
struct Task<'a> {
    home: &'a Path,
    script: &'a Path,
}

#[cfg(unix)]
impl Task<'_> {
    /// Where what the script asks of the scheduler is written down.
    fn asked(&self) -> std::path::PathBuf {
        self.home.join("asked")
    }

    fn begin(&self, number: u64) -> std::process::Child {
        use std::os::unix::fs::PermissionsExt as _;
        use std::os::unix::process::CommandExt as _;

        let tools = self.home.join("tools");
        fs::create_dir_all(&tools).unwrap();
        let scontrol = tools.join("scontrol");
        fs::write(&scontrol, "#!/bin/sh\necho \"$@\" >> \"$ASKED\"\n").unwrap();
        fs::set_permissions(&scontrol, fs::Permissions::from_mode(0o755)).unwrap();
        let path = std::env::var("PATH").unwrap();
        Command::new("bash")
            .arg(self.script)
            .current_dir(self.home)
            .env("PATH", format!("{}:{path}", tools.display()))
            .env("ASKED", self.asked())
            .env("SLURM_ARRAY_JOB_ID", "77")
            .env("SLURM_ARRAY_TASK_ID", number.to_string())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap()
    }
}

#[cfg(unix)]
#[test]
fn a_task_that_is_told_to_end_keeps_what_it_has_and_asks_to_be_queued_again() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    let long = [
        "--time=5",
        "--memory=500",
        "sparse-parity",
        "--steps=4000",
        "--checkpoint-every=50",
    ];
    let output = program(home, "cluster")
        .arg("slurm")
        .args(long)
        .args(RUNS.iter().filter(|flag| !flag.starts_with("--steps")))
        .output()
        .unwrap();
    let (text, err) = said(&output);
    assert!(output.status.success(), "{err}");
    let script = home.join("job.sbatch");
    fs::write(&script, text).unwrap();
    let task = Task {
        home,
        script: &script,
    };
    let run = home.join("runs/sparse-parity-quick/grouped/seed-0");
    let mut child = task.begin(1);
    let started = Instant::now();
    let begun = || {
        let folders = fs::read_dir(run.join("checkpoints"));
        folders.is_ok_and(|mut folders| folders.next().is_some())
    };
    while !begun() {
        assert!(
            started.elapsed() < Duration::from_secs(120),
            "it did not begin"
        );
        assert!(child.try_wait().unwrap().is_none(), "it ended");
        sleep(Duration::from_millis(20));
    }
    // Cancelled, it keeps what it has, too, but is not queued again. Slurm tells every process of the task, and the script
    // tells the program once more.
    let before = checkpoints(&run);
    signal_group(&child, "-TERM");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(!task.asked().exists() && !run.join("DONE").exists());
    assert!(checkpoints(&run) > before, "it kept nothing of what it had");
    // At the end of its time, it is.
    let last = || last_line(&run.join("curves.jsonl"));
    let before = last();
    let mut child = task.begin(1);
    while last() == before {
        assert!(child.try_wait().unwrap().is_none(), "it ended");
        sleep(Duration::from_millis(20));
    }
    signal(&child, "-USR1");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(fs::read_to_string(task.asked()).unwrap(), "requeue 77_1\n");
    assert!(!run.join("DONE").exists());
    // It goes on, and asks for nothing more.
    assert_eq!(task.begin(1).wait().unwrap().code(), Some(0));
    assert!(run.join("DONE").exists());
    assert_eq!(fs::read_to_string(task.asked()).unwrap(), "requeue 77_1\n");
}

/// The last checkpoint of a run, by its step.
#[cfg(unix)]
fn checkpoints(run: &Path) -> Option<std::ffi::OsString> {
    let folders = fs::read_dir(run.join("checkpoints")).ok()?;
    folders.map(|folder| folder.unwrap().file_name()).max()
}

#[cfg(unix)]
fn signal_group(child: &std::process::Child, signal: &str) {
    let group = format!("-{}", child.id());
    let sent = Command::new("kill").args([signal, "--", &group]).status();
    assert!(sent.unwrap().success());
}

#[cfg(unix)]
fn signal(child: &std::process::Child, signal: &str) {
    let pid = child.id().to_string();
    let sent = Command::new("kill").args([signal, &pid]).status();
    assert!(sent.unwrap().success());
}

#[cfg(unix)]
fn last_line(file: &Path) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    text.lines().last().map(str::to_owned)
}
