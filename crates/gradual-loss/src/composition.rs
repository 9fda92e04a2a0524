//! From losses to one scalar, and from there to coefficients.

use burn::tensor::Tensor;
use gradual_group::Groups;

use crate::LossError;
use crate::host::host_together;

/// The value of a composition and its derivative in the losses.
#[derive(Debug, Clone)]
pub struct Composed {
    /// L, `[1]`.
    pub value: Tensor<1>,
    /// Coefficients c = ∂L/∂ℓ, `[n]`, before any [`Scale`](crate::Scale).
    pub coefficients: Tensor<1>,
}

/// A function from group losses to the scalar loss.
///
/// One method has to be written, [`value`](Self::value); coefficients come from differentiating it.
/// A composition that learns from draw to draw (the weights of [`GroupDro`](crate::GroupDro)) also
/// writes [`keeps_state`](Self::keeps_state), [`observe`](Self::observe), [`state`](Self::state) and
/// [`restore`](Self::restore).
pub trait Composition: Send {
    /// The composition itself, from group losses `[k]` to a scalar `[1]`. Differentiable in the
    /// group losses. Group weights are in `groups`; a group of weight 0 is empty and has no part.
    fn value(&self, group_losses: Tensor<1>, groups: &Groups) -> Tensor<1>;

    /// Whether the composition is the same whatever the signs of the group losses are, and under any rotation of the
    /// groups: true of the sum of squares alone. Others refuse [signed](Groups::is_signed) groups.
    fn takes_signed(&self) -> bool {
        false
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
    /// Where the composition keeps state, call [`observe_draw`](Self::observe_draw) first.
    ///
    /// # Errors
    ///
    /// [`LossError::Examples`] unless there is one loss per example of the groups, [`LossError::Signed`] for
    /// [signed](Groups::is_signed) groups that it can't compose, and whatever [`check`](Self::check) refuses.
    fn forward(&self, losses: Tensor<1>, groups: &Groups) -> Result<Tensor<1>, LossError> {
        one_loss_each(&losses, groups)?;
        signs("compose", groups, self.takes_signed())?;
        self.check(groups)?;
        Ok(self.value(groups.losses(losses), groups))
    }

    /// Value and coefficients, after [`observe_draw`](Self::observe_draw). Any graph behind `losses`
    /// is left alone. An error leaves the state as it was.
    ///
    /// # Errors
    ///
    /// Those of [`forward`](Self::forward) and [`observe`](Self::observe).
    fn compose(&mut self, losses: &Tensor<1>, groups: &Groups) -> Result<Composed, LossError> {
        self.observe_draw(losses, groups)?;
        let leaf = losses.clone().inner().autodiff().require_grad();
        let value = self.forward(leaf.clone(), groups)?;
        let gradient = value
            .is_tracked()
            .then(|| leaf.grad(&value.backward()))
            .flatten();
        Ok(Composed {
            coefficients: gradient.unwrap_or_else(|| losses.clone().inner().zeros_like()),
            value: value.inner(),
        })
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
        one_loss_each(losses, groups)?;
        signs("compose", groups, self.takes_signed())?;
        self.check(groups)?;
        let group_losses = groups.losses(losses.clone().inner());
        let both = [group_losses, groups.weights().clone()];
        let [group_losses, weights] = host_together("compose", both)?;
        self.observe(&group_losses, &weights)
    }

    /// Whether the composition learns from draw to draw.
    fn keeps_state(&self) -> bool {
        false
    }

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

    /// The state, as numbers to write down; empty where there is none.
    fn state(&self) -> Vec<f64> {
        Vec::new()
    }

    /// Goes back to a state that [`state`](Self::state) gave.
    ///
    /// # Errors
    ///
    /// [`LossError::State`] for numbers that are no state of this composition.
    fn restore(&mut self, state: &[f64]) -> Result<(), LossError> {
        stateless("composition", state)
    }
}

pub(crate) fn one_loss_each(losses: &Tensor<1>, groups: &Groups) -> Result<(), LossError> {
    let ([losses], examples) = (losses.dims(), groups.examples());
    match losses == examples {
        true => Ok(()),
        false => Err(LossError::Examples { losses, examples }),
    }
}

/// Refuses signed groups where they have no meaning.
pub(crate) fn signs(
    operation: &'static str,
    groups: &Groups,
    taken: bool,
) -> Result<(), LossError> {
    match groups.is_signed() && !taken {
        true => Err(LossError::Signed { operation }),
        false => Ok(()),
    }
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
