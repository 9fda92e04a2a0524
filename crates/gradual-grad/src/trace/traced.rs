//! What a trace yields.

use burn::tensor::Tensor;

use crate::gradients::ExampleGradients;

/// What a trace yields: the losses of a draw, and their gradients.
#[derive(Debug, Clone)]
pub struct Traced {
    /// Losses ℓ, `[n]`, without autodiff.
    pub losses: Tensor<1>,
    /// Gradients ∇ℓ_j of all trainable parameters, in factored form.
    pub gradients: ExampleGradients,
}
