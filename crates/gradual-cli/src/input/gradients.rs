//! Per-example gradients.

use std::path::Path;

use anyhow::bail;
use burn::tensor::{DType, Device, Tensor};

use super::array::Array;
use super::arrays;

/// Per-example gradients G `[n, p]`: of a file of several tensors `[n, …]`, one for each parameter, side by side in the
/// order of their names.
pub(crate) fn read(path: &Path, device: &Device) -> anyhow::Result<Tensor<2>> {
    let arrays = arrays::all(path)?;
    let mut parts = Vec::with_capacity(arrays.len());
    for array in &arrays {
        array.check_float()?;
        let [n, rest @ ..] = array.shape() else {
            bail!(
                "{}: expected gradients of shape [n, …], found a single number",
                array.name
            );
        };
        let first = arrays[0].shape().first().copied().unwrap_or(0);
        if *n != first {
            bail!(
                "{}: expected gradients of {first} examples, as {} has, found {:?}",
                array.name,
                arrays[0].name,
                array.shape()
            );
        }
        let p: usize = rest.iter().product();
        if *n == 0 || p == 0 || (rest.is_empty() && arrays.len() == 1) {
            bail!(
                "{}: expected gradients of shape [n, p], a row for each example, found {:?}",
                array.name,
                array.shape()
            );
        }
        array.check_finite()?;
        let flat = Array {
            name: array.name.clone(),
            data: burn::tensor::TensorData::from_bytes(
                array.data.bytes().clone(),
                [*n, p],
                array.data.dtype(),
            ),
        };
        parts.push(flat.tensor_on::<2>(device));
    }
    let wide = parts.iter().any(|part| part.dtype() == DType::F64);
    let precision = if wide { DType::F64 } else { DType::F32 };
    let parts = parts.into_iter().map(|part| part.cast(precision));
    Ok(Tensor::cat(parts.collect(), 1))
}
