//! Any composition, on group losses above a floor.

use burn::tensor::Tensor;
use gradual_group::Groups;
use gradual_registry::{Entry, Parameter};

use crate::composition::Composition;
use crate::error::{LossError, setting};
use crate::in_units::InUnits;

pub(crate) static ENTRY: Entry<Box<dyn Composition>, Box<dyn Composition>> = Entry {
    name: "shifted",
    about: "group losses count from a floor that none comes below",
    facts: &[
        ("wrapper", "[`Shifted`]"),
        ("L", "of losses counted from a floor"),
        ("use it", "for losses below zero"),
    ],
    parameters: &[Parameter::number("floor", "the floor, in nats", 0.0)
        .at_least(-1e30)
        .at_most(1e30)],
    build: |arguments, composition| {
        Ok(Box::new(Shifted::new(
            composition,
            arguments.number("floor")?,
        )?))
    },
};

/// L(ℓ̄ − b): a composition of group losses that count from a floor b.
///
/// # The idea
///
/// Powers of losses are made for losses whose best value is zero. A negative log-likelihood of a density has another
/// one, below zero or not known: there ratios of losses mean nothing, and a square pulls a group away from its best.
/// With b at or below the best loss that any group can reach, ℓ̄ − b is a loss as they want it. The derivative is that
/// of the composition at ℓ̄ − b; the group that is nearest to b counts as learned.
///
/// # When
///
/// With [`SumOfSquares`](crate::SumOfSquares), [`PowerMean`](crate::PowerMean), [`LeaveOneOut`](crate::LeaveOneOut) and
/// [`Focal`](crate::Focal) over losses that can be negative, or whose best value is far above zero. The lower b, the
/// more equal all groups count. A group that comes below b is refused. Where no floor is known, take a composition that
/// compares differences: [`Tilted`](crate::Tilted), [`Cvar`](crate::Cvar), [`GroupDro`](crate::GroupDro); and where
/// groups have different best values, [`ExcessLoss`](crate::ExcessLoss).
#[derive(Debug, Clone, PartialEq)]
pub struct Shifted<C> {
    composition: C,
    floor: f64,
}

impl<C: Composition> Shifted<C> {
    /// `composition` of group losses above `floor`.
    ///
    /// # Errors
    ///
    /// [`LossError::Setting`] unless `floor` is finite.
    pub fn new(composition: C, floor: f64) -> Result<Self, LossError> {
        let floor = setting("shifted", "floor", "finite", floor, true)?;
        Ok(Self { composition, floor })
    }
}

impl<C: Composition> Composition for Shifted<C> {
    fn value(&self, group_losses: Tensor<1>, groups: &Groups) -> Tensor<1> {
        self.composition.value(group_losses - self.floor, groups)
    }

    fn value_in_units(&self, group_losses: Tensor<1>, groups: &Groups) -> InUnits {
        self.composition
            .value_in_units(group_losses - self.floor, groups)
    }

    fn value_of_draw(&self, losses: Tensor<1>, groups: &Groups, floor: f64) -> InUnits {
        self.composition
            .value_of_draw(losses, groups, floor + self.floor)
    }

    fn is_linear(&self) -> bool {
        self.composition.is_linear()
    }

    fn name(&self) -> &'static str {
        self.composition.name()
    }

    fn least(&self, groups: &Groups) -> Option<f64> {
        Some(self.composition.least(groups)? + self.floor)
    }

    fn made_for(&self) -> Option<(&'static str, usize)> {
        self.composition.made_for()
    }

    fn check(&self, groups: &Groups) -> Result<(), LossError> {
        self.composition.check(groups)
    }

    fn is_of_group_losses(&self) -> bool {
        self.composition.is_of_group_losses()
    }

    fn keeps_state(&self) -> bool {
        self.composition.keeps_state()
    }

    fn follow(&mut self, identities: &[u64]) {
        self.composition.follow(identities);
    }

    fn observe(&mut self, group_losses: &[f64], weights: &[f64]) -> Result<(), LossError> {
        let above: Vec<f64> = group_losses.iter().map(|loss| loss - self.floor).collect();
        self.composition.observe(&above, weights)
    }

    fn state(&self) -> Vec<f64> {
        self.composition.state()
    }

    fn restore(&mut self, state: &[f64]) -> Result<(), LossError> {
        self.composition.restore(state)
    }
}
