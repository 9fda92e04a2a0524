//! Tilted empirical risk.

use burn::tensor::Tensor;
use gradual_group::Groups;
use gradual_registry::{Entry, Parameter};

use super::mean::Mean;
use crate::composition::Composition;
use crate::error::{LossError, setting};
use crate::precision::weights;

const OPERATION: &str = "tilted";

/// A tilt nearer to zero counts as zero: its value differs from the mean by less than rounding.
const NONE: f64 = 1e-20;

/// A larger tilt times a loss is no number of single precision.
const LARGEST: f64 = 1e30;

/// Stands in for the logarithm of zero: e to it is 0, and it is finite, so that zero times it is not NaN.
const LOG_ZERO: f64 = -1e4;

pub(crate) static ENTRY: Entry<(), Box<dyn Composition>> = Entry {
    name: "tilted",
    about: "tilted empirical risk: a smooth maximum of group losses that depends on their differences",
    facts: &[
        ("composition", "[`Tilted`]"),
        ("L", "(1/t) ln mean e^(tℓ̄)"),
        ("group g pulls with", "softmax of t ℓ̄"),
        ("losses", "any"),
        ("use it", "when differences of losses count, not ratios"),
    ],
    parameters: &[
        Parameter::number("t", "the tilt, above 0 towards the worst group", 1.0)
            .at_least(-LARGEST)
            .at_most(LARGEST),
    ],
    build: |arguments, ()| Ok(Box::new(Tilted::new(arguments.number("t")?)?)),
};

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
/// factor, and for losses of any sign: with losses of about ln 2, t = 5 gives an unlearned group e^3.5 = 32
/// times the pull of a learned one. It never lets a learned group go entirely, as sums of powers do.
///
/// # Steps
///
/// With a the largest present loss (the least, for t < 0) and x_g = t (ℓ̄_g − a) ≤ 0,
///
/// ```text
/// L = a + (1/t) ln(1 + S),   S = Σ_g p_g (e^(x_g) − 1),   p_g = s_g / Σ s
/// ```
///
/// Nothing overflows, whatever t ℓ̄. For small t, e^x − 1 and ln(1 + S) are taken without the cancellation, so that the
/// value is as exact as a mean's; where S is below −½ the sum of p_g e^(x_g) itself is. Costs k exponentials.
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
        let inside = t.abs() <= LARGEST;
        let tilt = setting(OPERATION, "t", "from -1e30 to 1e30", t, inside)?;
        Ok(Self { tilt })
    }
}

impl Composition for Tilted {
    fn value(&self, group_losses: Tensor<1>, groups: &Groups) -> Tensor<1> {
        if self.tilt.abs() < NONE {
            return Mean.value(group_losses, groups);
        }
        let weights = weights(groups, &group_losses);
        let absent = weights.clone().lower_equal_elem(0.0);
        let total = weights.clone().sum();
        let shares = weights / total.clone().clamp_min(f32::MIN_POSITIVE);
        // Of the present groups, the one of the largest exponent; L does not depend on it.
        let signed = group_losses.clone().inner() * self.tilt.signum();
        let lowest = signed.clone().min().expand(signed.dims());
        let worst = signed.mask_where(absent.clone(), lowest).max() * self.tilt.signum();
        let exponents = (group_losses - worst.clone()) * self.tilt;
        let exponents = exponents.mask_fill(absent, LOG_ZERO);
        // e^x − 1 = 2h/(1 − h), h = tanh(x/2).
        let half = (exponents.clone() * 0.5).tanh();
        let below = half.clone() * 2.0 / (half.neg() + 1.0);
        let below = (below * shares.clone()).sum();
        let far = below.clone().inner().lower_elem(-0.5);
        let near = below.clamp_min(-0.5).log1p();
        let sum = (exponents.exp() * shares).sum();
        // Without any group left the sum is 0, and so is the value.
        let none = total.lower_equal_elem(0.0);
        let log = near.mask_where(far, sum.clamp_min(f32::MIN_POSITIVE).log());
        // By a tensor: a number would be single in the backward pass.
        let tilt = Tensor::full([1], self.tilt, (&log.device().inner(), log.dtype()));
        (log / tilt + worst).mask_fill(none, 0.0)
    }

    fn name(&self) -> &'static str {
        OPERATION
    }
}
