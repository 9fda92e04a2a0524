//! How alike two examples are, from the cosine of the angle between their gradients.

use std::sync::Arc;

use crate::clustering::sign::Sign;
use crate::error::GroupError;
use crate::read::not_finite;

/// What to read from a cosine C.
///
/// Two examples of one capability with opposite labels have opposite gradients: what finds
/// capabilities must not see the sign. [`Squared`](Self::Squared) and [`Absolute`](Self::Absolute)
/// don't; [`Angular`](Self::Angular) does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Similarity {
    /// C². Small cosines, which are mostly noise, count least. The matrix is positive semi-definite
    /// (it is the Gram matrix of the squares g gᵀ).
    #[default]
    Squared,
    /// |C|.
    Absolute,
    /// 1 − arccos(C)/π: 1 for the same direction, ½ for orthogonal, 0 for opposite ones (the
    /// similarity that Michaud et al. 2023, arXiv 2303.13506, cluster the gradients of a language
    /// model by: "quanta discovery from gradients"). C is clamped to [−1, 1] first.
    Angular,
}

impl Similarity {
    /// The similarity of two gradients at cosine `cosine`, 0 to 1.
    pub fn of(self, cosine: f32) -> f32 {
        match self {
            Self::Squared => cosine * cosine,
            Self::Absolute => cosine.abs(),
            Self::Angular => 1.0 - cosine.clamp(-1.0, 1.0).acos() / std::f32::consts::PI,
        }
    }

    /// Whether it sees the sign of a cosine.
    pub(crate) fn sign(self) -> Sign {
        match self {
            Self::Squared | Self::Absolute => Sign::Ignored,
            Self::Angular => Sign::Kept,
        }
    }
}

/// Similarities between n examples, `[n, n]` row-major on the host: symmetric, at most 1, and 1 on
/// the diagonal. An example with a zero row, diagonal included, belongs to no group.
#[derive(Debug, Clone)]
pub struct SimilarityMatrix {
    entries: Vec<f32>,
    examples: usize,
    source: Option<CosineSource>,
}

/// The cosines that similarities were read from, `[n, n]`, and whether their signs were seen.
#[derive(Debug, Clone)]
pub(crate) struct CosineSource {
    pub(crate) cosines: Arc<[f32]>,
    pub(crate) sign: Sign,
}

impl SimilarityMatrix {
    /// From row-major entries `[n, n]`, which must be symmetric (only finiteness is checked).
    ///
    /// # Errors
    ///
    /// [`GroupError::Shape`] unless there are n² entries, [`GroupError::NotFinite`] naming the first
    /// example whose row holds NaN or infinity.
    pub fn new(entries: Vec<f32>, examples: usize) -> Result<Self, GroupError> {
        Self::check("similarity", &entries, examples)?;
        Ok(Self::trusted(entries, examples))
    }

    /// From entries that were made here.
    pub(crate) fn trusted(entries: Vec<f32>, examples: usize) -> Self {
        Self {
            entries,
            examples,
            source: None,
        }
    }

    /// The same similarities with the cosines that they were read from.
    pub(crate) fn with_source(self, source: CosineSource) -> Self {
        Self {
            source: Some(source),
            ..self
        }
    }

    /// The cosines that these similarities were read from, where they are known.
    pub(crate) fn source(&self) -> Option<&CosineSource> {
        self.source.as_ref()
    }

    pub(crate) fn check(
        operation: &'static str,
        entries: &[f32],
        examples: usize,
    ) -> Result<(), GroupError> {
        if entries.len() != examples * examples {
            return Err(GroupError::Shape {
                operation,
                expected: examples * examples,
                got: entries.len(),
            });
        }
        match not_finite(entries, examples) {
            Some(example) => Err(GroupError::NotFinite { operation, example }),
            None => Ok(()),
        }
    }

    /// Number of examples n.
    pub fn num_examples(&self) -> usize {
        self.examples
    }

    /// All entries, row-major.
    pub fn entries(&self) -> &[f32] {
        &self.entries
    }

    /// Similarities of example `example` to all, `[n]`.
    pub fn row(&self, example: usize) -> &[f32] {
        &self.entries[example * self.examples..(example + 1) * self.examples]
    }

    /// The examples that are like themselves: those with a gradient.
    pub(crate) fn present(&self) -> Vec<usize> {
        (0..self.examples)
            .filter(|&j| self.entries[j * self.examples + j] > 0.0)
            .collect()
    }

    /// The same similarities between some of the examples.
    pub(crate) fn restricted(&self, to: &[usize]) -> Self {
        let n = self.examples;
        let pairs = || to.iter().flat_map(|&i| to.iter().map(move |&j| i * n + j));
        let entries = pairs().map(|at| self.entries[at]).collect();
        let restricted = Self::trusted(entries, to.len());
        match &self.source {
            None => restricted,
            Some(CosineSource { cosines, sign }) => restricted.with_source(CosineSource {
                cosines: pairs().map(|at| cosines[at]).collect(),
                sign: *sign,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readings_of_a_cosine() {
        let half = 0.5f32;
        assert_eq!(Similarity::Squared.of(-half), 0.25);
        assert_eq!(Similarity::Absolute.of(-half), 0.5);
        assert!((Similarity::Angular.of(half) - 2.0 / 3.0).abs() < 1e-6);
        assert!((Similarity::Angular.of(-half) - 1.0 / 3.0).abs() < 1e-6);
        assert_eq!(Similarity::Angular.of(1.5), 1.0);
        assert_eq!(Similarity::Angular.of(-1.5), 0.0);
    }

    #[test]
    fn entries_are_checked() {
        let message = |entries, n| match SimilarityMatrix::new(entries, n) {
            Ok(_) => panic!("an error was expected"),
            Err(error) => error.to_string(),
        };
        assert_eq!(
            message(vec![1.0; 3], 2),
            "similarity: expected 4 entries, got 3"
        );
        assert_eq!(
            message(vec![1.0, 1.0, f32::NAN, 1.0], 2),
            "similarity: the gradient of example 1 is not finite, or its square is not"
        );
    }
}
