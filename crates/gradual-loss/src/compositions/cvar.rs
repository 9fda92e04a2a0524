//! The worst fraction of the groups.

use burn::tensor::Tensor;
use gradual_group::Groups;
use gradual_registry::{Entry, Parameter};

use crate::composition::Composition;
use crate::error::{LossError, setting};
use crate::precision::weights;

const OPERATION: &str = "CVaR";

pub(crate) static ENTRY: Entry<(), Box<dyn Composition>> = Entry {
    name: "cvar",
    about: "the mean loss of the worst fraction of the groups",
    facts: &[
        ("composition", "[`Cvar`]"),
        ("L", "mean of the worst α"),
        ("group g pulls with", "equal, or 0"),
        ("losses", "any"),
        ("use it", "to leave good groups alone altogether"),
    ],
    parameters: &[Parameter::number("alpha", "the fraction", 0.5)
        .at_least(1e-6)
        .at_most(1.0)],
    build: |arguments, ()| Ok(Box::new(Cvar::new(arguments.number("alpha")?)?)),
};

/// L = CVaR_α(ℓ̄), the mean of the worst fraction α of the groups.
///
/// # The idea
///
/// Group weights s are masses. Sort the groups by loss, the worst first, and take from them until
/// α Σ_g s_g of mass is taken; the group at the border counts in part:
///
/// ```text
/// L = Σ_g t_g ℓ̄_g / (α Σ_g s_g),   t_g = min(s_g, max(0, α Σ s − mass of the groups before g))
/// ```
///
/// which is min_τ τ + E[max(ℓ̄ − τ, 0)]/α (Rockafellar & Uryasev 2000, "Optimization of conditional
/// value-at-risk"; over groups as in Levy et al. 2020, arXiv 2010.05893). The coefficient of group g
/// is t_g / (α Σ s): equal for the worst, zero for the rest. α = 1 is [`Mean`](crate::Mean), and α Σ s
/// below the smallest mass is the worst group alone. Over
/// [`EachExample`](gradual_group::EachExample) it is the mean of the worst examples.
///
/// # When
///
/// When some groups are to be left alone altogether once they are not among the worst. It is
/// piecewise linear: coefficients jump when two groups change places, and of equal losses at the
/// border only one is taken. So with a small α and noisy group losses the step serves other groups
/// each time: on multitask sparse parity (20 groups, one seed) α = 0.2 learned nothing in 9 000
/// steps, α = 0.5 everything. Losses may have any sign. Costs a sort of k numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cvar {
    alpha: f64,
}

impl Cvar {
    /// The worst fraction `alpha`, above 0 and at most 1.
    ///
    /// # Errors
    ///
    /// [`LossError::Setting`] for any other fraction.
    pub fn new(alpha: f64) -> Result<Self, LossError> {
        let allowed = alpha > 0.0 && alpha <= 1.0;
        let alpha = setting(OPERATION, "alpha", "above 0 and at most 1", alpha, allowed)?;
        Ok(Self { alpha })
    }
}

impl Composition for Cvar {
    fn value(&self, group_losses: Tensor<1>, groups: &Groups) -> Tensor<1> {
        let (_, order) = group_losses.clone().inner().sort_descending_with_indices(0);
        let weights = weights(groups, &group_losses);
        let mass = weights.clone().sum().clamp_min(f32::MIN_POSITIVE);
        let shares = weights.select(0, order.clone()) / mass;
        let before = shares.clone().cumsum(0) - shares.clone();
        let taken = shares.min_pair((before - self.alpha).neg().clamp_min(0.0));
        (group_losses.select(0, order) * taken).sum() / self.alpha
    }

    fn name(&self) -> &'static str {
        OPERATION
    }
}
