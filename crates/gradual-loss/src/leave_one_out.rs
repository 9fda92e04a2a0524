//! The grouped loss without the bias of small groups.

use burn::tensor::Tensor;
use gradual_group::Groups;

use crate::composition::{one_loss_each, signs};
use crate::{Composition, LossError};

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
#[derive(Debug, Clone, Copy, Default)]
pub struct LeaveOneOut;

impl Composition for LeaveOneOut {
    /// With group losses alone, the plain squares: the examples are needed for more.
    fn value(&self, group_losses: Tensor<1>, groups: &Groups) -> Tensor<1> {
        (group_losses.clone() * group_losses * groups.weights().clone()).sum()
    }

    fn forward(&self, losses: Tensor<1>, groups: &Groups) -> Result<Tensor<1>, LossError> {
        one_loss_each(&losses, groups)?;
        signs("leave one out", groups, false)?;
        self.check(groups)?;
        let (k, n) = (groups.count(), groups.examples());
        let membership = groups.membership().clone();
        let squares = membership.clone() * membership.clone();
        let total = membership.sum_dim(1).reshape([k]);
        let share = squares.clone().sum_dim(1).reshape([k]) / (total.clone() * total);
        // Of one example, or of none at all.
        let single = share.clone().lower_elem(1.0 - 1e-6).bool_not();
        let own = losses.clone() * losses.clone();
        let own = squares.matmul(own.reshape([n, 1])).reshape([k]);
        let own = own.mask_fill(single.clone(), 0.0);
        let pairs = (share.neg() + 1.0).mask_fill(single, 1.0);
        let group_losses = groups.losses(losses);
        let estimates = (group_losses.clone() * group_losses - own) / pairs;
        Ok((estimates * groups.weights().clone()).sum())
    }
}
