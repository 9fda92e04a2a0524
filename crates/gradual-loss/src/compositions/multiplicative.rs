//! Weights on groups that grow by multiplication.

use burn::tensor::Tensor;
use gradual_group::Groups;

use crate::error::LossError;
use crate::precision::vector;

/// A distribution q over groups under exponentiated-gradient steps, q_g ← q_g e^(x_g) / Σ.
///
/// Held as ln q, so that a weight that has all but vanished can come back: e^(−800) is no number, −800
/// is. Empty until the first draw tells how many groups there are; until then q is uniform.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Multiplicative {
    log: Vec<f64>,
    /// Of the groups, where they have some.
    identities: Vec<u64>,
}

impl Multiplicative {
    /// Fails when the distribution is over another number of groups, and these have no identities by which they could be known.
    pub(crate) fn check(&self, operation: &'static str, groups: &Groups) -> Result<(), LossError> {
        match groups.identities() {
            [] => self.same(operation, groups.num_groups()),
            _ => Ok(()),
        }
    }

    /// Takes up groups by their identities. A group that is new begins with as much as it would have if all had the same.
    pub(crate) fn follow(&mut self, identities: &[u64]) {
        if identities.is_empty() {
            return;
        }
        // Where groups had no identities before, these are their first.
        if !self.log.is_empty() && !self.identities.is_empty() {
            let even = -(identities.len() as f64).ln();
            let kept = moved(&self.identities, identities).into_iter();
            let log = kept.map(|from| from.and_then(|from| self.log.get(from).copied()));
            self.log = log.map(|log| log.unwrap_or(even)).collect();
            self.normalise();
        }
        self.identities = identities.to_vec();
    }

    /// Fails when the distribution is over another number of groups.
    pub(crate) fn same(&self, operation: &'static str, groups: usize) -> Result<(), LossError> {
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
        self.normalise();
    }

    fn normalise(&mut self) {
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

    /// ln q; with identities the number of groups stands first, and they stand last. No entry of ln q is above zero, so that the
    /// number tells which of the two it is.
    pub(crate) fn state(&self) -> Vec<f64> {
        if self.log.is_empty() || self.identities.len() != self.log.len() {
            return self.log.clone();
        }
        let identities = self.identities.iter().map(|&identity| identity as f64);
        let numbers = self.log.iter().copied().chain(identities);
        std::iter::once(self.log.len() as f64)
            .chain(numbers)
            .collect()
    }

    /// Goes back to what [`state`](Self::state) gave; None for anything else.
    pub(crate) fn of_state(state: &[f64]) -> Option<Self> {
        let (&count, numbers) = match state.split_first() {
            Some((count, numbers)) if *count > 0.0 => (count, numbers),
            _ => return Self::restored(state),
        };
        let groups = count as usize;
        if count.fract() != 0.0 || groups.checked_mul(2) != Some(numbers.len()) {
            return None;
        }
        let (log, identities) = numbers.split_at(groups);
        let identities = identities.iter().map(|&one| identity(one));
        Some(Self {
            identities: identities.collect::<Option<_>>()?,
            ..Self::restored(log)?
        })
    }

    pub(crate) fn log(&self) -> &[f64] {
        &self.log
    }

    /// Goes back to ln q; None unless all of it is finite.
    pub(crate) fn restored(log: &[f64]) -> Option<Self> {
        let finite = log.iter().all(|log| log.is_finite());
        finite.then(|| Self {
            log: log.to_vec(),
            identities: Vec::new(),
        })
    }
}

/// For each of the identities `now`, its number among those `before`, where it had one.
pub(crate) fn moved(before: &[u64], now: &[u64]) -> Vec<Option<usize>> {
    now.iter()
        .map(|identity| before.iter().position(|one| one == identity))
        .collect()
}

/// An identity that was saved as a number.
pub(crate) fn identity(number: f64) -> Option<u64> {
    let is_one = number >= 0.0 && number.fract() == 0.0 && number < 2f64.powi(53);
    is_one.then_some(number as u64)
}
