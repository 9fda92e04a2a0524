//! Hard groups: k-means on normalised gradients.

use linfa::traits::{Fit, Predict};
use linfa::{DatasetBase, ParamGuard};
use linfa_clustering::KMeans as Linfa;
use ndarray::Array2;
use rand_xoshiro::Xoshiro256Plus;
use rand_xoshiro::rand_core::SeedableRng;

use crate::spectrum::{Spectrum, host};
use crate::{Average, Draw, GroupError, Grouping, Groups, Needs};

/// Most Lloyd iterations of one run.
const ITERATIONS: u64 = 50;

/// k-means clusters of the normalised gradients of a draw (A. Jermyn, 2022, second proposal).
///
/// # The idea
///
/// Examples whose gradients point the same way are learned together, so clusters of unit gradients
/// stand in for capabilities. Distances between unit gradients depend on their inner products
/// alone: the rows of UΣ, from the spectrum of the cosine matrix, are points with exactly those
/// inner products, and k-means runs on them in the leading `dimensions` directions. With
/// `dimensions` = k the k-means cost found there is within a factor 2 of the best one in all
/// directions (Drineas et al. 2004, doi:10.1023/B:MACH.0000033113.59016.96).
///
/// # Steps and cost
///
/// Gram matrix, its leading directions (10 n² `dimensions`), then linfa's k-means with k-means++
/// seeding: n k `dimensions` operations per iteration.
///
/// # When to use it
///
/// Where groups should be hard and labels are missing. Clusters are formed anew in every draw, so
/// they have no identity over time. Raw Euclidean gradients do not separate capabilities well
/// before those emerge. An example with a zero gradient belongs to no group; fewer distinct
/// gradients than k leave groups empty, with weight zero.
#[derive(Debug, Clone)]
pub struct KMeans {
    groups: usize,
    dimensions: usize,
    restarts: usize,
    average: Average,
    random: Xoshiro256Plus,
}

impl KMeans {
    /// `groups` clusters, in as many dimensions; one k-means run per draw.
    pub fn new(groups: usize, seed: u64) -> Self {
        Self {
            groups,
            dimensions: groups,
            restarts: 1,
            average: Average::Mean,
            random: Xoshiro256Plus::seed_from_u64(seed),
        }
    }

    /// Clusters in the leading `dimensions` directions; `usize::MAX` for all of them.
    #[must_use]
    pub fn with_dimensions(self, dimensions: usize) -> Self {
        Self { dimensions, ..self }
    }

    /// Takes the best of `restarts` runs.
    #[must_use]
    pub fn with_restarts(self, restarts: usize) -> Self {
        Self { restarts, ..self }
    }

    /// The same clusters with another group loss.
    #[must_use]
    pub fn with_average(self, average: Average) -> Self {
        Self { average, ..self }
    }

    /// Clusters the rows of `points`.
    fn cluster(&mut self, points: Array2<f64>) -> Result<Vec<usize>, GroupError> {
        let params = Linfa::params_with_rng(self.groups, self.random.clone())
            .n_runs(self.restarts.max(1))
            .max_n_iterations(ITERATIONS)
            .tolerance(1e-4)
            .check()
            .map_err(linfa_clustering::KMeansError::from)?;
        self.random.jump();
        let model = params.fit(&DatasetBase::from(points.view()))?;
        Ok(model.predict(&points).to_vec())
    }
}

impl Grouping for KMeans {
    fn needs(&self) -> Needs {
        Needs::Gradients
    }

    fn group(&mut self, draw: &Draw<'_>) -> Result<Groups, GroupError> {
        let operation = "k-means";
        let gradients = draw.gradients(operation)?;
        let (k, n) = (self.groups, draw.examples());
        if k == 0 {
            return Err(GroupError::NoGroups { operation });
        }
        if k > n {
            return Err(GroupError::TooManyGroups {
                operation,
                groups: k,
                examples: n,
            });
        }
        let mut cosine = host(operation, &gradients.gram())?;
        if let Some(entry) = cosine.iter().position(|value| !value.is_finite()) {
            return Err(GroupError::NotFinite {
                operation,
                example: entry / n,
            });
        }
        let norms: Vec<f32> = (0..n).map(|j| cosine[j * n + j].max(0.0).sqrt()).collect();
        for (entry, value) in cosine.iter_mut().enumerate() {
            let norm = norms[entry / n] * norms[entry % n];
            *value = if norm > 0.0 { *value / norm } else { 0.0 };
        }
        let dimensions = self.dimensions.clamp(1, n);
        let spectrum = Spectrum::leading_host(&cosine, n, dimensions)?;

        let pointed: Vec<usize> = (0..n).filter(|&j| norms[j] > 0.0).collect();
        let mut assignment = vec![None; n];
        if pointed.len() > k {
            let mut points = Array2::zeros((pointed.len(), dimensions));
            for (i, mut column) in points.columns_mut().into_iter().enumerate() {
                let components: Vec<f64> = spectrum.components(i).collect();
                pointed
                    .iter()
                    .zip(&mut column)
                    .for_each(|(&j, entry)| *entry = components[j]);
            }
            for (&j, group) in pointed.iter().zip(self.cluster(points)?) {
                assignment[j] = Some(group);
            }
        } else {
            // No more gradients than groups: each is its own.
            for (group, &j) in pointed.iter().enumerate() {
                assignment[j] = Some(group);
            }
        }
        let groups = Groups::hard(assignment, k, self.average, &draw.device())?;
        Ok(groups.with_spectrum(spectrum.singular_values().to_vec()))
    }
}
