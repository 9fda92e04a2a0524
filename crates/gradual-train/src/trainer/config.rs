//! How long a run is, and what its steps are made of.

/// How long a run is, and what its steps are made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrainerConfig {
    /// Number of steps.
    pub steps: u64,
    /// Examples per step.
    pub draw: usize,
    /// Forward and backward passes that a draw is split into: see
    /// [`step_in_parts`](crate::step_in_parts).
    pub parts: usize,
    /// Steps between evaluations; see [`evaluation_steps`](crate::evaluation_steps).
    pub every: u64,
    /// Seed of weights and draws.
    pub seed: u64,
    /// What to do about a step with NaN or infinite numbers.
    pub not_finite: NotFinite,
    /// Whether the first step, of a resumed run too, is preceded by [`verify`](gradual_grad::verify()) on its draw,
    /// where the objective takes per-example gradients. It costs less than four steps and moves nothing. Without it,
    /// examples that are coupled (batch norm, in-batch losses) and layers whose tap is not their forward pass go
    /// unnoticed.
    ///
    /// Fresh weights and the first examples are asked for twice, too: a task that gives others for the same random numbers is
    /// an [error](crate::TrainError::Weights) under any objective.
    pub verify: bool,
}

/// 1 000 steps of 128 examples in one part, evaluated every 50.
impl Default for TrainerConfig {
    fn default() -> Self {
        Self {
            steps: 1_000,
            draw: 128,
            parts: 1,
            every: 50,
            seed: 0,
            not_finite: NotFinite::Stop,
            verify: true,
        }
    }
}

/// What to do when a loss, a coefficient or a gradient is NaN or infinite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NotFinite {
    /// End the run with an error that names the step, the capability and the example.
    #[default]
    Stop,
    /// Leave the step out, and count it; but end the run when this many follow each other. A step is left out, too,
    /// when a standing example of a grouping has such a loss: of a grouping that wanted fresh ones others are drawn in
    /// the next step; one that wants the same again gets the same.
    Skip {
        /// Steps in a row that may be left out.
        in_a_row: u64,
    },
    /// Leave out the examples whose loss is NaN or infinite, and count them; the step is that of the others. A standing
    /// example without a loss is replaced by the nearest one before it that has a loss. A coefficient or gradient that
    /// is not finite, or a draw without any loss, ends the run. See
    /// [`Stepper::leaving_out`](crate::Stepper::leaving_out).
    LeaveOut,
}
