//! The number of groups by what is left of a spectrum when all signs are random.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::clustering::partition::CutProblem;
use crate::error::GroupError;
use crate::linalg::spectrum::Spectrum;

/// Matrices with random signs that the spectrum is compared with; the largest of their leading
/// eigenvalues is the line, so noise passes it one time in about twenty.
const FLIPS: usize = 20;

/// The number of eigenvalues above the noise, for a matrix of which only the inner products are
/// known.
///
/// The diagonal carries no sign and is left out of both spectra. A spectral problem has one
/// eigenvector whatever its groups; it is taken out of the matrix first, and counted.
pub(crate) fn choose(problem: &CutProblem, at_most: usize, seed: u64) -> Result<usize, GroupError> {
    let n = problem.num_examples();
    let mut matrix = problem.kernel().entries().to_vec();
    let trivial = problem.trivial();
    if let Some(unit) = &trivial {
        for (row, a) in matrix.chunks_mut(n).zip(unit) {
            for (entry, b) in row.iter_mut().zip(unit) {
                *entry -= (a * b) as f32;
            }
        }
    }
    matrix
        .iter_mut()
        .step_by(n + 1)
        .for_each(|entry| *entry = 0.0);
    let own = Spectrum::leading_host(&matrix, n, at_most)?;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut line = 0.0f64;
    for _ in 0..FLIPS {
        for i in 0..n {
            for j in 0..i {
                if random.random::<bool>() {
                    matrix[i * n + j] = -matrix[i * n + j];
                    matrix[j * n + i] = matrix[i * n + j];
                }
            }
        }
        // As many directions as above, so that both spectra are equally exact.
        let flipped = Spectrum::leading_host(&matrix, n, at_most)?;
        line = line.max(flipped.singular_values()[0]);
    }
    let above = |sigma: &&f64| **sigma > line;
    let groups = own.singular_values().iter().take_while(above).count();
    Ok(groups + usize::from(trivial.is_some()))
}

/// The number of singular values of `rows` `[n, d]` (row-major) above all those of the same matrix
/// with the sign of each entry drawn at random: parallel analysis by signflips, "upper-edge
/// comparison" (Hong, Sheng & Dobriban 2020, arXiv 2012.02985).
///
/// Flips leave noise that is symmetric about zero as it is and break the low rank of everything
/// else. The rows should be gradients of equal length, or a sketch of them. Twenty singular value
/// problems of n × d, for the inner products of the shorter side.
///
/// # Errors
///
/// [`GroupError::Shape`] unless there are n·d entries, [`GroupError::NotFinite`] for one that is NaN
/// or infinite.
pub fn sign_flip(rows: &[f32], examples: usize, seed: u64) -> Result<usize, GroupError> {
    let operation = "sign flip";
    let n = examples;
    if n == 0 || !rows.len().is_multiple_of(n) {
        return Err(GroupError::Shape {
            operation,
            expected: n,
            got: rows.len(),
        });
    }
    let columns = rows.len() / n;
    if let Some(entry) = rows.iter().position(|value| !value.is_finite()) {
        return Err(GroupError::NotFinite {
            operation,
            example: entry / columns,
        });
    }
    if columns == 0 {
        return Ok(0);
    }
    let mut rows = rows.to_vec();
    let own = Spectrum::singular_values_of_rows(&rows, n)?;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut line = 0.0f64;
    for _ in 0..FLIPS {
        for entry in &mut rows {
            if random.random::<bool>() {
                *entry = -*entry;
            }
        }
        line = line.max(Spectrum::singular_values_of_rows(&rows, n)?[0]);
    }
    Ok(own.iter().take_while(|sigma| **sigma > line).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows along one of `groups` axes of either sign, with uniform noise of a given size.
    fn planted(n: usize, dim: usize, groups: usize, noise: f32, seed: u64) -> Vec<f32> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut rows: Vec<f32> = (0..n * dim)
            .map(|_| noise * random.random_range(-1.0f32..1.0))
            .collect();
        for j in 0..n {
            let sign = if random.random::<bool>() { 1.0 } else { -1.0 };
            // An axis spread over all coordinates: one of a cosine basis.
            for (d, entry) in rows[j * dim..(j + 1) * dim].iter_mut().enumerate() {
                let angle = std::f32::consts::PI * (d as f32 + 0.5) * (j % groups + 1) as f32;
                *entry += sign * (2.0 / dim as f32).sqrt() * (angle / dim as f32).cos();
            }
        }
        rows
    }

    #[test]
    fn planted_groups_are_counted() {
        for (n, dim) in [(120, 40), (40, 120)] {
            let rows = planted(n, dim, 4, 0.15, 3);
            assert_eq!(sign_flip(&rows, n, 0).unwrap(), 4, "{n} by {dim}");
        }
    }

    #[test]
    fn noise_has_next_to_no_groups() {
        let rows = planted(100, 50, 1, 1e4, 5);
        assert!(sign_flip(&rows, 100, 0).unwrap() <= 1);
        assert_eq!(sign_flip(&[0.0; 12], 4, 0).unwrap(), 0);
    }

    #[test]
    fn what_is_no_matrix_is_refused() {
        assert!(sign_flip(&[1.0; 5], 2, 0).is_err());
        assert!(sign_flip(&[], 0, 0).is_err());
        assert!(sign_flip(&[1.0, f32::NAN], 2, 0).is_err());
    }
}
