//! The time of the walk at which two halves of the examples agree best.

use faer::Mat;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::walk::{GraphSettings, Walk};
use crate::error::GroupError;

/// The times that are tried, from fine to coarse.
const TIMES: [f64; 12] = [
    1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 12.0, 16.0, 24.0, 32.0,
];

/// Halves that agree less than this at every time show no groups. Those of noise agree to 0.2 at most.
const LEAST: f64 = 0.5;

/// Most examples that the kernels of the halves are compared on.
const COMPARED: usize = 512;

/// How far the walk goes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Scale {
    /// T; none where no time shows groups, so that all examples are one.
    pub(super) time: Option<f64>,
    /// How well the halves agree at that time, up to 1; none where it was given.
    pub(super) stability: Option<f64>,
}

impl Scale {
    /// The most stable time of m examples with these similarities, row-major.
    pub(super) fn stable(
        similarities: &[f64],
        m: usize,
        settings: GraphSettings,
        power: f64,
    ) -> Result<Self, GroupError> {
        let present: Vec<usize> = (0..m).filter(|&l| similarities[l * m + l] > 0.0).collect();
        let compared: Vec<usize> = present
            .iter()
            .copied()
            .step_by(present.len().div_ceil(COMPARED).max(1))
            .collect();
        // At random, the same every time: draws may have an order, such as one capability after another.
        let mut shuffled = present.clone();
        shuffled.shuffle(&mut ChaCha8Rng::seed_from_u64(0));
        let half = |parity: usize| -> Result<Half, GroupError> {
            let own: Vec<usize> = shuffled.iter().copied().skip(parity).step_by(2).collect();
            Half::new(similarities, m, &own, &compared, settings)
        };
        let (one, other) = (half(0)?, half(1)?);
        let mut best = (TIMES[0], 0.0f64);
        for time in TIMES {
            let agreement = agreement(&one.kernel(time, power), &other.kernel(time, power));
            // Of equal ones the finest.
            if agreement > best.1 + 1e-9 {
                best = (time, agreement);
            }
        }
        Ok(Self {
            time: (best.1 >= LEAST).then_some(best.0),
            stability: Some(best.1),
        })
    }
}

/// Half of the examples, and where the graph of these alone puts those that are compared.
struct Half {
    walk: Walk,
    /// Coordinates at time 1, `[t, r]`.
    places: Mat<f64>,
}

impl Half {
    fn new(
        similarities: &[f64],
        m: usize,
        own: &[usize],
        compared: &[usize],
        settings: GraphSettings,
    ) -> Result<Self, GroupError> {
        let pairs = own
            .iter()
            .flat_map(|&l| own.iter().map(move |&k| l * m + k));
        let among: Vec<f64> = pairs.map(|at| similarities[at]).collect();
        // Half of the examples are half as dense.
        let settings = GraphSettings {
            neighbours: (settings.neighbours / 2).max(1),
            ..settings
        };
        let walk = Walk::new(&among, own.len(), settings)?;
        let to = Mat::from_fn(compared.len(), own.len(), |x, l| {
            match compared[x] == own[l] {
                true => 0.0,
                false => similarities[compared[x] * m + own[l]],
            }
        });
        let places = &to * &walk.vectors;
        Ok(Self { walk, places })
    }

    /// D^-½ K D^-½ at a time, without what all examples share and without its diagonal, `[t, t]`.
    fn kernel(&self, time: f64, power: f64) -> Mat<f64> {
        let shrunk = self.walk.shrunk(time);
        let (t, r) = (self.places.nrows(), self.places.ncols());
        let mut unit = Mat::from_fn(t, r, |x, i| self.places[(x, i)] * shrunk[i]);
        for x in 0..t {
            let length = (0..r).map(|i| unit[(x, i)].powi(2)).sum::<f64>().sqrt();
            if length > 0.0 {
                (0..r).for_each(|i| unit[(x, i)] /= length);
            }
        }
        let mut kernel = &unit * unit.transpose();
        for x in 0..t {
            kernel[(x, x)] = 1.0;
            for y in 0..x {
                // Most are below zero.
                let cosine = kernel[(x, y)];
                let near = if cosine > 0.0 {
                    cosine.powf(power)
                } else {
                    0.0
                };
                kernel[(x, y)] = near;
                kernel[(y, x)] = near;
            }
        }
        let degrees: Vec<f64> = (0..t)
            .map(|x| (0..t).map(|y| kernel[(x, y)]).sum())
            .collect();
        let total: f64 = degrees.iter().sum();
        Mat::from_fn(t, t, |x, y| {
            let root = (degrees[x] * degrees[y]).sqrt();
            match x == y {
                true => 0.0,
                false => kernel[(x, y)] / root - root / total,
            }
        })
    }
}

/// The cosine of two matrices as vectors, 0 where either is zero.
fn agreement(one: &Mat<f64>, other: &Mat<f64>) -> f64 {
    let sum = |a: &Mat<f64>, b: &Mat<f64>| -> f64 {
        let columns = a.col_iter().zip(b.col_iter());
        let products = columns.flat_map(|(a, b)| a.iter().zip(b.iter()).map(|(a, b)| a * b));
        products.sum()
    };
    let norms = (sum(one, one) * sum(other, other)).sqrt();
    if norms > 0.0 {
        sum(one, other) / norms
    } else {
        0.0
    }
}
