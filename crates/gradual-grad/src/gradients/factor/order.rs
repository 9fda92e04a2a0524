//! The positions of look-ups in the order of their indices.

use std::sync::{Arc, OnceLock};

use burn::tensor::{Int, Tensor};

use crate::host::read_integers;

/// The positions of look-ups in the order of their indices, read from the device when they are first asked for.
#[derive(Debug, Clone, Default)]
pub(super) struct IndexOrder(Arc<OnceLock<Option<Vec<Position>>>>);

/// One position.
#[derive(Debug, Clone, Copy)]
pub(super) struct Position {
    pub(super) index: i64,
    pub(super) example: usize,
    /// Of all positions of all examples.
    pub(super) at: i32,
}

impl IndexOrder {
    /// Sorted by index and then by example. None where the indices `[n, t]` can't be read.
    pub(super) fn of(&self, indices: &Tensor<2, Int>) -> Option<&[Position]> {
        let sort = || {
            let [_, t] = indices.dims();
            let indices = read_integers(indices.clone()).ok()?;
            let mut positions: Vec<Position> = (0..)
                .zip(indices)
                .map(|(at, index)| Position {
                    index,
                    example: at as usize / t,
                    at,
                })
                .collect();
            positions.sort_unstable_by_key(|each| (each.index, each.at));
            Some(positions)
        };
        self.0.get_or_init(sort).as_deref()
    }
}
