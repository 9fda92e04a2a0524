//! Any composition, on group losses averaged over draws.

use burn::tensor::Tensor;
use gradual_group::Groups;
use gradual_registry::{Entry, Parameter};

use super::multiplicative::{identity, moved};
use crate::composition::Composition;
use crate::error::{LossError, finite_losses, setting};
use crate::in_units::InUnits;
use crate::precision::vector;

const OPERATION: &str = "running means";

pub(crate) static ENTRY: Entry<Box<dyn Composition>, Box<dyn Composition>> = Entry {
    name: "running-means",
    about: "the composition's pull is taken at running means of group losses over the last draws",
    facts: &[
        ("wrapper", "[`RunningMeans`]"),
        ("L", "of means over the last draws"),
        (
            "use it",
            "for small draws, in which groups are missing or few",
        ),
    ],
    parameters: &[Parameter::number(
        "memory",
        "share of the mean that a draw leaves as it was",
        0.9,
    )
    .at_least(0.0)
    .below(1.0)],
    build: |arguments, composition| {
        let memory = arguments.number("memory")?;
        Ok(Box::new(RunningMeans::new(composition, memory)?))
    },
};

/// Weighs groups by their mean losses over the last draws instead of those of one.
///
/// # The idea
///
/// A composition V pulls group g by ∂V/∂ℓ̄_g, which for the grouped loss is 2ℓ̄_g. On a small draw ℓ̄_g
/// is noisy, and noise in the weight that goes with noise in the gradient is the bias of the square.
/// Here the derivative is taken at running means m_g, so that
///
/// ```text
/// L = Σ_g (∂V/∂ℓ̄_g)(m) ℓ̄_g      c = Mᵀ (∂V/∂ℓ̄)(m)
/// ```
///
/// with m an exponential mean over about 1/(1 − memory) draws, this one included.
///
/// # When
///
/// With groups that keep their identity from draw to draw, and draws that hold few examples of each.
/// A group that a draw lacks keeps its mean. On sparse parity with 2.4 examples of the rarest capability in a draw it did not help
/// (the experiment `small-draws`): as many examples of each group did. Costs 2k numbers copied to the host per draw.
#[derive(Debug, Clone, PartialEq)]
pub struct RunningMeans<C> {
    composition: C,
    memory: f64,
    /// Sums and weights of the exponential means, group by group.
    sums: Vec<[f64; 2]>,
    /// Of the groups, where they have some.
    identities: Vec<u64>,
}

impl<C: Composition> RunningMeans<C> {
    /// `composition` at running means with this memory, from 0 (the draw alone) to below 1.
    ///
    /// # Errors
    ///
    /// [`LossError::Setting`] for a memory outside that range, and [`LossError::SingleExamples`] for a composition that looks at
    /// single examples.
    pub fn new(composition: C, memory: f64) -> Result<Self, LossError> {
        if !composition.is_of_group_losses() {
            return Err(LossError::SingleExamples {
                operation: OPERATION,
                inner: composition.name(),
            });
        }
        let inside = (0.0..1.0).contains(&memory);
        Ok(Self {
            composition,
            memory: setting(OPERATION, "memory", "from 0 to below 1", memory, inside)?,
            sums: Vec::new(),
            identities: Vec::new(),
        })
    }

    /// The running means; none before the first draw, 0 for a group that never came.
    pub fn means(&self) -> Vec<f64> {
        let mean = |[sum, weight]: &[f64; 2]| if *weight > 0.0 { sum / weight } else { 0.0 };
        self.sums.iter().map(mean).collect()
    }

    fn same(&self, groups: usize) -> Result<(), LossError> {
        match self.sums.len() {
            0 => Ok(()),
            expected if expected == groups => Ok(()),
            expected => Err(LossError::Groups {
                operation: OPERATION,
                expected,
                got: groups,
            }),
        }
    }
}

impl<C: Composition> Composition for RunningMeans<C> {
    fn value(&self, group_losses: Tensor<1>, groups: &Groups) -> Tensor<1> {
        self.value_in_units(group_losses, groups).in_full()
    }

    /// In the unit of the inner composition at the means.
    fn value_in_units(&self, group_losses: Tensor<1>, groups: &Groups) -> InUnits {
        let means = self.means();
        if means.is_empty() {
            return self.composition.value_in_units(group_losses, groups);
        }
        let means = vector(&means, &group_losses).autodiff().require_grad();
        let InUnits { value, log_unit } = self.composition.value_in_units(means.clone(), groups);
        let pull = value
            .is_tracked()
            .then(|| means.grad(&value.backward()))
            .flatten();
        let pull = pull.unwrap_or_else(|| means.inner().zeros_like());
        InUnits {
            value: (group_losses * pull).sum(),
            log_unit,
        }
    }

    fn is_linear(&self) -> bool {
        self.composition.is_linear()
    }

    fn name(&self) -> &'static str {
        OPERATION
    }

    /// That of the inner composition: means of losses above it are above it.
    fn least(&self, groups: &Groups) -> Option<f64> {
        self.composition.least(groups)
    }

    fn made_for(&self) -> Option<(&'static str, usize)> {
        self.composition.made_for()
    }

    fn check(&self, groups: &Groups) -> Result<(), LossError> {
        // First the inner one, whose settings may be of another number of groups.
        self.composition.check(groups)?;
        match groups.identities() {
            [] => self.same(groups.num_groups()),
            _ => Ok(()),
        }
    }

    fn follow(&mut self, identities: &[u64]) {
        self.composition.follow(identities);
        if identities.is_empty() {
            return;
        }
        // Where groups had no identities before, these are their first.
        if !self.identities.is_empty() {
            let kept = moved(&self.identities, identities).into_iter();
            let sums = kept.map(|from| from.and_then(|from| self.sums.get(from).copied()));
            self.sums = sums.map(Option::unwrap_or_default).collect();
        }
        self.identities = identities.to_vec();
    }

    fn keeps_state(&self) -> bool {
        true
    }

    fn observe(&mut self, group_losses: &[f64], weights: &[f64]) -> Result<(), LossError> {
        self.same(group_losses.len())?;
        finite_losses(OPERATION, group_losses)?;
        self.composition.observe(group_losses, weights)?;
        self.sums.resize(group_losses.len(), [0.0; 2]);
        let present = group_losses.iter().zip(weights).zip(&mut self.sums);
        for ((loss, _), [sum, weight]) in present.filter(|((_, weight), _)| **weight > 0.0) {
            *sum = self.memory * *sum + loss;
            *weight = self.memory * *weight + 1.0;
        }
        Ok(())
    }

    /// The number of groups, sum and weight of each running mean, and the inner composition's. With identities the number is
    /// negative, and they stand behind the means.
    fn state(&self) -> Vec<f64> {
        let own = self.sums.iter().flatten().copied();
        let count = self.sums.len() as f64;
        let count = match self.identities.len() == self.sums.len() {
            true => -count,
            false => count,
        };
        let identities = self.identities.iter().filter(|_| count < 0.0);
        std::iter::once(count)
            .chain(own)
            .chain(identities.map(|&identity| identity as f64))
            .chain(self.composition.state())
            .collect()
    }

    fn restore(&mut self, state: &[f64]) -> Result<(), LossError> {
        let refused = || LossError::State {
            operation: OPERATION,
            expected: "a count, two finite numbers per group, identities where the count is negative, and the inner state",
            got: state.len(),
        };
        let (count, rest) = state.split_first().ok_or_else(refused)?;
        let groups = count.abs() as usize;
        let own = groups.checked_mul(2).filter(|_| count.fract() == 0.0);
        let (own, rest) = own
            .and_then(|own| rest.split_at_checked(own))
            .ok_or_else(refused)?;
        let identified = if *count < 0.0 { groups } else { 0 };
        let (identities, inner) = rest.split_at_checked(identified).ok_or_else(refused)?;
        let identities: Option<Vec<u64>> = identities.iter().map(|&one| identity(one)).collect();
        let identities = identities.ok_or_else(refused)?;
        if own.iter().any(|value| !value.is_finite()) {
            return Err(refused());
        }
        self.composition.restore(inner)?;
        self.identities = identities;
        self.sums = own.chunks(2).map(|pair| [pair[0], pair[1]]).collect();
        Ok(())
    }
}
