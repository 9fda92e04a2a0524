//! A job array on a Slurm that runs: tasks that are cancelled, and tasks whose time ends.
//!
//! It is ignored, for it needs a node: as root, `tests/slurm/node start DIR` starts one on the loopback address, and prints what to
//! export. It takes some minutes, which are the scheduler's.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Six runs. Each of the slow arm takes more than the minute that a task has.
const RUNS: [&str; 8] = [
    "sparse-parity",
    "--quick",
    "--arms=erm",
    "--arm=slow=like:erm,slowdown:15",
    "--seeds=3",
    "--steps=4000",
    "--jobs=1",
    "--out=runs",
];
const TASKS: usize = 6;
const LONGEST: Duration = Duration::from_secs(1500);

fn output(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

fn lab(home: &Path, arguments: &[&str]) -> String {
    let mut program = Command::new(env!("CARGO_BIN_EXE_gradual-lab"));
    output(program.current_dir(home).args(arguments).args(RUNS))
}

/// The states of the tasks of a job by their numbers, with how often each was begun again.
fn states(job: &str) -> BTreeMap<u64, (String, u64)> {
    let said = output(Command::new("scontrol").args(["show", "job", job, "--oneliner"]));
    let field = |line: &str, name: &str| {
        let mut words = line.split_whitespace();
        words
            .find_map(|word| word.strip_prefix(name))
            .map(str::to_owned)
    };
    let tasks = said.lines().filter_map(|line| {
        let number = field(line, "ArrayTaskId=")?.parse().ok()?;
        let restarts = field(line, "Restarts=")?.parse().ok()?;
        Some((number, (field(line, "JobState=")?, restarts)))
    });
    tasks.collect()
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    for arm in ["erm", "slow"] {
        for seed in 0..3 {
            for name in ["config.json", "curves.jsonl", "groups.jsonl"] {
                let name = format!("{arm}/seed-{seed}/{name}");
                let bytes = fs::read(folder.join(&name));
                all.insert(
                    name.clone(),
                    bytes.unwrap_or_else(|error| panic!("{name}: {error}")),
                );
            }
        }
    }
    for name in [
        "experiment.json",
        "report/tables/verdicts.csv",
        "report/tables/curves.csv",
    ] {
        all.insert(name.to_owned(), fs::read(folder.join(name)).unwrap());
    }
    all
}

#[test]
#[ignore = "needs a node of Slurm, and takes minutes"]
fn an_array_ends_with_the_runs_of_one_machine() {
    let (home, alone) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let home = home.path();
    let script = lab(home, &["cluster", "slurm", "--time=1", "--memory=500"]);
    fs::write(home.join("job.sbatch"), script).unwrap();
    let mut sbatch = Command::new("sbatch");
    let job = output(sbatch.current_dir(home).args(["--parsable", "job.sbatch"]));
    let job = job.trim();

    let folder = home.join("runs/sparse-parity-quick");
    let begun = |task: &str| folder.join(task).join("checkpoints").is_dir();
    let started = Instant::now();
    let wait = |what: &str, done: &dyn Fn() -> bool| {
        while !done() {
            assert!(started.elapsed() < LONGEST, "{what}: {:?}", states(job));
            sleep(Duration::from_millis(500));
        }
    };
    // The second run, which is a slow one, is cancelled while it runs, and stays so.
    wait("begin", &|| begun("slow/seed-0"));
    output(Command::new("scancel").arg(format!("{job}_1")));
    wait("cancel", &|| states(job)[&1].0 == "CANCELLED");
    assert_eq!(states(job)[&1].1, 0);
    // Somebody queues it again.
    output(Command::new("scontrol").args(["requeue", &format!("{job}_1")]));
    let done = || {
        let seeds =
            ["erm", "slow"].map(|arm| (0..3).map(move |seed| format!("{arm}/seed-{seed}/DONE")));
        seeds
            .into_iter()
            .flatten()
            .filter(|name| folder.join(name).exists())
            .count()
    };
    wait("end", &|| done() == TASKS);
    wait("all", &|| {
        states(job).values().all(|(state, _)| state == "COMPLETED")
    });
    let states = states(job);
    let restarts = states.values().map(|(_, restarts)| restarts);
    assert!(
        restarts.sum::<u64>() > 1,
        "no task's time ended: {states:?}"
    );
    lab(home, &["experiment", "--collect"]);

    lab(alone.path(), &["experiment"]);
    let [array, alone] =
        [&folder, &alone.path().join("runs/sparse-parity-quick")].map(|folder| files(folder));
    for (name, bytes) in &alone {
        assert!(bytes == &array[name], "{name} differs");
    }
}
