//! The plain mean.

use burn::tensor::Tensor;
use gradual_group::Groups;

use crate::Composition;

/// L = Σ_g s_g ℓ̄_g / Σ_g s_g, the weighted mean of group losses.
///
/// With one group of all examples this is ERM and c_j = 1/n. With labelled groups it is the
/// balanced loss: every group counts the same, whatever its size.
#[derive(Debug, Clone, Copy, Default)]
pub struct Mean;

impl Composition for Mean {
    fn value(&self, group_losses: Tensor<1>, groups: &Groups) -> Tensor<1> {
        let weights = groups.weights().clone();
        let mass = weights.clone().sum().clamp_min(f32::MIN_POSITIVE);
        (group_losses * weights).sum() / mass
    }
}
