//! Gram matrices.

use std::path::Path;

use anyhow::bail;
use burn::tensor::DType;

use super::array::Array;
use super::arrays;

/// Two halves of a symmetric matrix may differ by this many units of rounding of the larger of the two examples' squares.
const ROUNDING: f64 = 1_000.0;

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
    array.check_finite()?;
    let entries: Vec<f64> = array.data.iter::<f64>().collect();
    let at = |i: usize, j: usize| entries[i * n + j];
    let unit = match array.data.dtype() {
        DType::F64 => f64::EPSILON,
        _ => f64::from(f32::EPSILON),
    };
    let largest = (0..n).map(|i| at(i, i)).fold(0.0, f64::max);
    for i in 0..n {
        if at(i, i) < -ROUNDING * unit * largest {
            bail!(
                "{name}: {} at row {i}, column {i} (from 0); expected the square of a norm, 0 or more",
                at(i, i)
            );
        }
        for j in 0..i {
            let size = at(i, i).abs().max(at(j, j).abs()).max(at(i, j).abs());
            if (at(i, j) - at(j, i)).abs() > ROUNDING * unit * size {
                bail!(
                    "{name}: expected a symmetric matrix, found {} at row {i}, column {j} (from 0) and {} in the mirrored place",
                    at(i, j),
                    at(j, i)
                );
            }
            let norms = (at(i, i).max(0.0) * at(j, j).max(0.0)).sqrt();
            if at(i, j).abs() > norms + ROUNDING * unit * largest {
                bail!(
                    "{name}: {} at row {i}, column {j} (from 0) is more than {norms}, the product of the two norms; expected \
                     inner products",
                    at(i, j)
                );
            }
        }
    }
    Ok(array)
}
