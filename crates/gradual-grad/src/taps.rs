//! The layers that have taps, a file each.

mod activation;
mod adapter;
pub(crate) mod attention;
mod batch_norm;
pub(crate) mod conv;
mod cross_attention;
pub(crate) mod embedding;
pub(crate) mod expand;
mod gru;
mod linear;
mod lstm;
mod norm;
mod rnn;
pub(crate) mod tap;
pub(crate) mod transformer;
