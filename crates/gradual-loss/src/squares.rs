//! The grouped loss.

use burn::tensor::Tensor;
use gradual_group::Groups;

use crate::Composition;

/// L = Σ_g s_g ℓ̄_g², the grouped loss (A. Jermyn, 2022).
///
/// The coefficient of example j in group g is 2 s_g ℓ̄_g M_gj: the worst group dominates, and a
/// group that is learned pulls no more. On a small draw ℓ̄_g² overestimates the square of the true
/// group loss by its variance over n_g.
#[derive(Debug, Clone, Copy, Default)]
pub struct SumOfSquares;

impl Composition for SumOfSquares {
    fn takes_signed(&self) -> bool {
        true
    }

    fn value(&self, group_losses: Tensor<1>, groups: &Groups) -> Tensor<1> {
        (group_losses.clone() * group_losses * groups.weights().clone()).sum()
    }
}
