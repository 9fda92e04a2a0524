#![doc = include_str!("../README.md")]
//!
//! # The idea
//!
//! A composition is a function from group losses ℓ̄ `[k]` to one scalar L. Groups are constants, so
//! L is a function of the losses ℓ `[n]` alone and ∇L = Σ_j c_j ∇ℓ_j with c = ∂L/∂ℓ: whatever the
//! composition, a step is one weighted sum of per-example gradients. Each composition is written
//! once, as a differentiable function; its coefficients come from differentiating that function on
//! the n-vector of losses, which costs next to nothing.
//!
//! # Which composition
//!
//! s are group weights (1, and 0 for a group without examples), which
//! [`Priors`](gradual_group::Priors) multiply.
//!
#![doc = include_str!("compositions.md")]
//!
//! All give no negative coefficient for losses that are not negative, agree that zero is then optimal (an adversary's
//! constants aside), and cost next to nothing beside the model. [`GroupDro`] and [`ExcessLoss`] remember
//! groups from draw to draw; the others keep no state, and nothing of theirs leaves the device.
//!
//! On small draws the square of a group's mean loss is biased upward: [`LeaveOneOut`] is the grouped loss without that
//! bias, [`RunningMeans`] (`running-means`) takes any composition at means over the last draws.
//!
//! # Losses below zero
//!
//! A likelihood of a density gives losses below zero. Compositions marked ≥ 0 are made for losses whose best value is
//! zero: below zero a square pulls a group *away* from its best value, and the more so the better the group is. They
//! refuse a group loss
//! that is negative by more than rounding, by group and value ([`LossError::Negative`]). Take a composition for any
//! losses, or [`Shifted`] (`shifted`), which counts losses from a floor b that none comes below.
//!
//! Over [`EachExample`](gradual_group::EachExample) any of them composes single examples.
//!
//! Rules that look at the *angles* between group gradients are [`GramComposition`]s. They need
//! per-example gradients, whose Gram matrix is all they see (by convention that of the parameters that all groups
//! share, without private heads):
//!
#![doc = include_str!("rules.md")]
//!
//! # By name
//!
//! [`registry`] lists all of them, and the scales, with their parameters; `cvar(alpha = 0.2)` in a file is built from
//! it.
//!
//! # Two ways to use it
//!
//! With per-example gradients: [`compose`](Composition::compose) gives the coefficients, a [`Scale`] their size, and
//! `ExampleGradients::combine` the gradient. With any Burn model, without taps: [`forward`](Composition::forward) is a
//! tensor to call `backward` on, like Burn's own losses. Both wait for the device where something could have to be
//! refused; a step of `gradual-train` reads those few numbers together with its others
//! ([`compose_ahead`](Composition::compose_ahead), [`Scaler`]).
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]

mod composed;
mod composition;
mod compositions;
mod error;
mod host;
mod in_units;
mod precision;
pub mod registry;
mod rules;
mod scale;
mod scaler;

pub use composed::Composed;
pub use composition::Composition;
pub use compositions::*;
pub use error::LossError;
pub use in_units::InUnits;
pub use rules::*;
pub use scale::Scale;
pub use scaler::Scaler;
