//! From losses to one scalar, and from there to coefficients.

use burn::tensor::Tensor;
use gradual_group::Groups;

use crate::LossError;

/// The value of a composition and its derivative in the losses.
#[derive(Debug, Clone)]
pub struct Composed {
    /// L, `[1]`.
    pub value: Tensor<1>,
    /// Coefficients c = ∂L/∂ℓ, `[n]`, before any [`Scale`](crate::Scale).
    pub coefficients: Tensor<1>,
}

/// A function from group losses to the scalar loss.
pub trait Composition: Send {
    /// The composition itself, from group losses `[k]` to a scalar `[1]`. Differentiable in the
    /// group losses. Group weights are in `groups`.
    fn value(&self, group_losses: Tensor<1>, groups: &Groups) -> Tensor<1>;

    /// The composition of the losses `[n]` of a draw, a scalar `[1]` to call `backward` on.
    ///
    /// # Errors
    ///
    /// [`LossError::Examples`] unless there is one loss per example of the groups.
    fn forward(&self, losses: Tensor<1>, groups: &Groups) -> Result<Tensor<1>, LossError> {
        let ([losses_len], examples) = (losses.dims(), groups.examples());
        if losses_len != examples {
            return Err(LossError::Examples {
                losses: losses_len,
                examples,
            });
        }
        Ok(self.value(groups.losses(losses), groups))
    }

    /// Value and coefficients. Any graph behind `losses` is left alone.
    ///
    /// # Errors
    ///
    /// Those of [`forward`](Self::forward).
    fn compose(&self, losses: &Tensor<1>, groups: &Groups) -> Result<Composed, LossError> {
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
}
