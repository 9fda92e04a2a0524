//! Focal loss: examples that are nearly right weigh less.

use burn::tensor::Tensor;
use gradual_group::Groups;
use gradual_registry::{Entry, Parameter};

use crate::composition::Composition;
use crate::error::{LossError, setting};
use crate::in_units::{InUnits, largest};
use crate::precision::weights;

const OPERATION: &str = "focal";

/// Below it the modulating base counts as zero, where the slope of a power under one is infinite.
const ZERO: f64 = 1e-12;

/// Larger exponents than tensors take.
const LARGEST: f64 = 1e6;

pub(crate) static ENTRY: Entry<(), Box<dyn Composition>> = Entry {
    name: "focal",
    about: "focal loss: less weight on what is nearly right, made for single examples",
    facts: &[
        ("composition", "[`Focal`]"),
        ("L", "Σ s (1 − e^−ℓ̄)^γ ℓ̄"),
        ("group g pulls with", "less when nearly right"),
        ("losses", "≥ 0"),
        ("use it", "per example, without groups"),
    ],
    parameters: &[Parameter::number("gamma", "the focusing exponent", 2.0)
        .at_least(0.0)
        .at_most(LARGEST)],
    build: |arguments, ()| Ok(Box::new(Focal::new(arguments.number("gamma")?)?)),
};

/// L = Σ_g s_g (1 − e^(−ℓ̄_g))^γ ℓ̄_g, the focal loss.
///
/// # The idea
///
/// Lin et al. 2017, "Focal loss for dense object detection", arXiv 1708.02002. For a cross-entropy
/// ℓ = −ln p the modulating factor is (1 − p)^γ: an example that is right with probability 0.9 loses
/// a hundredfold at γ = 2. As published, the factor is part of the function that is differentiated:
///
/// ```text
/// ∂/∂ℓ (1−p)^γ ℓ = (1−p)^γ + γ (1−p)^(γ−1) p ℓ,   p = e^(−ℓ)
/// ```
///
/// γ = 0 is the plain weighted sum.
///
/// # When
///
/// It was made for single examples: use it over [`EachExample`](gradual_group::EachExample), where
/// it is the mean focal loss. Over groups p is the geometric mean probability of a group. It does
/// not know groups, so it can't tell a rare example from a noisy one.
///
/// Group losses must not be negative, but for γ = 0. Costs k operations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Focal {
    gamma: f64,
}

impl Focal {
    /// The focusing exponent `gamma`, 0 or more; 2 in the paper.
    ///
    /// # Errors
    ///
    /// [`LossError::Setting`] for an exponent below 0 or above 10⁶.
    pub fn new(gamma: f64) -> Result<Self, LossError> {
        let range = "from 0 to 1e6";
        let gamma = setting(
            OPERATION,
            "gamma",
            range,
            gamma,
            (0.0..=LARGEST).contains(&gamma),
        )?;
        Ok(Self { gamma })
    }
}

impl Composition for Focal {
    fn value(&self, group_losses: Tensor<1>, groups: &Groups) -> Tensor<1> {
        self.value_in_units(group_losses, groups).in_full()
    }

    /// In units of u^γ, u the largest factor 1 − e^(−ℓ̄), where a power may be out of range.
    fn value_in_units(&self, group_losses: Tensor<1>, groups: &Groups) -> InUnits {
        let weights = weights(groups, &group_losses);
        if self.gamma == 0.0 {
            return (group_losses * weights).sum().into();
        }
        let losses = group_losses.clamp_min(0.0);
        // 1 − e^(−ℓ) = 2h/(1 + h) with h = tanh(ℓ/2), which keeps its digits near zero.
        let half = (losses.clone() * 0.5).tanh();
        let wrong = half.clone() * 2.0 / (half + 1.0);
        let least = if self.gamma < 1.0 { ZERO } else { 0.0 };
        let wrong = wrong.clamp_min(least);
        if self.gamma <= 1.0 {
            let factor = wrong.powf_scalar(self.gamma);
            return (factor * losses * weights).sum().into();
        }
        let unit = largest(&wrong, groups);
        // A group without weight may have a factor that is out of range in this unit.
        let absent = weights.clone().lower_equal_elem(0.0);
        let wrong = (wrong / unit.clone()).mask_fill(absent, 0.0);
        let factor = wrong.powf_scalar(self.gamma);
        InUnits::new((factor * losses * weights).sum(), unit.log() * self.gamma)
    }

    fn name(&self) -> &'static str {
        OPERATION
    }

    fn least(&self, _groups: &Groups) -> Option<f64> {
        (self.gamma > 0.0).then_some(0.0)
    }
}
