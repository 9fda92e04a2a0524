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
    let mut squares = Vec::new();
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
        squares.resize(*n, 0.0);
        for (at, entry) in array.data.iter::<f64>().enumerate() {
            squares[at / p] += entry * entry;
        }
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
    let (precision, most, name) = match wide {
        true => (DType::F64, f64::MAX, "float64"),
        false => (DType::F32, f64::from(f32::MAX), "float32"),
    };
    if let Some(example) = squares.iter().position(|&square| square > most) {
        let or = if wide {
            ""
        } else {
            ", or save them as float64"
        };
        bail!(
            "{}: the gradient of example {example} (from 0) has a squared norm beyond {most:.1e}, the largest number of {name}; \
             divide all gradients by one number{or}",
            path.display()
        );
    }
    let parts = parts.into_iter().map(|part| part.cast(precision));
    Ok(Tensor::cat(parts.collect(), 1))
}
