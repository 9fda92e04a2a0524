//! Products of look-ups: sorted by index, so that only those of equal index are multiplied with each other.
//!
//! # Steps
//!
//! 1. The indices come to the host, once, and are sorted by index and then by example.
//! 2. What an example adds to one row of the table is a slot: its positions are summed.
//! 3. The slots of one index are a run, as long as there are examples that look it up. Runs are packed into square
//!    tiles whose side is a power of two and less than twice the longest run in them.
//! 4. All tiles of a side are multiplied with themselves at once, [tiles, side, e] by [tiles, e, side]; entries of two
//!    runs are dropped, and the others are added to the pair of their examples.
//!
//! # Cost
//!
//! n t e operations for the sums and, for an index that c examples look up, at most 8 c² e for its products: of all
//! indices no more than n t n e, where all pairs of positions would take 2 n² t² e. Memory is that of a few tiles,
//! whatever n, t and the table's size.

use std::collections::BTreeMap;

use burn::tensor::{Device, IndexingUpdateOp, Int, Tensor, TensorData};

use super::lookups::Lookups;
use super::order::Position;

/// Elements that are gathered, multiplied or scattered at a time (16 MiB in `f32`); few in unit tests, for several
/// pieces.
const PIECE: usize = if cfg!(test) { 1 << 12 } else { 1 << 22 };

/// Least side of a tile: smaller ones multiply at a low speed.
const SMALLEST: usize = 32;

impl Lookups {
    /// None where the indices can't be read.
    fn sorted(&self) -> Option<&[Position]> {
        self.order.of(&self.indices)
    }

    /// Inner products `[n, m]` with the look-ups of another draw, or of this one under None. None where the indices
    /// can't be read.
    pub(super) fn meet(&self, other: Option<&Self>) -> Option<Tensor<2>> {
        let e = self.deltas.dims()[2];
        let (n, m) = (
            self.deltas.dims()[0],
            other.unwrap_or(self).deltas.dims()[0],
        );
        let of_other = other.map_or_else(|| self.sorted(), Self::sorted)?;
        let mut others = runs(of_other).peekable();
        let like = (&self.deltas.device(), self.deltas.dtype());
        let mut products = Tensor::<1>::zeros([n * m], like);
        let mut open: BTreeMap<[usize; 2], Tiles<'_>> = BTreeMap::new();
        for run in runs(self.sorted()?) {
            while others
                .next_if(|other| other[0].index < run[0].index)
                .is_some()
            {}
            let Some(met) = others.next_if(|other| other[0].index == run[0].index) else {
                continue;
            };
            let sides = [run, met].map(|run| examples(run).next_power_of_two().max(SMALLEST));
            let tiles = open
                .entry(sides)
                .or_insert_with(|| Tiles::new(sides, self, other));
            if !tiles.fit(run, met) && tiles.elements(e) >= PIECE {
                products = tiles.add_to(products, m);
                *tiles = Tiles::new(sides, self, other);
            }
            tiles.add(run, met);
        }
        for mut tiles in open.into_values() {
            products = tiles.add_to(products, m);
        }
        Some(products.reshape([n, m]))
    }

    /// Rows `start..start + width` of the matrices, `[n, width·e]`, from the positions that look them up alone. None
    /// where the indices can't be read.
    pub(super) fn block_by_index(&self, start: usize, width: usize) -> Option<Tensor<2>> {
        let [n, _, e] = self.deltas.dims();
        let sorted = self.sorted()?;
        let below = |end: usize| sorted.partition_point(|each| each.index < end as i64);
        let mut slots = Slots::new(self);
        for each in &sorted[below(start)..below(start + width)] {
            slots.positions.push(each.at);
            let row = each.example * width + each.index as usize - start;
            slots.slots.push(row as i32);
        }
        Some(slots.summed(n * width).reshape([n, width * e]))
    }

    /// Squared norms `[n]`; None where the indices can't be read.
    pub(super) fn squared_norms_by_index(&self) -> Option<Tensor<1>> {
        let [n, _, e] = self.deltas.dims();
        let like = (&self.deltas.device(), self.deltas.dtype());
        let mut squares = Tensor::<1>::zeros([n], like);
        let add = |squares: Tensor<1>, slots: &Slots<'_>| {
            let rows = slots.rows();
            let norms = (rows.clone() * rows)
                .sum_dim(1)
                .reshape([slots.examples.len()]);
            let at = integers(&slots.examples, &norms.device());
            squares.select_assign(0, at, norms, IndexingUpdateOp::Add)
        };
        let mut slots = Slots::new(self);
        for run in runs(self.sorted()?) {
            if slots.examples.len() * e >= PIECE {
                squares = add(squares, &slots);
                slots = Slots::new(self);
            }
            slots.add(run);
        }
        if !slots.examples.is_empty() {
            squares = add(squares, &slots);
        }
        Some(squares)
    }
}

/// Positions of equal index.
fn runs(positions: &[Position]) -> impl Iterator<Item = &[Position]> {
    positions.chunk_by(|a, b| a.index == b.index)
}

/// How many examples a run has.
fn examples(run: &[Position]) -> usize {
    run.chunk_by(|a, b| a.example == b.example).count()
}

/// Slots of one draw: sums of the positions where an example looks up one index.
struct Slots<'a> {
    of: &'a Lookups,
    /// Positions, and the slot that each is added to.
    positions: Vec<i32>,
    slots: Vec<i32>,
    /// Whose a slot is, and of which run.
    examples: Vec<i32>,
    runs: Vec<i32>,
    run: i32,
}

impl<'a> Slots<'a> {
    fn new(of: &'a Lookups) -> Self {
        Self {
            of,
            positions: Vec::new(),
            slots: Vec::new(),
            examples: Vec::new(),
            runs: Vec::new(),
            run: 0,
        }
    }

    fn add(&mut self, run: &[Position]) {
        for of_example in run.chunk_by(|a, b| a.example == b.example) {
            let slot = self.examples.len() as i32;
            self.positions.extend(of_example.iter().map(|each| each.at));
            self.slots.resize(self.positions.len(), slot);
            self.examples.push(of_example[0].example as i32);
            self.runs.push(self.run);
        }
        self.run += 1;
    }

    /// Empty slots up to `len` of them, in a run of their own.
    fn fill(&mut self, len: usize) {
        self.examples.resize(len, 0);
        self.runs.resize(len, -1);
    }

    /// The sums, `[slots, e]`.
    fn rows(&self) -> Tensor<2> {
        self.summed(self.examples.len())
    }

    fn summed(&self, slots: usize) -> Tensor<2> {
        let [n, t, e] = self.of.deltas.dims();
        let device = self.of.deltas.device();
        let deltas = self.of.deltas.clone().reshape([n * t, e]);
        let zeros = Tensor::<2>::zeros([slots, e], (&device, deltas.dtype()));
        let piece = (PIECE / e).max(1);
        let pieces = self.positions.chunks(piece).zip(self.slots.chunks(piece));
        pieces.fold(zeros, |rows, (positions, slots)| {
            let gathered = deltas.clone().select(0, integers(positions, &device));
            let slots = integers(slots, &device);
            rows.select_assign(0, slots, gathered, IndexingUpdateOp::Add)
        })
    }
}

/// Tiles `[rows, columns]` of equal size: the slots of one draw against those of another, or its own.
struct Tiles<'a> {
    sides: [usize; 2],
    left: Slots<'a>,
    right: Option<Slots<'a>>,
}

impl<'a> Tiles<'a> {
    fn new(sides: [usize; 2], left: &'a Lookups, right: Option<&'a Lookups>) -> Self {
        Self {
            sides,
            left: Slots::new(left),
            right: right.map(Slots::new),
        }
    }

    fn right(&self) -> &Slots<'a> {
        self.right.as_ref().unwrap_or(&self.left)
    }

    fn filled(&self) -> [usize; 2] {
        [self.left.examples.len(), self.right().examples.len()]
    }

    /// How many tiles have been begun.
    fn count(&self) -> usize {
        let [rows, columns] = self.filled();
        let [row, column] = self.sides;
        rows.div_ceil(row).max(columns.div_ceil(column))
    }

    /// Elements of the largest array that the tiles take.
    fn elements(&self, e: usize) -> usize {
        let [rows, columns] = self.sides;
        self.count() * (rows * columns).max(rows.max(columns) * e)
    }

    /// Whether both runs fit into the tile that has been begun.
    fn fit(&self, run: &[Position], met: &[Position]) -> bool {
        let count = self.count();
        let free = |at: usize| count * self.sides[at] - self.filled()[at];
        examples(run) <= free(0) && examples(met) <= free(1)
    }

    fn add(&mut self, run: &[Position], met: &[Position]) {
        if !self.fit(run, met) {
            self.close();
        }
        self.left.add(run);
        if let Some(right) = &mut self.right {
            right.add(met);
        }
    }

    /// Fills up the tile that has been begun.
    fn close(&mut self) {
        let count = self.count();
        let [row, column] = self.sides;
        self.left.fill(count * row);
        if let Some(right) = &mut self.right {
            right.fill(count * column);
        }
    }

    /// Adds the products to those of the examples, `[n·m]`.
    fn add_to(&mut self, products: Tensor<1>, m: usize) -> Tensor<1> {
        self.close();
        let (count, [row, column]) = (self.count(), self.sides);
        let device = products.device();
        let e = self.left.of.deltas.dims()[2];
        let left = self.left.rows().reshape([count, row, e]);
        let right = match &self.right {
            None => left.clone(),
            Some(right) => right.rows().reshape([count, column, e]),
        };
        let shape = [count, row, column];
        let of_left = |values: &[i32]| integers(values, &device).reshape([count, row, 1]);
        let of_right = |values: &[i32]| integers(values, &device).reshape([count, 1, column]);
        let (runs, met) = (of_left(&self.left.runs), of_right(&self.right().runs));
        let apart = runs.expand(shape).not_equal(met.expand(shape));
        let found = left.matmul(right.swap_dims(1, 2)).mask_fill(apart, 0.0);
        let (rows, columns) = (&self.left.examples, &self.right().examples);
        let at = of_left(rows).mul_scalar(m as i64).expand(shape) + of_right(columns).expand(shape);
        products.select_assign(
            0,
            at.reshape([count * row * column]),
            found.reshape([count * row * column]),
            IndexingUpdateOp::Add,
        )
    }
}

fn integers(values: &[i32], device: &Device) -> Tensor<1, Int> {
    Tensor::from_data(TensorData::new(values.to_vec(), [values.len()]), device)
}
