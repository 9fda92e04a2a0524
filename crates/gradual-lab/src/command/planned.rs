//! The runs that a command line asks for, as a scheduler has to know them.

use std::ffi::OsString;
use std::path::PathBuf;

use anyhow::bail;
use gradual::runs::Run;
use gradual::runs::streams::tell;
use gradual::train::FolderState;

use super::{chosen, flags, of_file, planned, read};
use crate::runner::Job;

/// One run that is done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    /// The number of the arm among those of the plan.
    pub(crate) arm: usize,
    pub(crate) seconds: f64,
    /// Most bytes of its process.
    pub(crate) peak_memory: Option<u64>,
}

/// The runs that arguments of `experiment` ask for, as a scheduler has to know them.
pub(crate) struct Planned {
    /// The name of the folder of the experiment.
    pub(crate) name: String,
    /// All runs.
    pub(crate) count: u64,
    /// The numbers of those that are not done.
    pub(crate) open: Vec<u64>,
    /// The steps of each arm.
    pub(crate) steps: Vec<u64>,
    /// The runs that are done.
    pub(crate) measured: Vec<Measured>,
    /// The folder of the experiment, and the one that it stands in.
    pub(crate) folder: PathBuf,
    pub(crate) out: PathBuf,
}

/// Reads arguments of `experiment`, and looks at what there is of their runs.
///
/// # Errors
///
/// Where one is wrong, or asks for something else than the runs of one experiment.
pub(crate) fn plan_of(arguments: &[OsString]) -> anyhow::Result<Planned> {
    let flags::Parsed {
        matches,
        file,
        text,
    } = flags::parse(arguments)?;
    let (which, asked) = read(&matches)?;
    if which.list || which.show.is_some() || which.is_all() || asked.part.is_given() || asked.fresh
    {
        bail!(
            "a job has the runs of one experiment, and resumes them: leave out all, --list, --show, --fresh, --plan, \
             --only, --shard and --collect"
        );
    }
    let out = asked.out.clone().unwrap_or_else(|| PathBuf::from("runs"));
    if out.exists() && !out.is_dir() {
        bail!("--out is {}, which is no folder", out.display());
    }
    let mut experiment = of_file(&file, &text, &matches, &asked)?;
    let arms = chosen(&mut experiment, &asked)?;
    let plan = planned(&experiment, arms, &asked)?;
    plan.check()?;
    let runs: Vec<Job<'_>> = plan.runs().collect::<anyhow::Result<_>>()?;
    plan.check_comparable(&[])?;
    let (mut open, mut measured) = (Vec::new(), Vec::new());
    for run in runs {
        match run.state {
            FolderState::Done => {}
            FolderState::Locked => {
                tell(format_args!(
                    "note: {}/seed-{} is left out: another program is at work on it",
                    run.arm.name, run.seed
                ));
                continue;
            }
            FolderState::Empty | FolderState::Unfinished => {
                open.push(run.number);
                continue;
            }
        }
        let arm = plan.arms.iter().position(|arm| arm.name == run.arm.name);
        let done = Run::read(&run.place)?;
        let last = done.and_then(|mut done| done.timings.pop());
        measured.extend(arm.zip(last).map(|(arm, last)| Measured {
            arm,
            seconds: last.seconds,
            peak_memory: last.peak_memory,
        }));
    }
    let name = plan.folder.file_name().unwrap_or_default();
    Ok(Planned {
        name: name.to_string_lossy().into_owned(),
        count: plan.count(),
        open,
        steps: plan.arms.iter().map(|arm| plan.steps(arm)).collect(),
        measured,
        folder: plan.folder.clone(),
        out,
    })
}
