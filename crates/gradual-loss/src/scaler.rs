//! A scale with its state from draw to draw.

use burn::tensor::Tensor;
use gradual_group::Groups;

use crate::composed::Composed;
use crate::error::LossError;
use crate::scale::Scale;

const OPERATION: &str = "scale";

/// A [`Scale`], and for [`Scale::RunningSum`] its running mean of Σc.
///
/// By default the one that is [usual](Scale::usual) for the groups.
///
/// Nothing of it waits for the device: the sum of a draw is read together with whatever else a step reads, after which
/// [`observe`](Self::observe) takes it up.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Scaler {
    scale: Option<Scale>,
    /// Σ_s β^(t−s) Σc_s and Σ_s β^(t−s).
    memory: [f64; 2],
}

impl Scaler {
    /// Before the first draw.
    pub fn new(scale: Scale) -> Self {
        Self {
            scale: Some(scale),
            memory: [0.0; 2],
        }
    }

    /// Whether [`apply_ahead`](Self::apply_ahead) has to be given the Gram matrix.
    pub fn needs_gram(&self) -> bool {
        self.scale.is_some_and(Scale::needs_gram)
    }

    /// Whether the coefficients of groups that are signed or not can be scaled so.
    ///
    /// # Errors
    ///
    /// [`LossError::SignedSum`] for a scale by the sum of coefficients where groups are signed.
    pub fn check(&self, signed: bool) -> Result<(), LossError> {
        match self.scale.and_then(Scale::divides_by_the_sum) {
            Some(scale) if signed => Err(LossError::SignedSum { scale }),
            _ => Ok(()),
        }
    }

    /// What was composed of `groups`, scaled, without waiting for the device: a sum that can't be divided by is refused
    /// once the result is [settled](Composed::settled). `gram` is the Gram matrix K `[n, n]` of the draw, which
    /// [`Scale::MatchNorm`] needs.
    ///
    /// # Errors
    ///
    /// Those of [`Scale::check`], and [`LossError::NoGram`] and [`LossError::Gram`] unless a Gram matrix that is needed
    /// is that of the draw.
    pub fn apply_ahead(
        &self,
        composed: Composed,
        groups: &Groups,
        gram: Option<&Tensor<2>>,
    ) -> Result<Composed, LossError> {
        let scale = self.scale.unwrap_or_else(|| Scale::usual(groups));
        scale.check(groups)?;
        scale.scaled(composed, gram, self.memory)
    }

    /// Takes up the sum of a draw that is [settled](Composed::settled).
    pub fn observe(&mut self, composed: &Composed) {
        if let (Some(Scale::RunningSum(beta)), Some(sum)) = (self.scale, composed.sum())
            && sum > 0.0
            && sum.is_finite()
        {
            let [sums, draws] = self.memory;
            self.memory = [beta * sums + sum, beta * draws + 1.0];
        }
    }

    /// The state, as numbers to write down: the two sums of the running mean, or nothing.
    pub fn state(&self) -> Vec<f64> {
        match self.scale {
            Some(Scale::RunningSum(_)) => self.memory.to_vec(),
            _ => Vec::new(),
        }
    }

    /// Restores a state that [`state`](Self::state) returned.
    ///
    /// # Errors
    ///
    /// [`LossError::State`] for numbers that are no state of this scale.
    pub fn restore(&mut self, state: &[f64]) -> Result<(), LossError> {
        let refused = |expected| LossError::State {
            operation: OPERATION,
            expected,
            got: state.len(),
        };
        match (self.scale, state) {
            (Some(Scale::RunningSum(_)), &[sums, draws]) => {
                let sensible = |number: f64| number.is_finite() && number >= 0.0;
                if !sensible(sums) || !sensible(draws) {
                    return Err(refused("two finite numbers that are not negative"));
                }
                self.memory = [sums, draws];
                Ok(())
            }
            (Some(Scale::RunningSum(_)), _) => Err(refused("two numbers")),
            (_, []) => Ok(()),
            _ => Err(refused("empty")),
        }
    }
}
