//! The increments of a curve on equal intervals of time, and what their sizes say.

use crate::curve::Curve;
use crate::statistics::median;

/// The number of equal intervals.
pub(super) const INTERVALS: usize = 100;

/// The least √(median z²) that [`Increments::breakthroughness`] divides by.
const FLOOR: f64 = 1e-3;

/// The values of `curve` at the ends of [`INTERVALS`] equal intervals from step 0 to the last.
pub(super) fn on_grid(curve: &Curve) -> Vec<f64> {
    let width = curve.last_step() / INTERVALS as f64;
    (0..=INTERVALS)
        .map(|index| curve.at(index as f64 * width))
        .collect()
}

/// The increments of a curve that is not flat.
pub(super) struct Increments {
    sum: f64,
    squares: f64,
    /// √(median z²). Of an even number of increments this is not the median of |z|.
    typical: f64,
    /// BIG-bench's I: the range of the values, negative when the highest comes before the lowest.
    range: f64,
}

impl Increments {
    /// `None` for a flat curve: increments of rounding size are no movement.
    pub(super) fn of(curve: &Curve) -> Option<Self> {
        let values = on_grid(curve);
        let sizes: Vec<f64> = values.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let squared: Vec<f64> = sizes.iter().map(|z| z * z).collect();
        let squares = squared.iter().sum::<f64>();
        if squares <= 1e-24 || !squares.is_finite() {
            return None;
        }
        let first = |better: fn(f64, f64) -> bool| {
            (0..values.len()).fold(0, |best, index| {
                if better(values[index], values[best]) {
                    index
                } else {
                    best
                }
            })
        };
        let (high, low) = (first(|a, b| a > b), first(|a, b| a < b));
        let range = values[high] - values[low];
        Some(Self {
            sum: sizes.iter().sum(),
            squares,
            typical: median(&squared)?.sqrt(),
            range: if high > low { range } else { -range },
        })
    }

    /// `(Σz)² / (n Σz²)`.
    pub(super) fn effective(&self) -> f64 {
        (self.sum * self.sum / (INTERVALS as f64 * self.squares)).clamp(0.0, 1.0)
    }

    /// `I / (n √(mean z²))`. At most 1 in size, since `|I| ≤ Σ|z| ≤ √(n Σz²)`.
    pub(super) fn linearity(&self) -> f64 {
        (self.range / (INTERVALS as f64 * self.squares).sqrt()).clamp(-1.0, 1.0)
    }

    /// `I / (n max(√(median z²), floor))`.
    pub(super) fn breakthroughness(&self) -> f64 {
        self.range / (INTERVALS as f64 * self.typical.max(FLOOR))
    }
}
