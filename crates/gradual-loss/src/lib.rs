//! Compositions of group losses, and the coefficients that they give every example.
//!
//! # The idea
//!
//! A composition is a function from group losses ℓ̄ `[k]` to one scalar L. Groups are constants, so
//! L is a function of the losses ℓ `[n]` alone and ∇L = Σ_j c_j ∇ℓ_j with c = ∂L/∂ℓ: whatever the
//! composition, a step is one weighted sum of per-example gradients. Each composition is written
//! once, as a differentiable function; its coefficients come from differentiating that function on
//! the n-vector of losses, which costs next to nothing.
//!
//! # Two ways to use it
//!
//! With per-example gradients: [`compose`](Composition::compose) gives the coefficients, and
//! `ExampleGradients::combine` the gradient. With any Burn model, without taps:
//! [`forward`](Composition::forward) is a tensor to call `backward` on, like Burn's own losses.
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use gradual_group::{Average, Groups};
//! use gradual_loss::{Composition, Scale, SumOfSquares};
//!
//! let device = Device::flex();
//! let losses = Tensor::<1>::from_floats([1.0, 3.0, 2.0], &device);
//! let groups = Groups::hard(vec![Some(0), Some(0), Some(1)], 2, Average::Mean, &device)?;
//! let composed = SumOfSquares.compose(&losses, &groups)?;
//! // L = ((1 + 3)/2)² + 2², c_j = 2 ℓ̄_g / n_g
//! assert_eq!(composed.value.into_scalar::<f32>(), 8.0);
//! let raw: Vec<f32> = composed.coefficients.clone().into_data().try_to_vec()?;
//! assert_eq!(raw, [2.0, 2.0, 4.0]);
//! let scaled: Vec<f32> = Scale::UnitSum.apply(composed.coefficients).into_data().try_to_vec()?;
//! assert_eq!(scaled, [0.25, 0.25, 0.5]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod composition;
mod error;
mod mean;
mod scale;
mod squares;

pub use composition::{Composed, Composition};
pub use error::LossError;
pub use mean::Mean;
pub use scale::Scale;
pub use squares::SumOfSquares;
