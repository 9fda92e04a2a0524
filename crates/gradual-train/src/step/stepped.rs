//! What a step yields.

use burn::optim::GradientsParams;
use gradual_group::Groups;

/// What one step yields.
#[derive(Debug)]
pub struct Stepped {
    /// The update Gᵀc, for an optimizer's `step`.
    pub update: GradientsParams,
    /// Losses ℓ of the draw. Those of examples that were [left out](Self::left_out) are NaN or infinite.
    pub losses: Vec<f32>,
    /// Scaled coefficients c of the draw, zero for examples that were left out.
    pub coefficients: Vec<f32>,
    /// The groups of the draw. Examples that were left out are in none.
    pub groups: Groups,
    /// The examples that were left out because they have no loss, in order: see
    /// [`Stepper::leaving_out`](crate::Stepper::leaving_out).
    pub left_out: Vec<usize>,
}
