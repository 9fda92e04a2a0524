//! A job array of Slurm: a task for each run.

use super::Task;
use crate::command::quoted;

/// Largest number of a task that Slurm takes where a site has not set another `MaxArraySize` than the 1001 of its documentation.
const LARGEST: u64 = 1000;

/// What to know where Slurm may not take the numbers of the tasks.
pub(super) fn too_many(task: &Task) -> Option<String> {
    let &largest = task.open.last()?;
    (largest > LARGEST).then(|| {
        format!(
            "the array goes up to task {largest}, and Slurm takes numbers below its MaxArraySize, which is {} unless your site has set \
             another (scontrol show config): with that, choose some arms at a time (--arms)",
            LARGEST + 1
        )
    })
}

/// The script for `sbatch`.
///
/// Before its time ends, Slurm sends a task SIGUSR1. The script tells the program to end, which writes a checkpoint, and puts
/// the task into the queue again: it goes on where it was. SIGTERM is what `scancel` sends, to every process of the task: the
/// program ends in the same way, but the task is not queued again, for nobody could cancel it otherwise.
pub(super) fn script(task: &Task) -> String {
    let Task {
        name,
        count,
        cost,
        threads,
        ..
    } = task;
    let folder = quoted(task.folder.as_os_str());
    let ranges = task.ranges();
    let at_once = task
        .parallel
        .map_or_else(String::new, |tasks| format!("%{tasks}"));
    let commit = task.commit.as_ref().map_or_else(String::new, |commit| {
        format!("export GRADUAL_COMMIT={}\n", quoted(commit.as_ref()))
    });
    let program = quoted(task.program.as_os_str());
    let arguments = task.quoted();
    let collect = task.collect(&program);
    // Seconds before the end of its time at which a task is told, and minutes as Slurm counts them.
    let warning = 60.min(cost.minutes * 30);
    format!(
        r#"#!/bin/bash
# The {} of {count} runs of {name} that are not done, a task each. Once all are:
#   {collect}
#SBATCH --job-name={}
#SBATCH --array={ranges}{at_once}
#SBATCH --ntasks=1
#SBATCH --cpus-per-task={threads}
#SBATCH --mem={}M
#SBATCH --time={}
#SBATCH --signal=B:USR1@{warning}
#SBATCH --requeue
#SBATCH --open-mode=append
cd {folder} || exit 1
export RAYON_NUM_THREADS={threads}
{commit}
{program} experiment {arguments} --only &
run=$!
again=no
# Its time is over: stop with a checkpoint, and go on later.
trap 'again=yes; kill -TERM "$run" 2>/dev/null' USR1
# It was cancelled: stop with a checkpoint.
trap 'kill -TERM "$run" 2>/dev/null' TERM INT
# A signal ends a wait before the program ends; the last one has the program's own code.
wait "$run"
while kill -0 "$run" 2>/dev/null; do
    wait "$run"
done
wait "$run"
code=$?
if [ "$again" = yes ] && [ "$code" -eq 130 ]; then
    scontrol requeue "${{SLURM_ARRAY_JOB_ID}}_${{SLURM_ARRAY_TASK_ID}}"
fi
exit "$code""#,
        task.open.len(),
        job_name(name),
        cost.mebibytes,
        cost.minutes,
    )
}

/// A name without anything that a directive could end at.
fn job_name(name: &str) -> String {
    let plain = |letter: char| match letter.is_ascii_alphanumeric() || "-_.".contains(letter) {
        true => letter,
        false => '-',
    };
    name.chars().map(plain).take(64).collect()
}
