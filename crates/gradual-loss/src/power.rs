//! Powers of group losses, from the balanced loss to the worst group.

use burn::tensor::Tensor;
use gradual_group::Groups;

use crate::error::setting;
use crate::{Composition, LossError};

/// Below it a loss counts as zero, where the slope of ℓ^p (p < 1) would be infinite.
const ZERO: f64 = 1e-12;

/// L = Σ_g s_g ℓ̄_g^p, the sum of powers.
///
/// # The idea
///
/// One number p moves the loss between two ends: p = 1 counts every group the same (the balanced
/// loss), p = 2 is the grouped loss ([`SumOfSquares`](crate::SumOfSquares)), and p → ∞ looks at the
/// worst group alone. The coefficient of example j of group g is p s_g ℓ̄_g^(p−1) M_gj, so between two
/// groups whose losses differ by a factor r the pull differs by r^(p−1). As α-fair resource
/// allocation: Li et al. 2020, "Fair resource allocation in federated learning" (q-FFL, p = q + 1),
/// arXiv 1905.10497.
///
/// [`rooted`](Self::rooted) gives the power mean proper, L = (Σ_g s_g ℓ̄_g^p / Σ_g s_g)^(1/p). It is a
/// monotone function of the sum, so its coefficients are the same up to one factor, and with
/// [`Scale::UnitSum`](crate::Scale::UnitSum) so is the step. It is as large as a loss, and can't
/// overflow: the choice for p above 10 or so.
///
/// # When
///
/// p = 2 first. A greater p when the slowest capability alone matters: on a draw with few examples
/// per group it chases noise. p < 1 favours what is learned already; a group with zero loss then has
/// coefficient 0, not ∞.
///
/// Losses must not be negative: negative ones count as 0. Costs k operations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PowerMean {
    power: f64,
    rooted: bool,
}

impl PowerMean {
    /// The sum of powers `p` > 0.
    ///
    /// # Errors
    ///
    /// [`LossError::Setting`] unless `p` is positive and finite.
    pub fn new(p: f64) -> Result<Self, LossError> {
        let power = setting("power mean", "p", "positive and finite", p, p > 0.0)?;
        Ok(Self {
            power,
            rooted: false,
        })
    }

    /// The power mean itself instead of the sum: homogeneous of degree one.
    #[must_use]
    pub fn rooted(self) -> Self {
        Self {
            rooted: true,
            ..self
        }
    }

    /// p.
    pub fn power(&self) -> f64 {
        self.power
    }
}

impl Composition for PowerMean {
    fn value(&self, group_losses: Tensor<1>, groups: &Groups) -> Tensor<1> {
        let weights = groups.weights().clone();
        // Of max(x, least) the slope is 0 where x is less, so no infinite slope meets a zero.
        let least = if self.power < 1.0 { ZERO } else { 0.0 };
        let powers = |losses: Tensor<1>| losses.clamp_min(least).powf_scalar(self.power);
        if !self.rooted {
            return (powers(group_losses) * weights).sum();
        }
        // In units of the largest loss m, a constant: M_p(ℓ) = m M_p(ℓ/m).
        let present = weights
            .clone()
            .greater_elem(0.0)
            .float()
            .cast(weights.dtype());
        let largest = (group_losses.clone().inner() * present)
            .max()
            .clamp_min(ZERO);
        let mass = weights.clone().sum().clamp_min(f32::MIN_POSITIVE);
        let mean = (powers(group_losses / largest.clone()) * weights).sum() / mass;
        mean.clamp_min(f32::MIN_POSITIVE)
            .powf_scalar(1.0 / self.power)
            * largest
    }
}
