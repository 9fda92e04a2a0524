//! The exponential function, written so that the compiler can compute it in vectors.

/// ln 2 in two parts, of which the first has few bits, so that its multiples are exact (W. J. Cody and W. Waite, *Software
/// Manual for the Elementary Functions*, 1980).
const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
/// Added and taken off again, this rounds to a whole number, which then stands in the lowest bits.
const ROUND: f32 = 12_582_912.0;
/// Below, the result is no normal number any more, and 0 here.
const LOW: f32 = -87.336_54;

/// eˣ to within two units in the last place, for x up to 88: x = k ln 2 + r with |r| ≤ ln 2/2, and a polynomial of degree seven
/// for eʳ. What is not a number stays so.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    // A comparison and not `max`, which drops what is not a number.
    let bounded = if x < LOW { LOW } else { x };
    let shifted = bounded * std::f32::consts::LOG2_E + ROUND;
    let whole = shifted - ROUND;
    let r = (bounded - whole * LN_2[0]) - whole * LN_2[1];
    let mut series = 1.0 / 5_040.0;
    for coefficient in [
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
        1.0,
    ] {
        series = series * r + coefficient;
    }
    let exponent = (shifted.to_bits() << 23).wrapping_add(127 << 23);
    let value = series * f32::from_bits(exponent);
    if x < LOW { 0.0 } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_exponential() {
        for step in -88_000..=88_000 {
            let x = step as f32 / 1_000.0;
            let (ours, exact) = (f64::from(exp(x)), f64::from(x).exp());
            if exact < f64::from(f32::MIN_POSITIVE) {
                assert!(ours <= 2.0 * f64::from(f32::MIN_POSITIVE), "{x}: {ours}");
                continue;
            }
            let wrong = (ours / exact - 1.0).abs();
            assert!(
                wrong < 2.0 * f64::from(f32::EPSILON),
                "{x}: {ours} for {exact}"
            );
        }
        assert_eq!(exp(0.0), 1.0);
        assert_eq!([exp(-1e4), exp(f32::NEG_INFINITY)], [0.0; 2]);
        assert!(exp(f32::NAN).is_nan());
    }
}
