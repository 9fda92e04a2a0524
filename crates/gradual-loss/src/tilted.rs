//! Tilted empirical risk.

use burn::tensor::Tensor;
use gradual_group::Groups;

use crate::error::setting;
use crate::{Composition, LossError};

/// Stands in for the logarithm of zero: e to it is 0 and it can be subtracted from.
const LOG_ZERO: f64 = -1e30;

/// L = (1/t) ln(Σ_g s_g e^(t ℓ̄_g) / Σ_g s_g), tilted empirical risk over groups.
///
/// # The idea
///
/// Li et al. 2021, "Tilted empirical risk minimization" (TERM), arXiv 2007.01162. The coefficient of
/// group g is its share of the softmax s_g e^(t ℓ̄_g), so coefficients depend on differences of losses
/// (of power means they depend on ratios). t → 0 is [`Mean`](crate::Mean), and t = 0 is taken as
/// such; t → ∞ is the worst group; t < 0 turns away from the worst, which suppresses outliers.
/// Over [`EachExample`](gradual_group::EachExample) it is TERM on examples.
///
/// # When
///
/// When the worst should dominate smoothly and a fixed difference of losses should mean a fixed
/// factor: with losses of about ln 2, t = 5 gives an unlearned group e^3.5 = 32 times the pull of
/// a learned one. It never lets a learned group go entirely, as sums of powers do.
///
/// Computed as a shifted log-sum-exp: no overflow, whatever t ℓ̄. With |t| below 1e-3 the value (not
/// the coefficients) loses digits. Costs k exponentials.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tilted {
    tilt: f64,
}

impl Tilted {
    /// The tilt `t`, of any sign.
    ///
    /// # Errors
    ///
    /// [`LossError::Setting`] unless `t` is finite.
    pub fn new(t: f64) -> Result<Self, LossError> {
        let tilt = setting("tilted", "t", "finite", t, true)?;
        Ok(Self { tilt })
    }
}

impl Composition for Tilted {
    fn value(&self, group_losses: Tensor<1>, groups: &Groups) -> Tensor<1> {
        if self.tilt == 0.0 {
            return crate::Mean.value(group_losses, groups);
        }
        let weights = groups.weights().clone();
        let total = weights.clone().sum();
        let shares = weights.clone() / total.clone().clamp_min(f32::MIN_POSITIVE);
        let empty = weights.lower_equal_elem(0.0);
        // An empty group's exponent must not be the largest, or the others would underflow.
        let exponents = (group_losses * self.tilt).mask_fill(empty, LOG_ZERO);
        let largest = exponents.clone().inner().max();
        let sum = ((exponents - largest.clone()).exp() * shares).sum();
        // Without any group left the sum is 0, and so is the value.
        let any = total.clone().greater_elem(0.0).float().cast(total.dtype());
        (sum.clamp_min(f32::MIN_POSITIVE).log() + largest) * any / self.tilt
    }
}
