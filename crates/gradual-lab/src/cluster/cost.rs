//! Time and memory of a task, from runs that are done.

use anyhow::Context as _;

use crate::command::Planned;

/// What a task may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cost {
    pub(super) minutes: u64,
    pub(super) mebibytes: u64,
}

/// One run that is done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    /// The number of the arm among those of the plan.
    pub(crate) arm: usize,
    pub(crate) seconds: f64,
    /// Most bytes of its process.
    pub(crate) peak_memory: Option<u64>,
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
                (1.5 * seconds / 60.0).ceil() as u64 + 1
            }
        };
        let mebibytes = match mebibytes {
            Some(mebibytes) => mebibytes,
            None => {
                let peaks = plan.measured.iter().filter_map(|run| run.peak_memory);
                let peak = peaks.max().with_context(|| unknown("memory"))?;
                // In steps, so that the number does not look exact, and never so little that a program can't begin.
                (peak + peak / 4).div_ceil(64 << 20) * 64 + 64
            }
        };
        Ok(Self { minutes, mebibytes })
    }
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
