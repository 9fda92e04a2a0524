//! Weights on groups that grow by multiplication.

use burn::tensor::Tensor;

use crate::error::LossError;
use crate::precision::vector;

/// A distribution q over groups under exponentiated-gradient steps, q_g ← q_g e^(x_g) / Σ.
///
/// Held as ln q, so that a weight that has all but vanished can come back: e^(−800) is no number, −800
/// is. Empty until the first draw tells how many groups there are; until then q is uniform.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Multiplicative {
    log: Vec<f64>,
}

impl Multiplicative {
    /// Fails when the distribution is over another number of groups.
    pub(crate) fn check(&self, operation: &'static str, groups: usize) -> Result<(), LossError> {
        match self.log.len() {
            0 => Ok(()),
            expected if expected == groups => Ok(()),
            expected => Err(LossError::Groups {
                operation,
                expected,
                got: groups,
            }),
        }
    }

    /// One step with exponents x `[k]`, all finite.
    pub(crate) fn step(&mut self, exponents: &[f64]) {
        self.log.resize(exponents.len(), 0.0);
        for (log, exponent) in self.log.iter_mut().zip(exponents) {
            *log += exponent;
        }
        let largest = self.log.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = self.log.iter().map(|log| (log - largest).exp()).sum();
        for log in &mut self.log {
            *log -= largest + sum.ln();
        }
    }

    /// q ← (1 − c) q + c/k.
    pub(crate) fn smooth(&mut self, share: f64) {
        if share > 0.0 {
            let even = share / self.log.len().max(1) as f64;
            for log in &mut self.log {
                *log = ((1.0 - share) * log.exp() + even).ln();
            }
        }
    }

    /// q, for k groups.
    pub(crate) fn shares(&self, groups: usize) -> Vec<f64> {
        match self.log.as_slice() {
            [] => vec![1.0 / groups.max(1) as f64; groups],
            log => log.iter().map(|log| log.exp()).collect(),
        }
    }

    /// q `[k]`, on the device and in the precision of `like` `[k]`.
    pub(crate) fn tensor(&self, like: &Tensor<1>) -> Tensor<1> {
        let [groups] = like.dims();
        vector(&self.shares(groups), like)
    }

    pub(crate) fn log(&self) -> &[f64] {
        &self.log
    }

    /// Goes back to ln q; None unless all of it is finite.
    pub(crate) fn restored(log: &[f64]) -> Option<Self> {
        let finite = log.iter().all(|log| log.is_finite());
        finite.then(|| Self { log: log.to_vec() })
    }
}

/// Fails at the first group loss that is not finite.
pub(crate) fn finite_losses(operation: &'static str, losses: &[f64]) -> Result<(), LossError> {
    match losses.iter().position(|loss| !loss.is_finite()) {
        None => Ok(()),
        Some(group) => Err(LossError::NotFinite {
            operation,
            what: "loss",
            group,
            value: losses[group],
        }),
    }
}
