//! The places of examples in the map, as sums over the nodes of its graph.

use burn::tensor::{DType, Device, Tensor, TensorData};

use super::walk::Walk;

/// What a similarity to each of m nodes adds to each coordinate of an example, `[m, r]` row-major.
#[derive(Debug, Clone)]
pub(super) struct Coordinates {
    pub(super) entries: Vec<f64>,
    pub(super) directions: usize,
    /// Roots of λ, largest first.
    pub(super) spectrum: Vec<f64>,
}

impl Coordinates {
    /// After T steps of the walk. Without any direction no example has a place.
    pub(super) fn at(time: f64, walk: &Walk) -> Self {
        let shrunk = walk.shrunk(time);
        let (m, r) = (walk.vectors.nrows(), walk.vectors.ncols());
        if r == 0 {
            return Self {
                entries: vec![0.0; m],
                ..Self::together(m)
            };
        }
        let mut entries: Vec<f64> = (0..m)
            .flat_map(|l| shrunk.iter().enumerate().map(move |(i, by)| (l, i, by)))
            .map(|(l, i, by)| walk.vectors[(l, i)] * by)
            .collect();
        // A factor that all share changes no cosine, and keeps them in the range of single precision.
        let largest = entries
            .iter()
            .fold(0.0f64, |most, entry| most.max(entry.abs()));
        if largest > 0.0 {
            entries.iter_mut().for_each(|entry| *entry /= largest);
        }
        Self {
            entries,
            directions: r,
            spectrum: walk.values.iter().map(|value| value.sqrt()).collect(),
        }
    }

    /// All in one place.
    pub(super) fn together(m: usize) -> Self {
        Self {
            entries: vec![1.0; m],
            directions: 1,
            spectrum: Vec::new(),
        }
    }

    pub(super) fn tensor(&self, m: usize, device: &Device, precision: DType) -> Tensor<2> {
        let entries = TensorData::new(self.entries.clone(), [m, self.directions]);
        Tensor::from_data(entries, (device, precision))
    }
}
