//! Some of the losses of a draw.

use burn::tensor::{Int, Tensor, TensorData};

/// The losses of some examples, in this order.
pub(crate) fn chosen(losses: Tensor<1>, examples: &[usize]) -> Tensor<1> {
    let numbers: Vec<i64> = examples.iter().map(|&at| at as i64).collect();
    let numbers = TensorData::new(numbers, [examples.len()]);
    let at = Tensor::<1, Int>::from_data(numbers, &losses.device());
    losses.select(0, at)
}
