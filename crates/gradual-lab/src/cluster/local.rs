//! GNU parallel on this machine: a task for each run.

use super::Task;
use crate::command::quoted;

/// A line of a shell. What fails is begun again by the same line, for what is done is left alone.
pub(super) fn line(task: &Task) -> String {
    let program = quoted(task.program.as_os_str());
    let arguments = task.quoted();
    let cores = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let jobs = task.parallel.unwrap_or((cores / task.threads).max(1));
    let numbers: Vec<String> = task.open.iter().map(u64::to_string).collect();
    let commit = task.commit.as_ref().map_or_else(String::new, |commit| {
        format!("GRADUAL_COMMIT={} ", quoted(commit.as_ref()))
    });
    let command = format!(
        "{commit}RAYON_NUM_THREADS={} {program} experiment {arguments} --only ",
        task.threads
    );
    let run = place(&command);
    // Parallel gives the line to a shell again.
    let command = quoted(format!("{command}{run}").as_ref());
    format!(
        "# The {} of {} runs of {} that are not done, each with {} MiB and {} minutes at most. Once all are:\n#   {}\n\
         parallel --jobs {jobs} -I {run} --memfree {}M --termseq TERM,60000,KILL,25 {command} ::: {}",
        task.open.len(),
        task.count,
        task.name,
        task.cost.mebibytes,
        task.cost.minutes,
        task.collect(&program),
        task.cost.mebibytes,
        numbers.join(" "),
    )
}

/// What stands for the number of a run: something that the command does not hold.
fn place(command: &str) -> String {
    let places = (0..).map(|number| format!("RUN{number}"));
    let mut free = places.filter(|place| !command.contains(place.as_str()));
    free.next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::place;

    #[test]
    fn the_number_s_place_is_none_of_the_command_s() {
        assert_eq!(place("experiment a --out 'p{}' --only "), "RUN0");
        assert_eq!(place("experiment RUN0 --out RUN1 --only "), "RUN2");
    }
}
