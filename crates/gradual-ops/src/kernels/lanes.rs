//! Sums and largest entries over several lanes, which the compiler turns into vectors. The order of additions is the same on
//! every machine.

const LANES: usize = 16;

/// Folds entry by entry into lanes, and the lanes one after the other.
#[inline(always)]
fn folded(
    x: &[f32],
    y: &[f32],
    start: f32,
    entry: impl Fn(f32, f32, f32) -> f32,
    lanes: impl Fn(f32, f32) -> f32,
) -> f32 {
    let mut kept = [start; LANES];
    let (xs, ys) = (x.chunks_exact(LANES), y.chunks_exact(LANES));
    let (x_rest, y_rest) = (xs.remainder(), ys.remainder());
    for (x, y) in xs.zip(ys) {
        for lane in 0..LANES {
            kept[lane] = entry(kept[lane], x[lane], y[lane]);
        }
    }
    for (lane, (&x, &y)) in x_rest.iter().zip(y_rest).enumerate() {
        kept[lane] = entry(kept[lane], x, y);
    }
    kept.into_iter().fold(start, lanes)
}

#[inline(always)]
pub(crate) fn sum(x: &[f32]) -> f32 {
    folded(x, x, 0.0, |kept, x, _| kept + x, |a, b| a + b)
}

#[inline(always)]
pub(crate) fn dot(x: &[f32], y: &[f32]) -> f32 {
    folded(x, y, 0.0, |kept, x, y| kept + x * y, |a, b| a + b)
}

/// Σ (x − mean)².
#[inline(always)]
pub(crate) fn spread(x: &[f32], mean: f32) -> f32 {
    let square = |kept: f32, x: f32, _| kept + (x - mean) * (x - mean);
    folded(x, x, 0.0, square, |a, b| a + b)
}

/// The largest entry, −∞ of none. What is not a number is passed over.
#[inline(always)]
pub(crate) fn largest(x: &[f32]) -> f32 {
    let larger = |a: f32, b: f32| if b > a { b } else { a };
    folded(
        x,
        x,
        f32::NEG_INFINITY,
        |kept, x, _| larger(kept, x),
        larger,
    )
}
