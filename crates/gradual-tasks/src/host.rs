//! Numbers from the device.

use burn::tensor::Tensor;
use gradual::train::TrainError;

/// The numbers of a vector, in double precision.
pub(crate) fn floats(values: Tensor<1>, operation: &'static str) -> Result<Vec<f64>, TrainError> {
    let values = values.into_data().convert::<f32>();
    let values = values
        .try_to_vec::<f32>()
        .map_err(|problem| TrainError::Read {
            operation,
            problem: format!("{problem:?}"),
        })?;
    Ok(values.into_iter().map(f64::from).collect())
}
