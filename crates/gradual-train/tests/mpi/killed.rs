//! Four processes, of which one is killed at some moment, again and again: the others end, and the next four go on to the
//! same bits.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use burn::optim::SgdConfig;
use burn::optim::momentum::MomentumConfig;
use burn::tensor::Device;
use gradual_group::KMeans;
use gradual_loss::SumOfSquares;
use gradual_train::{
    Collective as _, Keep, MpiRank, Objective, Ranks, RunFolder, Trainer, TrainerConfig,
};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use crate::common::products::{Products, weights};
use crate::written::written;

/// The argument that makes this program one rank of a run in the folder that follows.
pub(crate) const TRAIN: &str = "--train-in";

const RANKS: usize = 4;
const KILLS: u32 = 10;
const STEPS: u64 = 1_000;
const EVERY: u64 = 50;
/// Within which the others must have ended.
const LIMIT: Duration = Duration::from_secs(60);
/// How names of the environment begin that a rank has.
const OF_RANKS: [&str; 5] = ["OMPI_COMM", "OMPI_MCA_orte", "PMIX_", "PMI_", "MPIR_"];
/// What the last step left, beside the folder of the run.
const WEIGHTS: &str = "weights";

/// Trains on this rank among others, in a folder that rank 0 writes.
pub(crate) fn train(home: &Path) {
    let rank = MpiRank::start().expect("MPI starts once");
    let own = rank.rank();
    let id = std::process::id().to_string();
    fs::write(home.join(format!("rank-{own}")), id).expect("a folder that can be written");
    let ranks = Ranks::new(rank);
    let task = Products::new(0.0);
    let config = TrainerConfig {
        steps: STEPS,
        draw: 32,
        parts: 4,
        every: 100,
        seed: 3,
        ..TrainerConfig::default()
    };
    let written = written(STEPS);
    let objective = Objective::new(KMeans::new(3, 1), SumOfSquares);
    let optimizer = SgdConfig::new().with_momentum(Some(MomentumConfig::new()));
    let device = Device::flex();
    let trainer = Trainer::new(&task, objective, optimizer.init(), &device, config);
    let trainer = trainer.with_rate(0.01).with_ranks(&ranks);
    let trainer = match ranks.is_first() {
        false => trainer,
        true => {
            let resumed = RunFolder::resume(&home.join("run"), &written, &json!({}), &[]);
            let resumed = resumed.expect("a folder to go on in");
            let folder = resumed.folder.with_checkpoints(EVERY, Keep::default());
            trainer.observe(folder).resume(resumed.snapshot)
        }
    };
    let ended = trainer.run().expect("a run to its last step");
    assert_eq!(ended.step, STEPS);
    if own == 0 {
        let last = weights(&ended.model);
        let last: Vec<u8> = last
            .iter()
            .flat_map(|weight| weight.to_le_bytes())
            .collect();
        fs::write(home.join(WEIGHTS), last).expect("a folder that can be written");
    }
}

/// Whether there is an `mpirun`; says so where there is none.
pub(crate) fn has_mpirun() -> bool {
    let there = Command::new("mpirun").arg("--version").output().is_ok();
    if !there {
        println!("there is no mpirun, so one process is all that is tested");
    }
    there
}

/// Four ranks of a run in this folder.
fn start(home: &Path) -> Child {
    for rank in 0..RANKS {
        drop(fs::remove_file(home.join(format!("rank-{rank}"))));
    }
    four(&[TRAIN.as_ref(), home.as_os_str()])
}

/// This program on four ranks.
fn four(arguments: &[&OsStr]) -> Child {
    let program = std::env::current_exe().expect("this program");
    let mut command = Command::new("mpirun");
    command
        .args(["-n", &RANKS.to_string(), "--oversubscribe"])
        .arg(program)
        .args(arguments)
        // Where tests run as root, in a container.
        .envs([
            ("OMPI_ALLOW_RUN_AS_ROOT", "1"),
            ("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"),
        ])
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    // This process has been a rank of its own, and `mpirun` would take itself for one.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if OF_RANKS.iter().any(|start| text.starts_with(start)) {
            command.env_remove(&name);
        }
    }
    command.spawn().expect("mpirun")
}

/// The process of a rank, once it runs.
fn process_of(home: &Path, rank: usize) -> u32 {
    let file = home.join(format!("rank-{rank}"));
    let began = Instant::now();
    loop {
        let read = fs::read_to_string(&file).ok();
        if let Some(id) = read.and_then(|id| id.parse().ok()) {
            return id;
        }
        assert!(began.elapsed() < LIMIT, "rank {rank} does not begin");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Waits for the end, within a limit, and returns whether it was a good one and what was said.
fn end(mut child: Child, limit: Duration) -> (bool, String) {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("mpirun") {
            let mut said = String::new();
            let mut from = child.stderr.take().expect("its standard error");
            std::io::Read::read_to_string(&mut from, &mut said).expect("text");
            return (status.success(), said);
        }
        if began.elapsed() > limit {
            drop(child.kill());
            panic!("mpirun and its ranks have not ended after {limit:?}");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Four processes make the steps of one.
pub(crate) fn steps_of_several() {
    let (fine, said) = end(four(&[]), Duration::from_secs(600));
    assert!(fine, "{said}");
    println!("{RANKS} processes make the steps of one");
}

/// Kills one of four ranks at ten moments of one run, which is then the same as one that nobody has disturbed.
pub(crate) fn at_random_moments() {
    // In memory where that can be had: a process that waits for a disk ends when the disk has answered, and not before.
    let memory = Path::new("/dev/shm");
    let homes = ["whole", "killed"].map(|_| {
        let made = match memory.is_dir() {
            true => tempfile::tempdir_in(memory),
            false => tempfile::tempdir(),
        };
        made.expect("a temporary folder")
    });
    let [whole, killed] = homes.each_ref().map(tempfile::TempDir::path);
    let child = start(whole);
    for rank in 0..RANKS {
        process_of(whole, rank);
    }
    let began = Instant::now();
    let (fine, said) = end(child, Duration::from_secs(600));
    assert!(fine, "{said}");
    let whole_time = began.elapsed();
    let mut random = ChaCha8Rng::seed_from_u64(22);
    let mut slowest = Duration::ZERO;
    for kill in 0..KILLS {
        let rank = random.random_range(0..RANKS);
        let moment = whole_time.mul_f64(random.random_range(0.0..1.5) / f64::from(KILLS));
        let child = start(killed);
        let processes: Vec<u32> = (0..RANKS).map(|rank| process_of(killed, rank)).collect();
        std::thread::sleep(moment);
        let signal = ["-9".to_owned(), processes[rank].to_string()];
        let sent = Command::new("kill").args(signal).status().expect("kill");
        let at = format!("kill {kill}: rank {rank} after {moment:?}");
        assert!(sent.success(), "{at}: the run had ended");
        let began = Instant::now();
        let (fine, said) = end(child, LIMIT);
        slowest = slowest.max(began.elapsed());
        assert!(
            !fine && said.contains(&format!("rank {rank} ")),
            "{at}: {said}"
        );
    }
    let (fine, said) = end(start(killed), Duration::from_secs(600));
    assert!(fine, "{said}");
    for name in [WEIGHTS, "run/curves.jsonl", "run/groups.jsonl"] {
        let [one, other] = [whole, killed].map(|home| fs::read(home.join(name)).expect(name));
        assert!(!one.is_empty() && one == other, "{name} differs");
    }
    println!(
        "{KILLS} times one of {RANKS} processes was killed: the others ended within {slowest:?}, and the run is the same"
    );
}
