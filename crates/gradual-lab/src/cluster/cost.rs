//! Time and memory of a task, from runs that are done.

use anyhow::Context as _;

use super::{MEBIBYTES, MINUTES};
use crate::command::{Measured, Planned};

/// What a task may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cost {
    pub(super) minutes: u64,
    pub(super) mebibytes: u64,
}

impl Cost {
    /// What was asked for, or what the finished runs took and a margin: half of the time, for machines differ, and a
    /// quarter of the memory.
    ///
    /// # Errors
    ///
    /// What is neither asked for nor known, and how to get it.
    pub(super) fn new(
        minutes: Option<u64>,
        mebibytes: Option<u64>,
        plan: &Planned,
    ) -> anyhow::Result<Self> {
        let unknown = |flag: &str| {
            format!(
                "no finished run in {} tells what a task takes: run one first, with --only {}, or give --{flag}",
                plan.folder.display(),
                plan.open.first().copied().unwrap_or_default()
            )
        };
        let minutes = match minutes {
            Some(minutes) => minutes,
            None => {
                let seconds = longest(&plan.steps, &plan.measured);
                let seconds = seconds.with_context(|| unknown("time"))?;
                // A cast ends at the greatest number.
                bounded((1.5 * seconds / 60.0).ceil() as u64, MINUTES, "time")?.saturating_add(1)
            }
        };
        let mebibytes = match mebibytes {
            Some(mebibytes) => mebibytes,
            None => {
                let peaks = plan.measured.iter().filter_map(|run| run.peak_memory);
                let peak = peaks.max().with_context(|| match plan.measured.is_empty() {
                    true => unknown("memory"),
                    false => String::from(
                        "the finished runs do not tell how much memory they took (no peak_memory in timing.jsonl): give \
                         --memory",
                    ),
                })?;
                let peak = bounded(peak, MEBIBYTES << 20, "memory")?;
                // In steps, so that the number does not look exact, and never so little that a program can't begin.
                (peak + peak / 4).div_ceil(64 << 20) * 64 + 64
            }
        };
        Ok(Self { minutes, mebibytes })
    }
}

/// A number that a run can have taken.
fn bounded(got: u64, most: u64, flag: &str) -> anyhow::Result<u64> {
    if got > most {
        anyhow::bail!("the finished runs took more than any task can be given: give --{flag}");
    }
    Ok(got)
}

/// The seconds of the longest run: of an arm that none has finished of, the most that a step of another took, for each of its
/// steps.
fn longest(steps: &[u64], measured: &[Measured]) -> Option<f64> {
    let of_arm = |arm: usize| {
        let runs = measured.iter().filter(move |run| run.arm == arm);
        runs.map(|run| run.seconds).reduce(f64::max)
    };
    let per_step = measured
        .iter()
        .map(|run| run.seconds / steps[run.arm].max(1) as f64)
        .reduce(f64::max)?;
    let each =
        (0..steps.len()).map(|arm| of_arm(arm).unwrap_or_else(|| per_step * steps[arm] as f64));
    each.reduce(f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_run_can_have_taken_is_no_number_of_a_job() {
        let plan = |seconds, peak_memory| Planned {
            name: String::from("a"),
            count: 2,
            open: vec![1],
            steps: vec![10],
            measured: vec![Measured {
                arm: 0,
                seconds,
                peak_memory,
            }],
            folder: "runs/a".into(),
            out: "runs".into(),
        };
        let cost = |seconds, peak| Cost::new(None, None, &plan(seconds, peak));
        let sound = cost(100.0, Some(100 << 20)).unwrap();
        assert_eq!((sound.minutes, sound.mebibytes), (4, 192));
        for seconds in [1e20, 1e30, 1e150] {
            let said = cost(seconds, Some(1)).unwrap_err().to_string();
            assert!(said.contains("--time"), "{said}");
        }
        let said = cost(1.0, Some(1 << 53)).unwrap_err().to_string();
        assert!(said.contains("give --memory"), "{said}");
        let said = cost(1.0, None).unwrap_err().to_string();
        assert!(said.contains("no peak_memory"), "{said}");
    }

    #[test]
    fn the_longest_run_is_measured_or_estimated_by_its_steps() {
        let run = |arm, seconds| Measured {
            arm,
            seconds,
            peak_memory: None,
        };
        assert_eq!(longest(&[100, 100], &[]), None);
        assert_eq!(longest(&[64], &[run(0, 5.0), run(0, 8.0)]), Some(8.0));
        // The second arm takes twice the steps, each as long as the slowest that is known.
        assert_eq!(longest(&[64, 128], &[run(0, 8.0)]), Some(16.0));
        assert_eq!(longest(&[64, 128], &[run(0, 8.0), run(1, 9.0)]), Some(9.0));
    }
}
