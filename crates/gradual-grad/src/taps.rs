//! The layers that have taps, a file each.

mod adapter;
mod attention;
mod batch_norm;
mod conv;
mod embedding;
mod expand;
mod linear;
mod norm;
mod transformer;

pub use attention::AttentionInput;
pub use embedding::TiedReadout;
pub use expand::per_example;
pub use transformer::{DecoderInput, EncoderInput};
