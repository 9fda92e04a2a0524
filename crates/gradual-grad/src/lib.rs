#![doc = include_str!("../README.md")]
//!
//! # The idea
//!
//! A draw of `n` examples has `n` losses ℓ and `n` gradients, the rows of a matrix G `[n, p]`. G is
//! far too large to build, and never has to be: for a linear layer the gradient of example j is
//! X_jᵀΔ_j, its inputs times its output-gradients, and both factors are at hand after one forward
//! and one backward pass. Norms, inner products (the Gram matrix K = G Gᵀ) and weighted sums
//! Gᵀc of the rows all come from the factors.
//!
//! # The steps
//!
//! 1. The model calls [`tap`](Tap::tap) where it would call `forward`. Without a trace running the
//!    two are the same.
//! 2. [`trace`] runs the model once with its parameters untracked. Every tap keeps its input and
//!    adds a leaf to its output.
//! 3. One backward pass of Σ_j ℓ_j fills the leaves with output-gradients. Row j of a leaf belongs
//!    to example j alone, because no layer mixes examples.
//! 4. [`ExampleGradients`] answers from the factors: [`gram`](ExampleGradients::gram),
//!    [`norms`](ExampleGradients::norms), [`combine`](ExampleGradients::combine).
//!
//! # The cost
//!
//! One ordinary forward pass, and a backward pass that saves the products for the parameters'
//! gradients (`combine` does them later, weighted). The Gram matrix costs about n²(d + e)
//! operations for a `[d, e]` weight, whatever n·d·e would be.
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]

mod error;
mod faults;
mod gradients;
#[allow(clippy::disallowed_methods, reason = "this is where numbers are read")]
pub mod host;
mod metric;
#[cfg(feature = "testing")]
mod naive;
mod parameters;
mod precision;
pub mod registry;
mod statistics;
mod taps;
#[allow(
    clippy::disallowed_methods,
    reason = "for records: no step waits for it"
)]
mod tensor_data;
mod trace;
mod verify;

pub use error::GradError;
pub use faults::BurnFault;
pub use gradients::ExampleGradients;
pub use gradients::coverage::{Coverage, Covered};
pub use gradients::record::GradientsRecord;
pub use metric::Metric;
pub use metric::part::Part;
pub use metric::record::MetricRecord;
pub use metric::whitening::Whitening;
#[cfg(feature = "testing")]
pub use naive::naive_rows;
pub use parameters::frozen::frozen_copy;
pub use parameters::{DrawnParameters, draw_parameters};
pub use statistics::RunningStatistics;
pub use taps::attention::AttentionInput;
pub use taps::conv::fault::conv1d_fault;
pub use taps::embedding::TiedReadout;
pub use taps::expand::per_example;
pub use taps::tap::Tap;
pub use taps::transformer::{DecoderInput, EncoderInput};
pub use trace::trace;
pub use trace::traced::Traced;
pub use trace::tracer::Tracer;
pub use trace::views::Views;
pub use verify::found::{Verified, Warning};
pub use verify::{burn_faults, verify};
