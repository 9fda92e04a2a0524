//! Examples of sparse parity, on the host and on a device.

use burn::tensor::{Tensor, TensorData};

/// Inputs and labels on the host.
#[derive(Debug, Clone)]
pub(super) struct ParityExamples {
    pub(super) inputs: TensorData,
    pub(super) signs: Vec<f32>,
    pub(super) codes: Vec<usize>,
    pub(super) bits: Vec<u64>,
}

/// One draw: inputs `[n, tasks · aliases + bits]` and labels as signs `[n]`.
#[derive(Debug, Clone)]
pub struct ParityBatch {
    pub(super) inputs: Tensor<2>,
    pub(super) signs: Tensor<1>,
    pub(super) codes: Vec<usize>,
    /// Task and bits of each example, on the host, for words.
    pub(super) tasks: Vec<usize>,
    pub(super) bits: Vec<u64>,
}

impl ParityBatch {
    /// The code that announces each example, `[n]`: task · aliases + alias. No model sees it but as
    /// an input.
    pub fn codes(&self) -> &[usize] {
        &self.codes
    }
}
