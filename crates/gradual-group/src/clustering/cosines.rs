//! The one place where groupings compute the cosines between the gradients of a draw.
//!
//! Everything that clusters gradients looks at their cosines alone. What counts as a cosine (which
//! layers, which metric) is decided here and nowhere else.

use burn::tensor::Tensor;
use gradual_grad::ExampleGradients;

use crate::clustering::similarity::{CosineSource, Similarity, SimilarityMatrix};
use crate::error::GroupError;
use crate::grouping::draw::Draw;
use crate::read::{host, host_together};

/// The cosines between the gradients of a draw, on the host.
///
/// Takes the Gram matrix and n² operations.
///
/// # Errors
///
/// [`GroupError::NoGradients`] and [`GroupError::EmptyDraw`] from the draw,
/// [`GroupError::NotFinite`] naming the first example whose gradient holds NaN or infinity.
pub(crate) fn cosines(operation: &'static str, draw: &Draw<'_>) -> Result<Cosines, GroupError> {
    let gram = draw.gram(operation)?;
    Cosines::from_gram(operation, host(operation, &gram)?, draw.num_examples())
}

/// The cosines between the gradients of `next` (rows) and of `previous` (columns), row-major
/// `[n, m]` on the host, 0 where either is zero.
///
/// # Errors
///
/// [`GroupError::Gradients`] unless both draws were taken under the same model, and
/// [`GroupError::NotFinite`].
pub(crate) fn cross_cosines(
    operation: &'static str,
    next: &ExampleGradients,
    previous: &ExampleGradients,
) -> Result<Vec<f32>, GroupError> {
    let products = next
        .cross_gram(previous)
        .map_err(GroupError::gradients(operation))?;
    let all = [products.flatten(0, 1), next.norms(), previous.norms()];
    let [mut cosines, rows, columns] = host_together(operation, all)?;
    let m = columns.len().max(1);
    if let Some(entry) = cosines.iter().position(|value| !value.is_finite()) {
        return Err(GroupError::NotFinite {
            operation,
            example: entry / m,
        });
    }
    for (row, &norm) in cosines.chunks_mut(m).zip(&rows) {
        for (value, &other) in row.iter_mut().zip(&columns) {
            *value = cosine(*value, norm, other);
        }
    }
    Ok(cosines)
}

/// Squares of inner products `[n, m]` in units of each example's largest: those of tiny or huge gradients would be out
/// of range.
pub(crate) fn squares(products: Tensor<2>) -> Tensor<2> {
    let largest = products.clone().abs().max_dim(1);
    let none = largest.clone().equal_elem(0.0);
    let products = products / largest.mask_fill(none, 1.0);
    products.clone() * products
}

/// Cosines between n gradients, `[n, n]` row-major on the host.
#[derive(Debug, Clone)]
pub struct Cosines {
    entries: Vec<f32>,
    zero: Vec<bool>,
}

impl Cosines {
    /// From a row-major Gram matrix `[n, n]`.
    ///
    /// Cosines are held within [−1, 1], where rounding would carry them past it. Those with a zero
    /// gradient are 0, and so is its cosine with itself.
    ///
    /// # Errors
    ///
    /// [`GroupError::Shape`] unless there are n² entries, [`GroupError::NotFinite`] naming the first
    /// example whose row holds NaN or infinity.
    pub fn from_gram(
        operation: &'static str,
        gram: Vec<f32>,
        examples: usize,
    ) -> Result<Self, GroupError> {
        let n = examples;
        SimilarityMatrix::check(operation, &gram, n)?;
        let mut entries = gram;
        let norms: Vec<f32> = (0..n).map(|j| entries[j * n + j].max(0.0).sqrt()).collect();
        for (row, &norm) in entries.chunks_mut(n.max(1)).zip(&norms) {
            for (value, &other) in row.iter_mut().zip(&norms) {
                *value = cosine(*value, norm, other);
            }
        }
        for (j, &norm) in norms.iter().enumerate() {
            entries[j * n + j] = f32::from(norm > 0.0);
        }
        Ok(Self {
            entries,
            zero: norms.iter().map(|&norm| norm == 0.0).collect(),
        })
    }

    /// Number of gradients n.
    pub fn num_examples(&self) -> usize {
        self.zero.len()
    }

    /// The cosines, `[n, n]` row-major.
    pub fn entries(&self) -> &[f32] {
        &self.entries
    }

    /// Whether each gradient is zero, `[n]`.
    pub fn zero(&self) -> &[bool] {
        &self.zero
    }

    /// The similarities that a reading of the cosines gives. Those with a zero gradient are 0.
    pub fn similarity(&self, similarity: Similarity) -> SimilarityMatrix {
        let n = self.num_examples();
        let mut entries: Vec<f32> = self.entries.iter().map(|&c| similarity.of(c)).collect();
        // The angular similarity of orthogonal gradients is not 0, that of no gradients must be.
        for (j, _) in self.zero.iter().enumerate().filter(|(_, zero)| **zero) {
            entries[j * n..(j + 1) * n].fill(0.0);
            entries
                .iter_mut()
                .skip(j)
                .step_by(n)
                .for_each(|value| *value = 0.0);
        }
        SimilarityMatrix::trusted(entries, n).with_source(CosineSource {
            cosines: self.entries.as_slice().into(),
            sign: similarity.sign(),
        })
    }

    /// The cosines themselves as similarities, signs and all.
    pub(crate) fn signed(self) -> SimilarityMatrix {
        let n = self.num_examples();
        SimilarityMatrix::trusted(self.entries, n)
    }
}

/// An inner product over two norms, within [−1, 1]; 0 with a zero gradient.
fn cosine(product: f32, norm: f32, other: f32) -> f32 {
    // In double precision the product of two tiny norms does not vanish.
    let norms = f64::from(norm) * f64::from(other);
    if norms > 0.0 {
        (f64::from(product) / norms).clamp(-1.0, 1.0) as f32
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_gradients_are_like_nothing() {
        let gram = vec![4.0, 0.0, -2.0, 0.0, 0.0, 0.0, -2.0, 0.0, 1.0];
        let cosines = Cosines::from_gram("test", gram, 3).unwrap();
        assert_eq!(
            cosines.entries(),
            [1.0, 0.0, -1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 1.0]
        );
        assert_eq!(cosines.zero(), [false, true, false]);
        let angular = cosines.similarity(Similarity::Angular);
        assert_eq!(angular.row(0), [1.0, 0.0, 0.0]);
        assert_eq!(angular.row(1), [0.0; 3]);
        assert_eq!(
            cosines.similarity(Similarity::Squared).row(2),
            [1.0, 0.0, 1.0]
        );
    }

    #[test]
    fn rounding_never_leaves_the_range() {
        let gram = vec![1.0, 1.000_001, 1.000_001, 1.0];
        let cosines = Cosines::from_gram("test", gram, 2).unwrap();
        assert_eq!(cosines.entries(), [1.0; 4]);
        let angular = cosines.similarity(Similarity::Angular);
        assert_eq!(angular.row(0), [1.0, 1.0]);
    }

    #[test]
    fn tiny_gradients_still_have_a_direction() {
        let gram = vec![1e-38, 1e-38, 1e-38, 1e-38];
        let cosines = Cosines::from_gram("test", gram, 2).unwrap();
        assert!((cosines.entries()[1] - 1.0).abs() < 1e-3);
    }
}
