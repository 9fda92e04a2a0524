use serde::{Deserialize, Serialize};

/// Wall-clock time of training up to a step.
///
/// Times stand apart from evaluations, so that equal runs have equal evaluations.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// Version of the run-folder format.
    pub schema: u32,
    /// Optimizer steps taken.
    pub step: u64,
    /// Seconds of training up to this step.
    pub seconds: f64,
    /// Most bytes of memory that the process had had at once by then, where the system tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_memory: Option<u64>,
}
