//! Gradient surgery.

use gradual_registry::Entry;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::gram::{GramComposition, GroupGram, RuleContext};
use crate::error::LossError;

/// Draws beyond 2⁵³ are not counted exactly by the state.
const EXACT: f64 = (1u64 << 53) as f64;

pub(crate) static ENTRY: Entry<RuleContext, Box<dyn GramComposition>> = Entry {
    name: "pcgrad",
    about: "each group's gradient without its conflicts with the others, one after another, added up",
    facts: &[
        ("rule", "[`PcGrad`]"),
        (
            "direction",
            "Σ of gradients, each without its conflicts in turn",
        ),
        ("use it", "cheap; conflicts can remain"),
    ],
    parameters: &[],
    build: |_, context| Ok(Box::new(PcGrad::new(context.seed))),
};

/// PCGrad: each group's gradient loses what conflicts with the others, and the rests are added.
///
/// # The idea
///
/// Yu et al. 2020, "Gradient surgery for multi-task learning", arXiv 2001.06782, algorithm 1. For
/// each group i: start from p = γ_i, take the other groups in random order, and wherever p · γ_j < 0
/// project, p ← p − (p · γ_j / ‖γ_j‖²) γ_j, with γ_j as it was at first. The direction is the sum
/// of all p. In coefficients on γ, a projection adds −(p · γ_j)/‖γ_j‖² > 0 to the weight of γ_j, so the
/// Gram matrix suffices and no weight is negative.
///
/// The order is drawn anew for each i and draw, from the seed and the number of draws so far; that
/// number is the state.
///
/// # When
///
/// The cheapest rule, k³ operations. Only for two groups is the result free of conflict: a later
/// projection may undo an earlier one. See [`UpGrad`](crate::UpGrad). Without conflicts it is the sum
/// of group losses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PcGrad {
    seed: u64,
    draws: u64,
}

impl PcGrad {
    /// Orders from a seed.
    pub fn new(seed: u64) -> Self {
        Self { seed, draws: 0 }
    }
}

impl GramComposition for PcGrad {
    fn weights(&mut self, gram: &GroupGram) -> Result<Vec<f64>, LossError> {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(self.draws);
        self.draws += 1;
        let k = gram.count();
        let mut sum = vec![0.0; k];
        for i in 0..k {
            let mut own = vec![0.0; k];
            own[i] = 1.0;
            let mut others: Vec<usize> = (0..k).filter(|&j| j != i).collect();
            others.shuffle(&mut random);
            for j in others {
                let product: f64 = (0..k).map(|l| own[l] * gram.product(l, j)).sum();
                let square = gram.product(j, j);
                if product < 0.0 && square > 0.0 {
                    own[j] -= product / square;
                }
            }
            for (sum, own) in sum.iter_mut().zip(own) {
                *sum += own;
            }
        }
        Ok(sum)
    }

    fn name(&self) -> &'static str {
        "PCGrad"
    }

    fn state(&self) -> Vec<f64> {
        vec![self.draws as f64]
    }

    fn restore(&mut self, state: &[f64]) -> Result<(), LossError> {
        match *state {
            [draws] if (0.0..EXACT).contains(&draws) && draws.fract() == 0.0 => {
                self.draws = draws as u64;
                Ok(())
            }
            _ => Err(LossError::State {
                operation: self.name(),
                expected: "one number, the draws so far",
                got: state.len(),
            }),
        }
    }
}
