//! The size of a step, apart from its direction.

use burn::tensor::Tensor;
use gradual_group::Groups;

use crate::LossError;

/// What to do about the size of the coefficients.
///
/// A composition changes the size of a step as well as its direction. Raw sums of squares with
/// plain SGD throw the weights far out early, and the slow recovery looks like gradualness; it is
/// not.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Scale {
    /// c as it is.
    Raw,
    /// c / Σc, so that learning rates mean what they mean for ERM. Not for [signed](Groups::is_signed) groups, whose
    /// coefficients may sum to anything.
    #[default]
    UnitSum,
    /// c / Σ|c|: [`UnitSum`](Self::UnitSum) where no coefficient is negative, and its counterpart where some are.
    UnitAbsolute,
    /// c / max(Σ|c|, s): raw once the losses are small, never larger than at the start if s is the
    /// sum there, for k groups under a power p of loss ℓ₀: see [`Scale::cap`].
    Cap(f64),
    /// c scaled so that ‖Gᵀc‖ is the norm of the ERM gradient ‖Gᵀ1/n‖. Needs the Gram matrix.
    MatchNorm,
}

impl Scale {
    /// [`Scale::Cap`] at the sum of coefficients of Σ_g ℓ̄_g^p when every group's loss is `initial`:
    /// s = p·k·ℓ₀^(p−1).
    pub fn cap(power: f64, groups: usize, initial: f64) -> Self {
        Self::Cap(power * groups as f64 * initial.powf(power - 1.0))
    }

    /// The scale of groups for which none was chosen: [`UnitSum`](Self::UnitSum), or
    /// [`UnitAbsolute`](Self::UnitAbsolute) for [signed](Groups::is_signed) ones.
    pub fn usual(groups: &Groups) -> Self {
        match groups.is_signed() {
            true => Self::UnitAbsolute,
            false => Self::UnitSum,
        }
    }

    /// Whether the coefficients of these groups can be scaled so.
    ///
    /// # Errors
    ///
    /// [`LossError::SignedSum`] for a scale by the sum of coefficients where groups are
    /// [signed](Groups::is_signed).
    pub fn check(self, groups: &Groups) -> Result<(), LossError> {
        match self {
            Self::UnitSum if groups.is_signed() => Err(LossError::SignedSum { scale: "UnitSum" }),
            _ => Ok(()),
        }
    }

    /// Whether [`apply_with_gram`](Self::apply_with_gram) is needed.
    pub fn needs_gram(self) -> bool {
        self == Self::MatchNorm
    }

    /// The scaled coefficients, `[n]`. Zero coefficients stay zero. [`Scale::MatchNorm`] can't be
    /// had without a Gram matrix and leaves the coefficients as they are.
    #[must_use]
    pub fn apply(self, coefficients: Tensor<1>) -> Tensor<1> {
        match self {
            Self::Raw | Self::MatchNorm => coefficients,
            Self::UnitSum => {
                let sum = coefficients.clone().sum().clamp_min(f32::MIN_POSITIVE);
                coefficients / sum
            }
            Self::UnitAbsolute => {
                // In units of the largest, so that neither a sum nor what it divides is out of range.
                let least = f64::from(f32::MIN_POSITIVE);
                let largest = coefficients.clone().abs().max().clamp_min(least);
                let coefficients = coefficients / largest;
                let sum = coefficients.clone().abs().sum().clamp_min(least);
                coefficients / sum
            }
            Self::Cap(limit) => {
                let sum = coefficients.clone().abs().sum();
                coefficients / sum.clamp_min(limit.max(f64::from(f32::MIN_POSITIVE)))
            }
        }
    }

    /// The scaled coefficients, `[n]`, given the Gram matrix K `[n, n]` where there is one.
    ///
    /// # Errors
    ///
    /// [`LossError::NoGram`] when the scale needs a Gram matrix and there is none.
    pub fn apply_with_gram(
        self,
        coefficients: Tensor<1>,
        gram: Option<&Tensor<2>>,
    ) -> Result<Tensor<1>, LossError> {
        if self != Self::MatchNorm {
            return Ok(self.apply(coefficients));
        }
        // ‖Gᵀc‖² = cᵀKc, and for ERM 1ᵀK1/n².
        let gram = gram.ok_or(LossError::NoGram)?;
        let [n] = coefficients.dims();
        let column = coefficients.clone().reshape([n, 1]);
        let own = (gram.clone().matmul(column.clone()) * column).sum();
        let erm = gram.clone().sum().clamp_min(0.0) / (n * n) as f64;
        Ok(coefficients * (erm / own.clamp_min(f32::MIN_POSITIVE)).sqrt())
    }
}
