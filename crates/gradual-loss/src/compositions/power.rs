//! Powers of group losses, from the balanced loss to the worst group.

use burn::tensor::{DType, Tensor};
use gradual_group::Groups;
use gradual_registry::{Entry, Parameter};

use crate::composition::Composition;
use crate::error::{LossError, setting};
use crate::in_units::{InUnits, largest};
use crate::precision::weights;

/// Below it a loss counts as zero, where the slope of ℓ^p (p < 1) would be infinite.
fn zero(dtype: DType) -> f64 {
    match dtype {
        DType::F64 => 1e-100,
        _ => 1e-12,
    }
}

/// Larger powers than tensors take.
const LARGEST: f64 = 1e6;

pub(crate) static ENTRY: Entry<(), Box<dyn Composition>> = Entry {
    name: "power",
    about: "the sum of powers of group losses: from the balanced loss (p = 1) to the worst group (p → ∞)",
    facts: &[
        ("composition", "[`PowerMean`]"),
        ("L", "Σ s ℓ̄^p"),
        ("group g pulls with", "p s_g ℓ̄_g^(p−1)"),
        ("losses", "≥ 0"),
        ("use it", "between balanced and worst group"),
    ],
    parameters: &[
        Parameter::number("p", "the power", 2.0)
            .above(0.0)
            .at_most(LARGEST),
        Parameter::flag(
            "rooted",
            "the power mean itself in the place of the sum",
            false,
        ),
    ],
    build: |arguments, ()| {
        let power = PowerMean::new(arguments.number("p")?)?;
        Ok(match arguments.flag("rooted")? {
            true => Box::new(power.rooted()),
            false => Box::new(power),
        })
    },
};

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
/// overflow: the choice for p above 10 or so where the value itself is looked at, or coefficients are not scaled.
///
/// # When
///
/// p = 2 first. A greater p when the slowest capability alone matters: on a draw with few examples
/// per group it chases noise. p < 1 favours what is learned already; a group with zero loss then has
/// coefficient 0, not ∞.
///
/// Group losses must not be negative, but for p = 1 and for signed groups, of which p = 2 alone is defined. Costs k
/// operations.
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
    /// [`LossError::Setting`] unless `p` is above 0 and at most 10⁶, where it has long been the worst group alone.
    pub fn new(p: f64) -> Result<Self, LossError> {
        let power = setting(
            "power mean",
            "p",
            "above 0 and at most 1e6",
            p,
            p > 0.0 && p <= LARGEST,
        )?;
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

/// Zero, but for signed groups, whose losses may have either sign.
pub(crate) fn non_negative(groups: &Groups) -> Option<f64> {
    (!groups.is_signed()).then_some(0.0)
}

/// Σ_g s_g ℓ̄_g^p. What rounding made negative counts as 0, where groups are not signed and p is not 1.
pub(crate) fn sum_of_powers(group_losses: Tensor<1>, groups: &Groups, power: f64) -> Tensor<1> {
    let weights = weights(groups, &group_losses);
    let losses = match groups.is_signed() || power == 1.0 {
        true => group_losses,
        false => group_losses.clamp_min(0.0),
    };
    let powers = match power {
        1.0 => losses,
        2.0 => losses.clone() * losses,
        // Of max(x, least) the slope is 0 where x is less, so no infinite slope meets a zero.
        _ if power < 1.0 => {
            let zero = zero(losses.dtype());
            losses.clamp_min(zero).powf_scalar(power)
        }
        // A group without weight may have a loss whose power is out of range.
        _ => {
            let absent = weights.clone().lower_equal_elem(0.0);
            losses.mask_fill(absent, 0.0).powf_scalar(power)
        }
    };
    (powers * weights).sum()
}

impl Composition for PowerMean {
    fn value(&self, group_losses: Tensor<1>, groups: &Groups) -> Tensor<1> {
        if !self.rooted {
            return sum_of_powers(group_losses, groups, self.power);
        }
        let weights = weights(groups, &group_losses);
        let mass = weights.clone().sum().clamp_min(f32::MIN_POSITIVE);
        if self.power == 1.0 {
            return (group_losses * weights).sum() / mass;
        }
        // In units of the largest loss m, a constant: M_p(ℓ) = m M_p(ℓ/m).
        let absent = weights.lower_equal_elem(0.0);
        // A group without weight may have a loss that is out of range in these units.
        let group_losses = group_losses.mask_fill(absent, 0.0);
        let zero = zero(group_losses.dtype());
        let largest = group_losses.clone().inner().abs().max().clamp_min(zero);
        let sum = sum_of_powers(group_losses / largest.clone(), groups, self.power);
        (sum / mass)
            .clamp_min(f32::MIN_POSITIVE)
            .powf_scalar(1.0 / self.power)
            * largest
    }

    /// In units of the largest loss m, L = m^(p−1) Σ_g s_g (ℓ̄_g/m)^p m, where a power may be out of range.
    fn value_in_units(&self, group_losses: Tensor<1>, groups: &Groups) -> InUnits {
        if self.rooted || self.power <= 2.0 {
            return self.value(group_losses, groups).into();
        }
        let unit = largest(&group_losses, groups);
        let sum = sum_of_powers(group_losses / unit.clone(), groups, self.power);
        InUnits::new(sum * unit.clone(), unit.log() * (self.power - 1.0))
    }

    fn is_linear(&self) -> bool {
        self.power == 1.0 && !self.rooted
    }

    fn name(&self) -> &'static str {
        "power mean"
    }

    fn least(&self, groups: &Groups) -> Option<f64> {
        match self.power {
            1.0 => None,
            _ => non_negative(groups),
        }
    }

    fn takes_signed(&self) -> bool {
        self.power == 2.0
    }
}
