#![doc = include_str!("../README.md")]
//!
//! # The idea
//!
//! Burn's automatic differentiation takes a layer norm or an attention apart into sums, products and exponentials. On a
//! processor each of these reads and writes all of its data, forward and once more backward, and a small model's step is
//! mostly that. The operations here are of one piece: what they read stays in the cache, exponentials are computed in
//! vectors, and the gradient is written out by hand.
//!
//! | operation | | from |
//! |---|---|---|
//! | [`attention_weights`] | softmax(Q Kᵀ/√d + mask) for all heads, from `[n, t, d]` as the projections give it | Vaswani et al. 2017, eq. 1 |
//! | [`attend`] | weights times values, for all heads, back to `[n, t, d]` | the same |
//! | [`linear`] | x W + b | |
//! | [`layer_norm`] | (x − μ)/√(σ² + ε) γ + β over the last axis | Ba et al. 2016, eq. 4 |
//! | [`gelu`], [`gelu_approximate`], [`silu`] | x Φ(x), its form with tanh, x σ(x) | Hendrycks & Gimpel 2016, arXiv 1606.08415 |
//! | [`log_likelihoods`] | log softmax(z)\[target\] over the last axis | |
//!
//! # When
//!
//! On the backend `flex` with the feature `flex`, in single precision, and without checkpointing of activations. Everything
//! else, other backends and data types among it, is computed by Burn's own operations, which give the same up to rounding.
//! Layers that `gradual-grad` taps use these by themselves.

mod activation;
mod attention;
mod likelihood;
mod linear;
mod masks;
mod norm;

#[cfg(feature = "flex")]
mod flex;
#[cfg(feature = "flex")]
mod kernels;

pub use activation::{gelu, gelu_approximate, silu};
pub use attention::{AttentionSoftmax, attend, attention_weights};
pub use likelihood::log_likelihoods;
pub use linear::linear;
pub use masks::AttentionMasks;
pub use norm::layer_norm;
