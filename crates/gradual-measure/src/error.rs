use thiserror::Error;

/// What can go wrong when a curve or a summary is made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MeasureError {
    /// A curve needs as many values as steps.
    #[error("curve: expected as many values as steps, got {steps} steps and {values} values")]
    Lengths {
        /// Number of steps given.
        steps: usize,
        /// Number of values given.
        values: usize,
    },
    /// Nothing to measure.
    #[error("{operation}: expected at least one {what}, got none")]
    Empty {
        /// The operation that was asked for.
        operation: &'static str,
        /// What is missing.
        what: &'static str,
    },
    /// A step or value is NaN or infinite.
    #[error("curve: expected finite numbers, got {what} {number} at position {position}")]
    NotFinite {
        /// `step` or `value`.
        what: &'static str,
        /// The number as it came.
        number: f64,
        /// Index into the curve.
        position: usize,
    },
    /// Steps must be at or after 0.
    #[error("curve: expected steps from 0 on, got {step}")]
    NegativeStep {
        /// The first step.
        step: f64,
    },
    /// Steps must increase.
    #[error("curve: expected strictly increasing steps, got {next} after {previous}")]
    NotIncreasing {
        /// The step before.
        previous: f64,
        /// The step that is not larger.
        next: f64,
    },
    /// Curves that are put together must share their steps.
    #[error("{operation}: expected curves on equal steps, curve {position} has others")]
    UnequalSteps {
        /// The operation that was asked for.
        operation: &'static str,
        /// Index of the first curve that differs from the first one.
        position: usize,
    },
    /// Each capability has one curve of each kind.
    #[error(
        "{operation}: expected as many losses as skills, got {losses} losses and {skills} skills"
    )]
    Counts {
        /// The operation that was asked for.
        operation: &'static str,
        /// Number of curves of loss.
        losses: usize,
        /// Number of curves of skill.
        skills: usize,
    },
    /// Every evaluation of a run must hold the same capabilities.
    #[error(
        "run summary: expected the capabilities of the first evaluation at step {step}, {difference}"
    )]
    Capabilities {
        /// The step of the evaluation that differs.
        step: u64,
        /// Which capability is missing or new.
        difference: String,
    },
    /// A composed capability has the same parts at every evaluation, other capabilities of the run, each once.
    #[error(
        "run summary: expected the parts of capability `{capability}` at step {step} to be other capabilities, each once \
         and the same at every evaluation, got [{}]", .parts.join(", ")
    )]
    Parts {
        /// Name of the capability.
        capability: String,
        /// Step of the evaluation.
        step: u64,
        /// The parts as they came.
        parts: Vec<String>,
    },
    /// No capability is composed of what is composed of it.
    #[error(
        "run summary: expected no capability to be composed of what is composed of it, got {} at step {step}",
        .names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" of ")
    )]
    Cycle {
        /// Step of the evaluation.
        step: u64,
        /// Names of capabilities, each composed of the next; the last is the first.
        names: Vec<String>,
    },
    /// The accuracy of guessing must leave room for learning.
    #[error(
        "run summary: expected a chance in [0, 1) for capability `{capability}` at step {step}, got {chance}"
    )]
    Chance {
        /// Name of the capability.
        capability: String,
        /// Step of the evaluation.
        step: u64,
        /// The chance as it came.
        chance: f64,
    },
    /// The accuracy of guessing is that of the task, and stays.
    #[error(
        "run summary: expected the chance {first} of the first evaluation for capability `{capability}` at step {step}, got {chance}"
    )]
    ChanceChanged {
        /// Name of the capability.
        capability: String,
        /// Step of the evaluation.
        step: u64,
        /// The chance as it came.
        chance: f64,
        /// That of the first evaluation.
        first: f64,
    },
}
