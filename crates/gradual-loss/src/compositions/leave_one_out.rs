//! The grouped loss without the bias of small groups.

use burn::tensor::Tensor;
use gradual_group::Groups;
use gradual_registry::Entry;

use super::power::sum_of_powers;
use crate::composition::Composition;
use crate::in_units::InUnits;
use crate::precision::{group_losses, weights};

pub(crate) static ENTRY: Entry<(), Box<dyn Composition>> = Entry {
    name: "leave-one-out",
    about: "the grouped loss without the upward bias of small groups: products of different examples",
    facts: &[
        ("composition", "[`LeaveOneOut`]"),
        ("L", "Σ s Q, Q an unbiased ℓ̄²"),
        ("group g pulls with", "the mean loss of the others"),
        ("losses", "≥ 0"),
        ("use it", "for few examples per group"),
    ],
    parameters: &[],
    build: |_, ()| Ok(Box::new(LeaveOneOut)),
};

/// L = Σ_g s_g Q_g, where Q_g is an unbiased estimate of the square of the true group loss.
///
/// # The idea
///
/// On a draw, E ℓ̄_g² = (E ℓ̄_g)² + Var(ℓ)/n_g: the square of a mean is too large by the variance of
/// the mean, and most so for small groups, which then get more than their share. Products of
/// *different* examples have no such bias. Leaving out i = j,
///
/// ```text
/// Q_g = Σ_{i≠j} M_gi M_gj ℓ_i ℓ_j / (1 − Σ_i M_gi² / (Σ_i M_gi)²)
/// ```
///
/// which for means is the mean over all pairs of different examples, and in which the coefficient of
/// an example is twice the mean loss of the *others* over n_g. A group of a single example has no
/// pairs: its square is taken as it is.
///
/// # When
///
/// In place of [`SumOfSquares`](crate::SumOfSquares) where groups have few examples in a draw and
/// losses within them vary as much as between groups. Costs k n operations more.
///
/// Group losses must not be negative. Single losses may be: Q_g and the coefficients of the others can then be
/// negative, as an estimate without bias has to be. Over a hard group they still add up to more than zero; over a soft
/// one they need not, [`Scale::UnitSum`](crate::Scale::UnitSum) then refuses the draw, and
/// [`Scale::UnitAbsolute`](crate::Scale::UnitAbsolute) is the scale to take.
#[derive(Debug, Clone, Copy, Default)]
pub struct LeaveOneOut;

impl Composition for LeaveOneOut {
    /// With group losses alone, the plain squares: the examples are needed for more.
    fn value(&self, group_losses: Tensor<1>, groups: &Groups) -> Tensor<1> {
        sum_of_powers(group_losses, groups, 2.0)
    }

    /// A floor b is taken from the losses as b/T for each example, T = Σ_i M_gi, so that it is b for the group.
    fn value_of_draw(&self, losses: Tensor<1>, groups: &Groups, floor: f64) -> InUnits {
        let (k, n) = (groups.num_groups(), groups.num_examples());
        let membership = groups.membership().clone().cast(losses.dtype());
        let squares = membership.clone() * membership.clone();
        let total = membership.sum_dim(1).reshape([k]);
        let share = squares.clone().sum_dim(1).reshape([k]) / (total.clone() * total.clone());
        // Of one example, or of none at all.
        let single = share.clone().lower_elem(1.0 - 1e-6).bool_not();
        let pairs = (share.neg() + 1.0).mask_fill(single.clone(), 1.0);
        let empty = total.clone().equal_elem(0.0);
        let each = (total.recip() * floor).mask_fill(empty, 0.0);
        let above = losses.clone().reshape([1, n]) - each.reshape([k, 1]);
        let own = (squares * above.clone() * above).sum_dim(1).reshape([k]);
        let own = own.mask_fill(single, 0.0);
        let group_losses = group_losses(losses, groups) - floor;
        let weights = weights(groups, &group_losses);
        // What rounding made negative counts as 0.
        let none = group_losses.clone().inner().lower_equal_elem(0.0);
        let estimates = (group_losses.clone() * group_losses - own) / pairs;
        (estimates.mask_fill(none, 0.0) * weights).sum().into()
    }

    fn name(&self) -> &'static str {
        "leave one out"
    }

    fn is_of_group_losses(&self) -> bool {
        false
    }

    fn least(&self, _groups: &Groups) -> Option<f64> {
        Some(0.0)
    }
}
