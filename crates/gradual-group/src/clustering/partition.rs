//! A matrix of similarities, ready to be cut into any number of groups.
//!
//! The rules of [`HowMany`](crate::HowMany) try several numbers on one matrix, on parts of it and on
//! matrices without groups. So what is done once (the spectrum) and what depends on the number (the
//! clusters) stand apart here.

use std::borrow::Cow;

use ndarray::Array2;

use crate::clustering::lloyd::kmeans;
use crate::clustering::sign::Sign;
use crate::clustering::similarity::SimilarityMatrix;
use crate::clustering::spherical::directions;
use crate::error::GroupError;
use crate::linalg::eigenvalues::Eigenvalues;
use crate::linalg::spectrum::Spectrum;

/// How a matrix is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Partition {
    /// k-means of the points whose inner products are the matrix.
    KMeans,
    /// The same by direction, or by axis.
    Spherical(Sign),
    /// k-means of the row-normalised leading eigenvectors of the normalised matrix.
    Spectral,
}

/// Examples at a similarity this close to 1 differ by rounding.
pub(crate) const ROUNDING: f32 = 1e-5;

/// Similarities `[n, n]`, each example with a positive diagonal, and their leading directions.
#[derive(Debug)]
pub(crate) struct CutProblem {
    matrix: SimilarityMatrix,
    partition: Partition,
    restarts: usize,
    dimensions: Option<usize>,
    spectrum: Spectrum,
    eigenvalues: Eigenvalues,
    /// For each example the first that it can't be told from.
    twins: Vec<usize>,
}

impl CutProblem {
    /// Takes the `directions` leading directions of `matrix`, in the form that `partition` cuts:
    /// 10 n² `directions` operations, or 9n³ if they are many. `dimensions` of them are clustered,
    /// as many as groups where none are given.
    pub(crate) fn new(
        matrix: SimilarityMatrix,
        partition: Partition,
        restarts: usize,
        dimensions: Option<usize>,
        directions: usize,
    ) -> Result<Self, GroupError> {
        let n = matrix.num_examples();
        let (spectrum, eigenvalues) = {
            let kernel = kernel(&matrix, partition);
            let wanted = directions.max(dimensions.unwrap_or(0)).clamp(1, n);
            let spectrum = Spectrum::leading_host(kernel.entries(), n, wanted)?;
            let values = spectrum.singular_values().iter().map(|sigma| sigma * sigma);
            let entry = |value: &f32| f64::from(*value);
            let trace = kernel.entries().iter().step_by(n + 1).map(entry).sum();
            let squares = kernel.entries().iter().map(entry).map(|c| c * c).sum();
            let eigenvalues = Eigenvalues::from_leading(values, n, trace, squares);
            (spectrum, eigenvalues)
        };
        Ok(Self {
            twins: twins(&matrix, partition),
            matrix,
            partition,
            restarts,
            dimensions,
            spectrum,
            eigenvalues,
        })
    }

    /// The `count` leading directions of the examples' cosines, `[n, count]`, a column of unit mean square each, and
    /// whether signs mean something. Of similarities that were not read from cosines, their own directions.
    pub(crate) fn directions_of_cosines(
        &self,
        count: usize,
    ) -> Result<(Array2<f64>, Sign), GroupError> {
        let n = self.num_examples();
        let of = |spectrum: &Spectrum| {
            columns(spectrum, n, count, |i| spectrum.vector(i).collect()) * (n as f64).sqrt()
        };
        let own = of(&self.spectrum);
        match (self.partition, self.matrix.source()) {
            (Partition::Spherical(sign), _) => Ok((own, sign)),
            (Partition::Spectral, Some(source)) => {
                let spectrum = Spectrum::leading_host(&source.cosines, n, count.min(n))?;
                Ok((of(&spectrum), source.sign))
            }
            (Partition::KMeans | Partition::Spectral, _) => Ok((own, Sign::Kept)),
        }
    }

    /// The same problem on some of the examples.
    pub(crate) fn restricted(&self, to: &[usize]) -> Result<Self, GroupError> {
        Self::new(
            self.matrix.restricted(to),
            self.partition,
            self.restarts,
            self.dimensions,
            self.spectrum.singular_values().len(),
        )
    }

    /// How the matrix is cut.
    pub(crate) fn partition(&self) -> Partition {
        self.partition
    }

    /// Number of examples n.
    pub(crate) fn num_examples(&self) -> usize {
        self.matrix.num_examples()
    }

    /// Eigenvalues of the matrix that is cut.
    pub(crate) fn eigenvalues(&self) -> &Eigenvalues {
        &self.eigenvalues
    }

    /// The matrix that is cut: of a spectral problem the normalised one, D^-½ S D^-½.
    pub(crate) fn kernel(&self) -> Cow<'_, SimilarityMatrix> {
        kernel(&self.matrix, self.partition)
    }

    /// Of a spectral problem the unit eigenvector D^½ 1 that belongs to the eigenvalue 1 whatever
    /// the groups.
    pub(crate) fn trivial(&self) -> Option<Vec<f64>> {
        (self.partition == Partition::Spectral).then(|| {
            let degrees = degrees(&self.matrix);
            let total: f64 = degrees.iter().sum();
            degrees
                .iter()
                .map(|degree| (degree / total).sqrt())
                .collect()
        })
    }

    /// Points of d dimensions whose inner products are the matrix that is cut, as far as its d
    /// leading directions go: `[n, d]`.
    pub(crate) fn points(&self, dimensions: usize) -> Array2<f64> {
        let spectrum = &self.spectrum;
        let column = |i| spectrum.components(i).collect();
        columns(spectrum, self.num_examples(), dimensions, column)
    }

    /// How alike two examples are, at most 1 (for clusters by axis, whatever their sign).
    pub(crate) fn similarity(&self, one: usize, other: usize) -> f64 {
        let similarity = f64::from(self.matrix.row(one)[other]);
        match self.partition {
            Partition::Spherical(Sign::Ignored) => similarity * similarity,
            _ => similarity,
        }
    }

    /// The group of each example, `groups` at most: the best of several starts. Examples that are
    /// alike but for rounding are in one group; as many groups stay empty as there are too few
    /// others.
    pub(crate) fn cut(&self, groups: usize, seed: u64) -> Result<Vec<usize>, GroupError> {
        let mut assignment = self.cut_apart(groups, seed)?;
        self.twins.iter().enumerate().for_each(|(j, &twin)| {
            assignment[j] = assignment[twin];
        });
        Ok(assignment)
    }

    fn cut_apart(&self, groups: usize, seed: u64) -> Result<Vec<usize>, GroupError> {
        let (n, k) = (self.num_examples(), groups);
        if k >= n {
            return Ok((0..n).collect());
        }
        if k <= 1 {
            return Ok(vec![0; n]);
        }
        let dimensions = self.dimensions.unwrap_or(k);
        match self.partition {
            Partition::KMeans => Ok(kmeans(&self.points(dimensions), k, self.restarts, seed)),
            Partition::Spherical(sign) => {
                let points = self.points(dimensions);
                Ok(directions(&points, k, sign, self.restarts, seed).1)
            }
            Partition::Spectral => Ok(kmeans(&self.embedding(dimensions), k, self.restarts, seed)),
        }
    }

    /// Rows of the leading eigenvectors at unit length (Ng, Jordan & Weiss 2002, steps 3 and 4).
    fn embedding(&self, dimensions: usize) -> Array2<f64> {
        let column = |i| self.spectrum.vector(i).collect();
        let mut rows = columns(&self.spectrum, self.num_examples(), dimensions, column);
        for mut row in rows.rows_mut() {
            let norm = row.dot(&row).sqrt();
            if norm > 0.0 {
                row /= norm;
            }
        }
        rows
    }
}

/// One column for each of the leading directions, `[examples, count]`.
///
/// Directions without an eigenvalue above rounding are an arbitrary basis of what the matrix
/// says nothing of. They would tell apart examples that are equal, and stay zero.
pub(crate) fn columns(
    spectrum: &Spectrum,
    examples: usize,
    count: usize,
    column: impl Fn(usize) -> Vec<f64>,
) -> Array2<f64> {
    let sigma = spectrum.singular_values();
    let count = count.clamp(1, sigma.len());
    let rounding = (examples as f64 * f64::from(f32::EPSILON)).sqrt() * sigma[0];
    let mut points = Array2::zeros((examples, count));
    for (i, mut into) in points.columns_mut().into_iter().enumerate() {
        if sigma[i] <= rounding {
            break;
        }
        for (entry, value) in into.iter_mut().zip(column(i)) {
            *entry = value;
        }
    }
    points
}

/// The matrix whose leading directions a partition works with.
fn kernel(matrix: &SimilarityMatrix, partition: Partition) -> Cow<'_, SimilarityMatrix> {
    if partition != Partition::Spectral {
        return Cow::Borrowed(matrix);
    }
    let n = matrix.num_examples();
    let inverse: Vec<f64> = degrees(matrix)
        .iter()
        .map(|degree| degree.sqrt().recip())
        .collect();
    let entries = (0..n).flat_map(|i| {
        let row = matrix.row(i).iter().zip(&inverse);
        let by = inverse[i];
        row.map(move |(&entry, other)| (f64::from(entry) * by * other) as f32)
    });
    Cow::Owned(SimilarityMatrix::trusted(entries.collect(), n))
}

/// Row sums. Positive, as the diagonal is and no entry of a spectral problem is negative.
fn degrees(matrix: &SimilarityMatrix) -> Vec<f64> {
    (0..matrix.num_examples())
        .map(|i| matrix.row(i).iter().map(|&entry| f64::from(entry)).sum())
        .collect()
}

/// For each example the first one at a similarity of 1, itself if there is no other. Where signs mean nothing, opposite
/// ones are similar.
fn twins(matrix: &SimilarityMatrix, partition: Partition) -> Vec<usize> {
    let alike = |similarity: f32| match partition {
        Partition::Spherical(Sign::Ignored) => similarity.abs(),
        _ => similarity,
    };
    let mut first: Vec<usize> = Vec::with_capacity(matrix.num_examples());
    for j in 0..matrix.num_examples() {
        let row = matrix.row(j);
        let twin = (0..j).find(|&i| first[i] == i && alike(row[i]) >= 1.0 - ROUNDING);
        first.push(twin.unwrap_or(j));
    }
    first
}
