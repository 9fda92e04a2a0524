//! The plain mean.

use burn::tensor::Tensor;
use gradual_group::Groups;
use gradual_registry::Entry;

use crate::composition::Composition;
use crate::precision::weights;

pub(crate) static ENTRY: Entry<(), Box<dyn Composition>> = Entry {
    name: "mean",
    about: "the weighted mean of group losses: ERM over one group, the balanced loss over labels",
    facts: &[
        ("composition", "[`Mean`]"),
        ("L", "Σ s ℓ̄ / Σ s"),
        ("group g pulls with", "s_g"),
        ("losses", "any"),
        ("use it", "for ERM (one group) and the balanced loss"),
    ],
    parameters: &[],
    build: |_, ()| Ok(Box::new(Mean)),
};

/// L = Σ_g s_g ℓ̄_g / Σ_g s_g, the weighted mean of group losses.
///
/// With one group of all examples this is ERM and c_j = 1/n. With labelled groups it is the
/// balanced loss: every group counts the same, whatever its size. Losses may have any sign.
#[derive(Debug, Clone, Copy, Default)]
pub struct Mean;

impl Composition for Mean {
    fn value(&self, group_losses: Tensor<1>, groups: &Groups) -> Tensor<1> {
        let weights = weights(groups, &group_losses);
        let mass = weights.clone().sum().clamp_min(f32::MIN_POSITIVE);
        (group_losses * weights).sum() / mass
    }

    fn name(&self) -> &'static str {
        "mean"
    }

    fn is_linear(&self) -> bool {
        true
    }
}
