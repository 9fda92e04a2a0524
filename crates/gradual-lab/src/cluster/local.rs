//! GNU parallel on this machine: a task for each run.

use super::Task;
use crate::command::quoted;

/// A line of a shell. Parallel keeps a log, by which what failed is begun again.
pub(super) fn line(task: &Task) -> anyhow::Result<String> {
    let program = quoted(task.program.as_os_str());
    let arguments = task.quoted();
    let cores = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let jobs = task.parallel.unwrap_or((cores / task.threads).max(1));
    let numbers: Vec<String> = task.open.iter().map(u64::to_string).collect();
    let commit = task.commit.as_ref().map_or_else(String::new, |commit| {
        format!("GRADUAL_COMMIT={} ", quoted(commit.as_ref()))
    });
    // Parallel gives the line to a shell again.
    let command = format!(
        "{commit}RAYON_NUM_THREADS={} {program} experiment {arguments} --only {{}}",
        task.threads
    );
    Ok(format!(
        "# The {} of {} runs of {} that are not done, each with {} MiB and {} minutes at most. Once all are:\n#   {}\n\
         parallel --jobs {jobs} --joblog {} --resume-failed --memfree {}M --termseq TERM,60000,KILL,25 {} ::: {}",
        task.open.len(),
        task.count,
        task.name,
        task.cost.mebibytes,
        task.cost.minutes,
        task.collect(&program),
        quoted(task.out.join(format!("{}.joblog", task.name)).as_os_str()),
        task.cost.mebibytes,
        quoted(command.as_ref()),
        numbers.join(" "),
    ))
}
