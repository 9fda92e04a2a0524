//! The random walk on a graph of nearest neighbours, and its slow directions.

use faer::Mat;

use crate::error::GroupError;
use crate::linalg::eigen::{carried, eigen, upper_subspace};

/// Eigenvalues of zero are within this of it.
const ROUNDING: f64 = 1e-9;

/// How the graph is made of similarities.
#[derive(Debug, Clone, Copy)]
pub(super) struct GraphSettings {
    /// Nearest neighbours of each example.
    pub(super) neighbours: usize,
    /// The power of the density that edges are divided by.
    pub(super) density: f64,
    /// Most directions that are kept.
    pub(super) directions: usize,
}

/// The slow directions of the random walk P = D⁻¹W.
#[derive(Debug, Clone)]
pub(super) struct Walk {
    /// λ_i > 0 without that of the constant direction, largest first, `[r]`.
    pub(super) values: Vec<f64>,
    /// ψ_i(l) / q_l^α, `[m, r]`: what a similarity to example l adds to coordinate i.
    pub(super) vectors: Mat<f64>,
}

impl Walk {
    /// Of m examples with these similarities ≥ 0, row-major and symmetric; the diagonal does not count. An example that is
    /// like no other has no edges, and adds nothing to any coordinate.
    pub(super) fn new(
        similarities: &[f64],
        m: usize,
        settings: GraphSettings,
    ) -> Result<Self, GroupError> {
        let mut edges = nearest(similarities, m, settings.neighbours);
        let density: Vec<f64> = sums(&edges, m)
            .iter()
            .map(|sum| sum.powf(settings.density))
            .collect();
        for (l, row) in edges.iter_mut().enumerate() {
            for (k, weight) in row {
                *weight /= density[l] * density[*k];
            }
        }
        let degrees = sums(&edges, m);
        let total: f64 = degrees.iter().sum();
        // D^-½ W D^-½ without the direction √π that all share: several parts without an edge between them have as many
        // eigenvalues of 1, and only one of them tells nothing.
        let roots: Vec<f64> = degrees.iter().map(|degree| degree.sqrt()).collect();
        let mut matrix = Mat::from_fn(m, m, |l, k| match total > 0.0 {
            true => -roots[l] * roots[k] / total,
            false => 0.0,
        });
        for (l, row) in edges.iter().enumerate() {
            for &(k, weight) in row {
                matrix[(l, k)] += weight / (roots[l] * roots[k]);
            }
        }
        let (values, vectors) = match carried(settings.directions, m) {
            Some(carried) => upper_subspace(&matrix, carried)?,
            None => eigen(&matrix)?,
        };
        // Below zero a walk goes to and fro: two examples that are each other's only neighbours would never meet.
        let mut order: Vec<usize> = (0..values.len())
            .filter(|&i| values[i] > ROUNDING)
            .collect();
        order.sort_by(|&a, &b| values[b].total_cmp(&values[a]).then(a.cmp(&b)));
        order.truncate(settings.directions);
        let scaled = Mat::from_fn(m, order.len(), |l, i| match roots[l] > 0.0 {
            true => vectors[(l, order[i])] * total.sqrt() / (roots[l] * density[l]),
            false => 0.0,
        });
        Ok(Self {
            values: order.iter().map(|&i| values[i].min(1.0)).collect(),
            vectors: scaled,
        })
    }

    /// λ_i^(T−1), `[r]`: by how much T − 1 steps of the walk shrink each coordinate.
    pub(super) fn shrunk(&self, time: f64) -> Vec<f64> {
        let shrink = |value: &f64| value.powf(time - 1.0);
        self.values.iter().map(shrink).collect()
    }
}

/// The edges of each example, `[m]`: to its nearest neighbours, and to those whose neighbour it is.
fn nearest(similarities: &[f64], m: usize, neighbours: usize) -> Vec<Vec<(usize, f64)>> {
    let mut edges = vec![Vec::new(); m];
    let mut linked = vec![false; m * m];
    for (l, row) in similarities.chunks(m.max(1)).enumerate() {
        let others = (0..m).filter(|&k| k != l && row[k] > 0.0);
        let mut others: Vec<usize> = others.collect();
        let nearer = |&a: &usize, &b: &usize| row[b].total_cmp(&row[a]).then(a.cmp(&b));
        if neighbours < others.len() {
            others.select_nth_unstable_by(neighbours, nearer);
            others.truncate(neighbours);
        }
        for k in others {
            linked[l * m + k] = true;
            linked[k * m + l] = true;
        }
    }
    for (l, edges) in edges.iter_mut().enumerate() {
        let own = (0..m).filter(|&k| linked[l * m + k]);
        edges.extend(own.map(|k| (k, similarities[l * m + k])));
    }
    edges
}

fn sums(edges: &[Vec<(usize, f64)>], m: usize) -> Vec<f64> {
    let of = |row: &Vec<(usize, f64)>| row.iter().map(|(_, weight)| weight).sum();
    let mut sums: Vec<f64> = edges.iter().map(of).collect();
    sums.resize(m, 0.0);
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pairs of examples that are each other's nearest neighbours: eigenvalues 1 and −1 of equal size for each pair. Only
    /// those of 1 tell pairs apart, and as many of them as are wanted are there.
    #[test]
    fn directions_below_zero_take_the_place_of_none() {
        let (m, directions) = (400, 60);
        let similarities: Vec<f64> = (0..m * m)
            .map(|at| {
                if (at / m) / 2 == (at % m) / 2 {
                    1.0
                } else {
                    0.0
                }
            })
            .collect();
        let settings = GraphSettings {
            neighbours: 1,
            density: 1.0,
            directions,
        };
        assert!(carried(directions, m).is_some());
        let walk = Walk::new(&similarities, m, settings).unwrap();
        assert_eq!(walk.values.len(), directions);
        for value in walk.values {
            assert!((value - 1.0).abs() < 1e-9, "{value}");
        }
    }
}
