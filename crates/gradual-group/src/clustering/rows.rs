//! k-means of unit rows that are few numbers each, without a matrix of all pairs.
//!
//! Of many more examples than numbers in a row, what k-means needs of their cosines is in the rows: their leading
//! directions are those of the small matrix of inner products of columns. So a draw of n examples of m numbers each costs
//! n m² instead of n² `directions`, and n m numbers of memory instead of n².

use std::collections::HashMap;

use crate::clustering::lloyd::kmeans;
use crate::clustering::partition::{ROUNDING, columns};
use crate::error::GroupError;
use crate::linalg::eigenvalues::Eigenvalues;
use crate::linalg::spectrum::Spectrum;

/// Directions in which rows at a cosine of 1 are near.
const NEAR: usize = 4;
/// How near: by the cosine no more than √(2 · 1e-5), and rounding.
const APART: f64 = 6e-3;

/// Rows `[n, m]`, row-major, of unit length, and their directions.
pub(crate) struct UnitRows {
    rows: Vec<f32>,
    width: usize,
    spectrum: Spectrum,
}

impl UnitRows {
    /// Those of finite rows `[n, m]` that are not zero at unit length, and which these are.
    pub(crate) fn of(rows: &[f32], width: usize) -> Result<(Vec<usize>, Self), GroupError> {
        let (mut present, mut units) = (Vec::new(), Vec::with_capacity(rows.len()));
        for (example, row) in rows.chunks(width).enumerate() {
            let squares = row.iter().map(|&x| f64::from(x).powi(2));
            let norm = squares.sum::<f64>().sqrt();
            if norm > 0.0 {
                present.push(example);
                units.extend(row.iter().map(|&x| (f64::from(x) / norm) as f32));
            }
        }
        let spectrum = Spectrum::of_rows(&units, width)?;
        let of = Self {
            rows: units,
            width,
            spectrum,
        };
        Ok((present, of))
    }

    fn num_rows(&self) -> usize {
        self.rows.len() / self.width
    }

    /// The cluster of each row, by the best of `restarts` runs of k-means in the leading `dimensions` directions. Rows that are alike but
    /// for rounding are in one.
    pub(crate) fn cut(
        &self,
        groups: usize,
        dimensions: usize,
        restarts: usize,
        seed: u64,
    ) -> Vec<usize> {
        let n = self.num_rows();
        let mut assignment = match groups {
            _ if groups >= n => (0..n).collect(),
            0 | 1 => vec![0; n],
            _ => {
                let column = |direction| self.spectrum.components(direction).collect();
                let points = columns(&self.spectrum, n, dimensions, column);
                kmeans(&points, groups, restarts, seed)
            }
        };
        for (j, twin) in self.twins().into_iter().enumerate() {
            assignment[j] = assignment[twin];
        }
        assignment
    }

    /// For each row the first one at a cosine of 1, itself if there is no other. Only rows that are near in the first directions are
    /// compared, so that this takes n operations where few are.
    fn twins(&self) -> Vec<usize> {
        let near = self.spectrum.singular_values().len().min(NEAR);
        let near: Vec<Vec<f64>> = (0..near)
            .map(|direction| self.spectrum.components(direction).collect())
            .collect();
        // Those that are near are in cells beside each other.
        let cell = |along: usize, row: usize| {
            near.get(along)
                .map_or(0, |along: &Vec<f64>| (along[row] / APART).floor() as i64)
        };
        let mut firsts: HashMap<[i64; 2], Vec<usize>> = HashMap::new();
        let mut twins = Vec::with_capacity(self.num_rows());
        for row in 0..self.num_rows() {
            let [x, y] = [cell(0, row), cell(1, row)];
            let beside = (x - 1..=x + 1).flat_map(|x| (y - 1..=y + 1).map(move |y| [x, y]));
            let is_alike = |&other: &usize| {
                let off = |along: &Vec<f64>| (along[row] - along[other]).abs() < APART;
                near.iter().all(off) && self.cosine(row, other) >= 1.0 - f64::from(ROUNDING)
            };
            let others = beside
                .filter_map(|cell| firsts.get(&cell))
                .flatten()
                .copied();
            let twin = others.filter(is_alike).min().unwrap_or(row);
            if twin == row {
                firsts.entry([x, y]).or_default().push(row);
            }
            twins.push(twin);
        }
        twins
    }

    /// The cosine of two rows.
    pub(crate) fn cosine(&self, one: usize, other: usize) -> f64 {
        let row = |at: usize| self.rows[at * self.width..][..self.width].iter();
        let products = row(one).zip(row(other));
        products.map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
    }

    /// The eigenvalues of the cosines, of which there are no more than numbers in a row.
    pub(crate) fn eigenvalues(&self) -> Eigenvalues {
        let values = || {
            self.spectrum
                .singular_values()
                .iter()
                .map(|sigma| sigma * sigma)
        };
        let squares = values().map(|value| value * value).sum();
        Eigenvalues::from_leading(values(), self.num_rows(), self.num_rows() as f64, squares)
    }
}
