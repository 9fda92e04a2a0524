//! The grouped loss.

use burn::tensor::Tensor;
use gradual_group::Groups;
use gradual_registry::Entry;

use super::power::{non_negative, sum_of_powers};
use crate::composition::Composition;

pub(crate) static ENTRY: Entry<(), Box<dyn Composition>> = Entry {
    name: "squares",
    about: "the sum of squared group losses: the grouped loss",
    facts: &[
        ("composition", "[`SumOfSquares`]"),
        ("L", "Σ s ℓ̄²"),
        ("group g pulls with", "2 s_g ℓ̄_g"),
        ("losses", "≥ 0"),
        ("use it", "first: the grouped loss"),
    ],
    parameters: &[],
    build: |_, ()| Ok(Box::new(SumOfSquares)),
};

/// L = Σ_g s_g ℓ̄_g², the grouped loss (A. Jermyn, 2022).
///
/// The coefficient of example j in group g is 2 s_g ℓ̄_g M_gj: the worst group dominates, and a
/// group that is learned pulls no more. On a small draw ℓ̄_g² overestimates the square of the true
/// group loss by its variance over n_g.
///
/// Group losses must not be negative: below zero a square pushes the loss upward, and the more so the lower it is. Of
/// signed groups any will do, since the sign of a direction is arbitrary and a square does not see it.
#[derive(Debug, Clone, Copy, Default)]
pub struct SumOfSquares;

impl Composition for SumOfSquares {
    fn takes_signed(&self) -> bool {
        true
    }

    fn value(&self, group_losses: Tensor<1>, groups: &Groups) -> Tensor<1> {
        sum_of_powers(group_losses, groups, 2.0)
    }

    fn name(&self) -> &'static str {
        "sum of squares"
    }

    fn least(&self, groups: &Groups) -> Option<f64> {
        non_negative(groups)
    }
}
