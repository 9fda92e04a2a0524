//! Soft groups: the singular directions of the gradients.

use crate::eigenvalues::{Eigenvalues, estimates};
use crate::spectrum::{Spectrum, host};
use crate::{Average, Draw, GroupError, Grouping, Groups, Needs};

/// Most groups that the estimates of their number may answer.
const AT_MOST: usize = 32;

/// How strongly an example belongs to a direction, from the component α of its normalised gradient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Membership {
    /// α², which sums to one over the directions.
    #[default]
    Squared,
    /// |α|.
    Absolute,
}

/// Every example belongs softly to every singular direction of the gradient matrix.
///
/// # The idea
///
/// The gradients G = U Σ Vᵀ of a draw span directions v_i in parameter space. The component of the
/// normalised gradient of example j on v_i is α_ij = σ_i U_ji / ‖g_j‖, and Σ_i α_ij² = 1. Directions
/// that many examples share have large σ, and the loss weighs them by it:
/// L = Σ_i σ_i^q ℓ̄_i² with ℓ̄_i = Σ_j α_ij² ℓ_j, σ and α constant (A. Jermyn, 2022, third
/// proposal; his formulas were pictures and are lost, so each reading is an option).
///
/// # Steps and cost
///
/// The Gram matrix, its spectrum (9n³), and the n² memberships. No parameter-sized array.
/// [`with_leading`](Self::with_leading) takes m directions for 10 n² m and n m instead, and lumps the
/// others together.
///
/// # When to use it
///
/// Where no labels exist and one example may exercise several capabilities. An example with a zero
/// gradient belongs nowhere, and its coefficient is zero. Where singular values are equal the
/// directions are arbitrary within their subspace, and so are the groups.
#[derive(Debug, Clone)]
pub struct SingularVectors {
    power: u32,
    membership: Membership,
    average: Average,
    sketch: Option<(usize, u64)>,
    leading: Option<usize>,
}

/// The directions beyond the leading ones, as one group.
struct Rest {
    /// What no leading direction holds: ‖g_j‖² for each example, `[n]`.
    squared_norms: Vec<f64>,
    /// Root mean square of the singular values left out.
    sigma: f64,
}

/// q = 1, membership α², group losses as sums.
impl Default for SingularVectors {
    fn default() -> Self {
        Self {
            power: 1,
            membership: Membership::Squared,
            average: Average::Sum,
            sketch: None,
            leading: None,
        }
    }
}

impl SingularVectors {
    /// Weighs direction i by σ_i^q.
    #[must_use]
    pub fn with_power(self, q: u32) -> Self {
        Self { power: q, ..self }
    }

    /// The same directions with another membership.
    #[must_use]
    pub fn with_membership(self, membership: Membership) -> Self {
        Self { membership, ..self }
    }

    /// The same directions with another group loss; the mean divides by the direction's mass.
    #[must_use]
    pub fn with_average(self, average: Average) -> Self {
        Self { average, ..self }
    }

    /// Takes the directions from a sketch of `dim` dimensions instead of the exact Gram matrix: there
    /// are then `dim` of them, and a large draw costs n t (d + e) `dim` + n `dim`² operations instead
    /// of n² (d + e) + n³. A direction is resolved if its singular value is far above the sketch's
    /// error, at most about 4 ‖G‖ / √dim.
    #[must_use]
    pub fn with_sketch(self, dim: usize, seed: u64) -> Self {
        Self {
            sketch: Some((dim.max(1), seed)),
            ..self
        }
    }

    /// Takes only the `directions` leading directions, by subspace iteration, and one group more for
    /// all that they leave out.
    ///
    /// Example j belongs to that remainder by 1 − Σα², so its memberships still sum to one (by the
    /// root of that, with absolute memberships). The remainder's membership is the sum of those of
    /// the directions it stands for; its weight is σ^q with σ the root mean square of theirs, of
    /// which a Gram matrix has min(n, p) in all. Unlike them it is one group: Σ over i of
    /// σ_i^q ℓ̄_i² becomes σ^q (Σ ℓ̄_i)² there, which weighs many weak directions more than they would
    /// weigh apart. With as many directions as there are, there is no remainder.
    #[must_use]
    pub fn with_leading(self, directions: usize) -> Self {
        Self {
            leading: Some(directions.max(1)),
            ..self
        }
    }

    fn groups_of(
        &self,
        spectrum: &Spectrum,
        rest: Option<Rest>,
        draw: &Draw<'_>,
    ) -> Result<Groups, GroupError> {
        let n = draw.examples();
        let sigma = spectrum.singular_values();
        let mut squares: Vec<Vec<f64>> = (0..sigma.len())
            .map(|i| spectrum.components(i).map(|value| value * value).collect())
            .collect();
        let mut norms = vec![0.0; n];
        for row in &squares {
            norms
                .iter_mut()
                .zip(row)
                .for_each(|(sum, square)| *sum += square);
        }
        let mut weights: Vec<f64> = sigma.to_vec();
        if let Some(rest) = rest {
            // Rounding may leave less than nothing.
            let left = |(all, held): (&f64, &f64)| (all - held).max(0.0);
            let row: Vec<f64> = rest.squared_norms.iter().zip(&norms).map(left).collect();
            norms
                .iter_mut()
                .zip(&row)
                .for_each(|(sum, square)| *sum += square);
            squares.push(row);
            weights.push(rest.sigma);
        }
        let mut membership: Vec<f64> = Vec::with_capacity(squares.len() * n);
        for row in &squares {
            membership.extend(row.iter().zip(&norms).map(|(&square, &norm)| {
                let share = if norm > 0.0 { square / norm } else { 0.0 };
                match self.membership {
                    Membership::Squared => share,
                    Membership::Absolute => share.sqrt(),
                }
            }));
        }
        let sizes: Vec<f64> = membership.chunks(n).map(|row| row.iter().sum()).collect();
        if self.average == Average::Mean {
            for (row, &size) in membership.chunks_mut(n).zip(&sizes) {
                row.iter_mut()
                    .for_each(|value| *value /= size.max(f64::MIN_POSITIVE));
            }
        }
        let weights = weights
            .iter()
            .map(|sigma| sigma.powi(self.power as i32) as f32);
        let membership = membership.into_iter().map(|value| value as f32).collect();
        let groups = Groups::soft(membership, weights.collect(), sizes, &draw.device())?;
        Ok(groups.with_spectrum(sigma.to_vec()))
    }

    /// All directions, each a group.
    fn whole(&self, spectrum: &Spectrum, draw: &Draw<'_>) -> Result<Groups, GroupError> {
        let values = spectrum.singular_values().iter().map(|sigma| sigma * sigma);
        let said = estimates(&Eigenvalues::all(values), AT_MOST.min(draw.examples()));
        Ok(self.groups_of(spectrum, None, draw)?.with_estimates(said))
    }

    /// The leading directions of a Gram matrix `[n, n]` on the host, what they leave out, and what
    /// the spectrum says of the number of groups. `rank` is the largest that the gradients can have.
    fn leading(
        gram: &[f32],
        n: usize,
        rank: usize,
        directions: usize,
    ) -> Result<(Spectrum, Rest, Eigenvalues), GroupError> {
        let spectrum = Spectrum::leading_host(gram, n, directions)?;
        let squared_norms: Vec<f64> = (0..n).map(|j| f64::from(gram[j * n + j])).collect();
        let trace: f64 = squared_norms.iter().sum();
        let squares = gram.iter().map(|&k| f64::from(k) * f64::from(k)).sum();
        let values = spectrum.singular_values().iter().map(|sigma| sigma * sigma);
        let held: f64 = values.clone().sum();
        let left_out = rank.saturating_sub(directions).max(1);
        let rest = Rest {
            sigma: ((trace - held).max(0.0) / left_out as f64).sqrt(),
            squared_norms,
        };
        let eigenvalues = Eigenvalues::leading(values, n, trace, squares);
        Ok((spectrum, rest, eigenvalues))
    }
}

impl Grouping for SingularVectors {
    fn needs(&self) -> Needs {
        Needs::Gradients
    }

    fn group(&mut self, draw: &Draw<'_>) -> Result<Groups, GroupError> {
        let operation = "singular vectors";
        let gradients = draw.gradients(operation)?;
        let n = draw.examples();
        let (gram, rank) = match self.sketch {
            None => (gradients.gram(), n.min(gradients.parameters())),
            Some((dim, seed)) => {
                let rows = gradients.sketch(dim, seed);
                match self.leading {
                    Some(m) if m < n => (rows.clone().matmul(rows.transpose()), n.min(dim)),
                    _ => {
                        let spectrum = Spectrum::of_rows(&rows)?;
                        return self.whole(&spectrum, draw);
                    }
                }
            }
        };
        let gram = host(operation, &gram)?;
        match self.leading {
            Some(m) if m < n => {
                let (spectrum, rest, eigenvalues) = Self::leading(&gram, n, rank, m)?;
                let groups = self.groups_of(&spectrum, Some(rest), draw)?;
                Ok(groups.with_estimates(estimates(&eigenvalues, AT_MOST.min(n))))
            }
            _ => self.whole(&Spectrum::of_host(&gram, n)?, draw),
        }
    }
}
