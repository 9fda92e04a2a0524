//! Per-example gradients.

use std::path::Path;

use anyhow::bail;
use burn::tensor::{DType, Device, Tensor, TensorData};
use gradual::runs::streams::tell;

use super::array::Array;
use super::arrays;

/// Per-example gradients G `[n, p]`: of a file of several tensors `[n, …]`, one for each parameter, side by side in the
/// order of their names.
pub(crate) fn read(path: &Path, device: &Device) -> anyhow::Result<Tensor<2>> {
    let arrays = arrays::all(path)?;
    let mut parts = Vec::with_capacity(arrays.len());
    let mut largest: f64 = 0.0;
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
        let sizes = array.data.iter::<f64>().map(f64::abs);
        largest = sizes.fold(largest, f64::max);
        let bytes = array.data.bytes().clone();
        let flat = TensorData::from_bytes(bytes, [*n, p], array.data.dtype());
        let flat = Array::new(array.name.clone(), flat);
        parts.push(flat.tensor_on::<2>(device));
    }
    let wide = parts.iter().any(|part| part.dtype() == DType::F64);
    let precision = if wide { DType::F64 } else { DType::F32 };
    let unit = unit(largest);
    if unit != 1.0 {
        tell(format_args!(
            "note: {}: gradients are divided by {unit:e}, so that their squares are in range; singular values, and weights by them, are \
             those of the divided ones",
            path.display()
        ));
    }
    let parts = parts.into_iter().map(|part| part.cast(precision) / unit);
    Ok(Tensor::cat(parts.collect(), 1))
}

/// A power of two by which numbers up to `largest` are divided where groups, which are found in single precision, could not hold
/// their squares; 1 where they can.
pub(super) fn unit(largest: f64) -> f64 {
    match largest == 0.0 || (1e-12..=1e15).contains(&largest) {
        true => 1.0,
        // Not above it: twice the largest number of single precision has no power of two in it.
        false => 2f64.powi((largest.log2().floor() as i32).clamp(-1000, 1000)),
    }
}
