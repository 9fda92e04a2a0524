//! Tensors as plain data, and back: what is read may be anything, and is checked before a tensor is made of it.

use burn::tensor::kind::Basic;
use burn::tensor::{Device, Int, Tensor, TensorData};

use crate::error::GradError;

/// A tensor as plain data, without its graph.
pub(crate) fn written<const D: usize, K: Basic>(
    tensor: &Tensor<D, K>,
) -> Result<TensorData, GradError> {
    let data = tensor.clone().try_into_data();
    data.map_err(|problem| refused(format!("a tensor could not be read: {problem}")))
}

/// A tensor of floats in the precision that it was written in.
pub(crate) fn floats<const D: usize>(
    data: &TensorData,
    device: &Device,
) -> Result<Tensor<D>, GradError> {
    rank::<D>(data)?;
    match data.dtype().is_float() {
        true => Ok(Tensor::from_data(data.clone(), (device, data.dtype()))),
        false => Err(refused(format!("expected floats, got {:?}", data.dtype()))),
    }
}

pub(crate) fn integers<const D: usize>(
    data: &TensorData,
    device: &Device,
) -> Result<Tensor<D, Int>, GradError> {
    rank::<D>(data)?;
    Ok(Tensor::from_data(data.clone(), device))
}

fn rank<const D: usize>(data: &TensorData) -> Result<(), GradError> {
    match data.shape().num_dims() {
        got if got == D => Ok(()),
        got => Err(refused(format!("expected a tensor of rank {D}, got {got}"))),
    }
}

/// Whether all indices are below `rows`.
pub(crate) fn within(indices: &TensorData, rows: usize) -> Result<(), GradError> {
    let kind = indices.dtype();
    if !(kind.is_int() || kind.is_uint()) {
        return Err(refused(format!("expected integers, got {kind:?}")));
    }
    let values = indices.try_to_vec_as::<i64>();
    let values = values.map_err(|problem| refused(problem.to_string()))?;
    let outside = |index: &i64| !usize::try_from(*index).is_ok_and(|index| index < rows);
    match values.into_iter().find(outside) {
        None => Ok(()),
        Some(index) => Err(refused(format!("there is no row {index} among {rows}"))),
    }
}

pub(crate) fn agree(what: &str, expected: &[usize], got: &[usize]) -> Result<(), GradError> {
    match expected == got {
        true => Ok(()),
        false => Err(refused(format!(
            "{what}: expected {expected:?}, got {got:?}"
        ))),
    }
}

pub(crate) fn refused(problem: String) -> GradError {
    GradError::Record { problem }
}
