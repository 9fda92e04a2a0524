//! From losses to one scalar, and from there to coefficients.

use burn::tensor::Tensor;
use gradual_group::Groups;

use crate::composed::{Check, Composed, NOT_LOW};
use crate::error::{LossError, finite_losses};
use crate::host::host_together;
use crate::in_units::InUnits;
use crate::precision::{epsilon, group_losses, weights, wide};

/// A loss may be below the least by this many units of rounding.
const ROUNDING: f64 = 16.0;

/// A function from group losses to the scalar loss.
///
/// One method has to be written, [`value`](Self::value); coefficients come from differentiating it.
/// A composition that makes sense for non-negative losses alone says so in [`least`](Self::least).
/// One that learns from draw to draw (the weights of [`GroupDro`](crate::GroupDro)) also
/// writes [`keeps_state`](Self::keeps_state), [`observe`](Self::observe), [`state`](Self::state) and
/// [`restore`](Self::restore).
///
/// # Precision
///
/// Losses in half precision are composed in single precision, losses in double precision in double,
/// whatever precision the groups are in. [`value`](Self::value) is given group losses and groups in that precision.
pub trait Composition: Send {
    /// The composition itself, from group losses `[k]` to a scalar `[1]`. Differentiable in the
    /// group losses. Group weights are in `groups`; a group of weight 0 is empty and has no part.
    fn value(&self, group_losses: Tensor<1>, groups: &Groups) -> Tensor<1>;

    /// The [`value`](Self::value) in a unit of its own, for compositions that powers of small losses take out of range: ℓ^15
    /// is no number of single precision below ℓ = 0.003. Coefficients are then taken in this unit, and a
    /// [`Scale`](crate::Scale) that knows no unit has them as they are there. By default the unit is 1.
    fn value_in_units(&self, group_losses: Tensor<1>, groups: &Groups) -> InUnits {
        self.value(group_losses, groups).into()
    }

    /// The composition of the losses `[n]` of a draw, `floor` taken from every group loss: by default the
    /// [`value_in_units`](Self::value_in_units) of ℓ̄ − floor. For compositions that look at more than group losses.
    fn value_of_draw(&self, losses: Tensor<1>, groups: &Groups, floor: f64) -> InUnits {
        let group_losses = group_losses(losses, groups);
        let above = match floor == 0.0 {
            true => group_losses,
            false => group_losses - floor,
        };
        self.value_in_units(above, groups)
    }

    /// The composition's name in messages.
    fn name(&self) -> &'static str {
        "composition"
    }

    /// The least group loss that the composition is meant for; none where any will do, which is the
    /// default.
    ///
    /// A lower one is refused. A loss that is lower by rounding alone is not, and must count as the least: lower by
    /// at most 16 ε Σ_j M_gj (1 + |ℓ_j|), with ε the spacing of numbers at 1 in the precision of the losses (2e-6 for a
    /// cross-entropy near zero in single precision).
    fn least(&self, _groups: &Groups) -> Option<f64> {
        None
    }

    /// Whether the composition is the same whatever the signs of the group losses are, and under any rotation of the
    /// groups: true of the sum of squares alone. Others refuse [signed](Groups::is_signed) groups.
    fn takes_signed(&self) -> bool {
        false
    }

    /// Whether the composition is linear in the group losses: true of means. Coefficients then do not depend on losses, and the
    /// gradient on a random draw is on average that on all examples, however few of them a group has. All others weigh groups by
    /// their losses, which are mostly noise where a draw has few examples of a group.
    fn is_linear(&self) -> bool {
        false
    }

    /// The number of groups that the composition is made for, where its settings are one for each, and the name of the
    /// composition whose settings they are: it may be an inner one. Any number by default.
    fn made_for(&self) -> Option<(&'static str, usize)> {
        None
    }

    /// Whether the value is one of group losses alone, as that of all but [`LeaveOneOut`](crate::LeaveOneOut) is. What replaces
    /// group losses by others needs it.
    fn is_of_group_losses(&self) -> bool {
        true
    }

    /// Whether these groups are the ones that the composition knows; by default any are.
    ///
    /// # Errors
    ///
    /// [`LossError::Groups`] when it remembers another number of groups.
    fn check(&self, _groups: &Groups) -> Result<(), LossError> {
        Ok(())
    }

    /// The composition of the losses `[n]` of a draw, a scalar `[1]` to call `backward` on.
    ///
    /// Where the composition keeps state, call [`observe_draw`](Self::observe_draw) first. Waits for the device where
    /// there is a [`least`](Self::least) loss.
    ///
    /// # Errors
    ///
    /// [`LossError::Examples`] unless there is one loss per example of the groups, [`LossError::Signed`] for signed
    /// groups that are not [taken](Self::takes_signed), [`LossError::Negative`] naming the first group whose loss is
    /// below the [`least`](Self::least), and whatever [`check`](Self::check) refuses.
    fn forward(&self, losses: Tensor<1>, groups: &Groups) -> Result<Tensor<1>, LossError> {
        admitted(self, &losses, groups)?;
        let groups = groups.for_losses(&losses);
        let low = too_low(self, &losses.clone().inner(), &groups);
        let value = self.value_of_draw(wide(losses), &groups, 0.0).in_full();
        let none = Tensor::zeros([0], &value.device().inner());
        Composed::new(value, none)
            .with(low)
            .settled_now()
            .map(|composed| composed.value)
    }

    /// Value and coefficients, after [`observe_draw`](Self::observe_draw). Any graph behind `losses`
    /// is left alone. An error leaves the state as it was.
    ///
    /// # Errors
    ///
    /// Those of [`forward`](Self::forward) and [`observe`](Self::observe).
    fn compose(&mut self, losses: &Tensor<1>, groups: &Groups) -> Result<Composed, LossError> {
        Ok(self.compose_ahead(losses, groups)?.settled_now()?.in_full())
    }

    /// [`compose`](Self::compose) without waiting for the device: losses below the [`least`](Self::least) are
    /// refused once the result is [settled](Composed::settled).
    ///
    /// # Errors
    ///
    /// Those of [`compose`](Self::compose), but that one unless the composition keeps state.
    fn compose_ahead(
        &mut self,
        losses: &Tensor<1>,
        groups: &Groups,
    ) -> Result<Composed, LossError> {
        admitted(self, losses, groups)?;
        self.observe_draw(losses, groups)?;
        let groups = groups.for_losses(losses);
        let losses = losses.clone().inner();
        // What keeps state has looked already.
        let low = match self.keeps_state() {
            true => None,
            false => too_low(self, &losses, &groups),
        };
        let leaf = wide(losses).autodiff().require_grad();
        let value = self.value_of_draw(leaf.clone(), &groups, 0.0);
        Ok(Composed::in_units(value, leaf).with(low))
    }

    /// Shows the losses `[n]` of a draw to a composition that keeps state. For one that does not,
    /// nothing is computed and nothing leaves the device.
    ///
    /// # Errors
    ///
    /// Those of [`forward`](Self::forward) and [`observe`](Self::observe).
    fn observe_draw(&mut self, losses: &Tensor<1>, groups: &Groups) -> Result<(), LossError> {
        if !self.keeps_state() {
            return Ok(());
        }
        admitted(self, losses, groups)?;
        let groups = groups.for_losses(losses);
        let losses = losses.clone().inner();
        let low = too_low(self, &losses, &groups);
        let group_losses = group_losses(wide(losses), &groups);
        let weights = weights(&groups, &group_losses);
        let none = || Tensor::zeros([0], &group_losses.device());
        let numbers = low.as_ref().map_or_else(none, Check::numbers);
        let [group_losses, weights, low_losses] =
            host_together("compose", [group_losses, weights, numbers])?;
        if let Some(low) = low {
            low.of(&low_losses)?;
        }
        if !groups.identities().is_empty() {
            // What is refused is refused before anything is taken along or forgotten.
            finite_losses(self.name(), &group_losses)?;
            self.follow(groups.identities());
        }
        self.observe(&group_losses, &weights)
    }

    /// Whether the composition learns from draw to draw.
    fn keeps_state(&self) -> bool {
        false
    }

    /// Takes up the groups of the next draw by their [identities](Groups::identities), where the grouping tells them: what is
    /// kept of a group goes with it to its new number, new groups begin as all do at first, and those that are gone are
    /// forgotten. Called before each [`observe`](Self::observe) of groups that have some. By default there is nothing to take along.
    fn follow(&mut self, _identities: &[u64]) {}

    /// Updates the state from the group losses `[k]` of a draw and the groups' weights `[k]`, in the
    /// same order from draw to draw. By default there is no state.
    ///
    /// # Errors
    ///
    /// [`LossError::Groups`] for another number of groups than before, [`LossError::NotFinite`] for
    /// a loss that is NaN or infinite. The state is then as before.
    fn observe(&mut self, _group_losses: &[f64], _weights: &[f64]) -> Result<(), LossError> {
        Ok(())
    }

    /// The state, as numbers to be saved; empty where there is none.
    fn state(&self) -> Vec<f64> {
        Vec::new()
    }

    /// Restores a state that [`state`](Self::state) returned.
    ///
    /// # Errors
    ///
    /// [`LossError::State`] for numbers that are no state of this composition.
    fn restore(&mut self, state: &[f64]) -> Result<(), LossError> {
        stateless("composition", state)
    }
}

/// Every method is that of the composition in the box.
impl<C: Composition + ?Sized> Composition for Box<C> {
    fn value(&self, group_losses: Tensor<1>, groups: &Groups) -> Tensor<1> {
        (**self).value(group_losses, groups)
    }

    fn value_in_units(&self, group_losses: Tensor<1>, groups: &Groups) -> InUnits {
        (**self).value_in_units(group_losses, groups)
    }

    fn value_of_draw(&self, losses: Tensor<1>, groups: &Groups, floor: f64) -> InUnits {
        (**self).value_of_draw(losses, groups, floor)
    }

    fn name(&self) -> &'static str {
        (**self).name()
    }

    fn least(&self, groups: &Groups) -> Option<f64> {
        (**self).least(groups)
    }

    fn takes_signed(&self) -> bool {
        (**self).takes_signed()
    }

    fn is_linear(&self) -> bool {
        (**self).is_linear()
    }

    fn made_for(&self) -> Option<(&'static str, usize)> {
        (**self).made_for()
    }

    fn is_of_group_losses(&self) -> bool {
        (**self).is_of_group_losses()
    }

    fn follow(&mut self, identities: &[u64]) {
        (**self).follow(identities);
    }

    fn check(&self, groups: &Groups) -> Result<(), LossError> {
        (**self).check(groups)
    }

    fn forward(&self, losses: Tensor<1>, groups: &Groups) -> Result<Tensor<1>, LossError> {
        (**self).forward(losses, groups)
    }

    fn compose(&mut self, losses: &Tensor<1>, groups: &Groups) -> Result<Composed, LossError> {
        (**self).compose(losses, groups)
    }

    fn compose_ahead(
        &mut self,
        losses: &Tensor<1>,
        groups: &Groups,
    ) -> Result<Composed, LossError> {
        (**self).compose_ahead(losses, groups)
    }

    fn observe_draw(&mut self, losses: &Tensor<1>, groups: &Groups) -> Result<(), LossError> {
        (**self).observe_draw(losses, groups)
    }

    fn keeps_state(&self) -> bool {
        (**self).keeps_state()
    }

    fn observe(&mut self, group_losses: &[f64], weights: &[f64]) -> Result<(), LossError> {
        (**self).observe(group_losses, weights)
    }

    fn state(&self) -> Vec<f64> {
        (**self).state()
    }

    fn restore(&mut self, state: &[f64]) -> Result<(), LossError> {
        (**self).restore(state)
    }
}

pub(crate) fn one_loss_each(losses: &Tensor<1>, groups: &Groups) -> Result<(), LossError> {
    let ([losses], examples) = (losses.dims(), groups.num_examples());
    match losses == examples {
        true => Ok(()),
        false => Err(LossError::Examples { losses, examples }),
    }
}

/// Whatever the host can refuse of a draw.
fn admitted<C: Composition + ?Sized>(
    composition: &C,
    losses: &Tensor<1>,
    groups: &Groups,
) -> Result<(), LossError> {
    one_loss_each(losses, groups)?;
    if groups.is_signed() && !composition.takes_signed() {
        return Err(LossError::Signed {
            operation: composition.name(),
        });
    }
    composition.check(groups)
}

/// The losses of groups that are below the least by more than rounding; a group of weight 0 has none.
fn too_low<C: Composition + ?Sized>(
    composition: &C,
    losses: &Tensor<1>,
    groups: &Groups,
) -> Option<Check> {
    let least = composition.least(groups)?;
    let rounding = ROUNDING * epsilon(losses.dtype());
    let losses = wide(losses.clone());
    let membership = groups.membership().clone().cast(losses.dtype());
    let sizes = losses.clone().abs() + 1.0;
    let both = membership.matmul(Tensor::stack(vec![losses, sizes], 1));
    let [own, sizes] = [0, 1].map(|at| both.clone().narrow(1, at, 1).flatten(0, 1));
    let slack = (sizes + least.abs()) * rounding;
    let absent = weights(groups, &own).lower_equal_elem(0.0);
    // False for what is no number, too.
    let fine = (own.clone() + slack).lower_elem(least).bool_not();
    let low = own.mask_fill(fine.bool_or(absent), NOT_LOW);
    Some(Check::Least {
        operation: composition.name(),
        least,
        low,
    })
}

/// What a composition without state restores.
pub(crate) fn stateless(operation: &'static str, state: &[f64]) -> Result<(), LossError> {
    match state {
        [] => Ok(()),
        _ => Err(LossError::State {
            operation,
            expected: "empty",
            got: state.len(),
        }),
    }
}
