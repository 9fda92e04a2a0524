//! The layers that have taps, a file each.

mod activation;
mod adapter;
mod attention;
mod batch_norm;
mod conv;
mod cross_attention;
mod embedding;
mod expand;
mod gru;
mod linear;
mod lstm;
mod norm;
mod rnn;
mod transformer;

pub use attention::AttentionInput;
pub(crate) use conv::windows::same;
pub use embedding::TiedReadout;
pub use expand::per_example;
pub use transformer::{DecoderInput, EncoderInput};
