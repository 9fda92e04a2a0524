//! The worst group alone.

use burn::tensor::Tensor;
use gradual_group::Groups;
use gradual_registry::Entry;

use crate::composition::Composition;
use crate::precision::weights;

pub(crate) static ENTRY: Entry<(), Box<dyn Composition>> = Entry {
    name: "max",
    about: "the loss of the worst group alone",
    facts: &[
        ("composition", "[`Max`]"),
        ("L", "max_g ℓ_g"),
        ("group g pulls with", "1 if it is the worst, or 0"),
        ("losses", "any"),
        ("use it", "as the limit of high powers"),
    ],
    parameters: &[],
    build: |_, ()| Ok(Box::new(Max)),
};

/// L = max_g ℓ̄_g over the groups that the draw has.
///
/// # The idea
///
/// The worst group dominates a sum of powers the more, the higher the power. This is the end of that road, and the
/// objective that group DRO looks for the saddle point of (Sagawa et al. 2020, arXiv 1911.08731, equation 4), followed
/// without its averaging. The coefficient is 1 for the worst group, the first of equals, and 0 for the rest; the weights of
/// groups decide only which are there. [`Cvar`](crate::Cvar) with a fraction below the smallest mass is the same.
///
/// # When
///
/// To see what the limit does. Each step serves one group, by losses that are estimated from one draw, so the groups
/// take turns at random as soon as they are about equally far. Costs a look at k numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Max;

impl Composition for Max {
    fn value(&self, group_losses: Tensor<1>, groups: &Groups) -> Tensor<1> {
        let absent = weights(groups, &group_losses).equal_elem(0.0);
        let compared = group_losses.clone().inner();
        let worst = compared.mask_fill(absent, f32::MIN).argmax(0);
        group_losses.select(0, worst)
    }

    fn name(&self) -> &'static str {
        "maximum"
    }
}
