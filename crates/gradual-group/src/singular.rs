//! Soft groups: the singular directions of the gradients.

use crate::spectrum::{Spectrum, host};
use crate::{Average, Draw, GroupError, Grouping, Groups, Needs};

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
}

/// q = 1, membership α², group losses as sums.
impl Default for SingularVectors {
    fn default() -> Self {
        Self {
            power: 1,
            membership: Membership::Squared,
            average: Average::Sum,
            sketch: None,
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

    fn groups_of(&self, spectrum: &Spectrum, draw: &Draw<'_>) -> Result<Groups, GroupError> {
        let (n, directions) = (draw.examples(), spectrum.singular_values().len());
        let mut norms = vec![0.0; n];
        for i in 0..directions {
            let squares = spectrum
                .components(i)
                .map(|component| component * component);
            norms
                .iter_mut()
                .zip(squares)
                .for_each(|(norm, square)| *norm += square);
        }
        let mut membership = Vec::with_capacity(directions * n);
        for i in 0..directions {
            membership.extend(
                spectrum
                    .components(i)
                    .zip(&norms)
                    .map(|(component, &norm)| {
                        if norm == 0.0 {
                            return 0.0;
                        }
                        let square = component * component / norm;
                        match self.membership {
                            Membership::Squared => square,
                            Membership::Absolute => square.sqrt(),
                        }
                    }),
            );
        }
        let sizes: Vec<f64> = membership.chunks(n).map(|row| row.iter().sum()).collect();
        if self.average == Average::Mean {
            for (row, &size) in membership.chunks_mut(n).zip(&sizes) {
                row.iter_mut()
                    .for_each(|value| *value /= size.max(f64::MIN_POSITIVE));
            }
        }
        let sigma = spectrum.singular_values();
        let weights = sigma
            .iter()
            .map(|sigma| sigma.powi(self.power as i32) as f32);
        let membership = membership.into_iter().map(|value| value as f32).collect();
        let groups = Groups::soft(membership, weights.collect(), sizes, &draw.device())?;
        Ok(groups.with_spectrum(sigma.to_vec()))
    }
}

impl Grouping for SingularVectors {
    fn needs(&self) -> Needs {
        Needs::Gradients
    }

    fn group(&mut self, draw: &Draw<'_>) -> Result<Groups, GroupError> {
        let gradients = draw.gradients("singular vectors")?;
        let spectrum = match self.sketch {
            None => {
                let gram = host("singular vectors", &gradients.gram())?;
                Spectrum::of_host(&gram, draw.examples())?
            }
            Some((dim, seed)) => Spectrum::of_rows(&gradients.sketch(dim, seed))?,
        };
        self.groups_of(&spectrum, draw)
    }
}
