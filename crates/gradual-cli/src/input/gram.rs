//! Gram matrices.

use std::path::Path;

use anyhow::bail;
use burn::tensor::Tensor;
use gradual::runs::streams::tell;

use super::array::Array;
use super::arrays;
use crate::numbers::numbers;

/// A Gram matrix `[n, n]`, checked: square, finite, symmetric up to rounding, no negative square, no cosine beyond 1.
pub(crate) fn read(path: &Path) -> anyhow::Result<Array> {
    let array = arrays::one(path, "gram")?;
    array.check_float()?;
    array.check_dimensions("a Gram matrix", "[n, n]", 2)?;
    let name = &array.name;
    let [n, columns] = [array.shape()[0], array.shape()[1]];
    if n != columns {
        bail!(
            "{name}: expected a square matrix of inner products, found {n} × {columns}; gradients go to --gradients"
        );
    }
    if n == 0 {
        bail!("{name}: holds no example");
    }
    array.check_finite()?;
    let entries: Vec<f64> = array.data.iter::<f64>().collect();
    let at = |i: usize, j: usize| entries[i * n + j];
    let rounding = array.rounding;
    let largest = (0..n).map(|i| at(i, i)).fold(0.0, f64::max);
    for i in 0..n {
        if at(i, i) < -rounding * largest {
            bail!(
                "{name}: {} at row {i}, column {i} (from 0); expected the square of a norm, 0 or more",
                at(i, i)
            );
        }
        for j in 0..i {
            let size = at(i, i).abs().max(at(j, j).abs()).max(at(i, j).abs());
            if (at(i, j) - at(j, i)).abs() > rounding * size {
                bail!(
                    "{name}: expected a symmetric matrix, found {} at row {i}, column {j} (from 0) and {} in the mirrored place",
                    at(i, j),
                    at(j, i)
                );
            }
            let norms = at(i, i).max(0.0).sqrt() * at(j, j).max(0.0).sqrt();
            if at(i, j).abs() > norms + rounding * largest {
                bail!(
                    "{name}: {:e} at row {i}, column {j} (from 0) is larger than {norms:e}, the product of the two norms; expected \
                     inner products",
                    at(i, j)
                );
            }
        }
    }
    Ok(array)
}

/// The same matrix of gradients that are divided by a power of two, where their squares are out of range.
pub(crate) fn in_range(path: &Path, gram: Tensor<2>) -> anyhow::Result<Tensor<2>> {
    let largest = numbers(&gram.clone().abs().max())?;
    let largest = largest.first().copied().unwrap_or(0.0);
    let unit = super::gradients::unit(largest.sqrt());
    if unit == 1.0 {
        return Ok(gram);
    }
    tell(format_args!(
        "note: {}: inner products are divided by the square of {unit:e}, so that they are in range; singular values, and weights by \
         them, are those of the divided gradients",
        path.display()
    ));
    // One by one, for the square itself may be out of range.
    Ok(gram / unit / unit)
}
