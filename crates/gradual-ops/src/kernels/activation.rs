//! GELU and SiLU of every entry, and their derivatives.

use std::f32::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI, SQRT_2};

use pulp::{Simd, WithSimd};

use super::exponential::exp;
use crate::activation::kind::Kind;

/// Below, a sigmoid is 0.
const LOW: f32 = -87.0;

pub(crate) struct Forward<'a> {
    pub(crate) kind: Kind,
    pub(crate) x: &'a [f32],
    pub(crate) to: &'a mut [f32],
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { kind, x, to } = self;
        match kind {
            Kind::Gelu => each(x, to, |x| x * normal(x).0),
            Kind::GeluApproximate => each(x, to, |x| x * sigmoid(2.0 * bent(x).0)),
            Kind::Silu => each(x, to, |x| x * sigmoid(x)),
        }
    }
}

/// Gradients of `x` from those of the output.
pub(crate) struct Backward<'a> {
    pub(crate) kind: Kind,
    pub(crate) x: &'a [f32],
    pub(crate) deltas: &'a [f32],
    pub(crate) to: &'a mut [f32],
}

impl WithSimd for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self {
            kind,
            x,
            deltas,
            to,
        } = self;
        match kind {
            Kind::Gelu => each(x, to, |x| {
                let (below, density) = normal(x);
                below + x * density
            }),
            Kind::GeluApproximate => each(x, to, |x| {
                let (bent, slope) = bent(x);
                let share = sigmoid(2.0 * bent);
                share + x * share * (1.0 - share) * 2.0 * slope
            }),
            Kind::Silu => each(x, to, |x| {
                let share = sigmoid(x);
                share + x * share * (1.0 - share)
            }),
        }
        for (to, delta) in to.iter_mut().zip(deltas) {
            *to *= delta;
        }
    }
}

#[inline(always)]
fn each(x: &[f32], to: &mut [f32], of: impl Fn(f32) -> f32) {
    for (to, &x) in to.iter_mut().zip(x) {
        *to = of(x);
    }
}

/// 1/(1 + e⁻ˣ), and 0 where e⁻ˣ would be hardly a number.
#[inline(always)]
fn sigmoid(x: f32) -> f32 {
    let away = if x < LOW { -LOW } else { -x };
    let share = 1.0 / (1.0 + exp(away));
    if x < LOW { 0.0 } else { share }
}

/// √(2/π) (x + 0.044715 x³), and its derivative. (1 + tanh(u))/2 is the sigmoid of 2u.
#[inline(always)]
fn bent(x: f32) -> (f32, f32) {
    const CUBE: f32 = 0.044_715;
    const SCALE: f32 = FRAC_2_SQRT_PI * FRAC_1_SQRT_2;
    let square = x * x;
    (
        SCALE * (x + CUBE * square * x),
        SCALE * (1.0 + 3.0 * CUBE * square),
    )
}

/// The distribution function and the density of the normal distribution. The first is 1 − erfc(x/√2)/2 above 0 and
/// erfc(−x/√2)/2 below, with erfc to within 1.5e-7 (C. Hastings in M. Abramowitz and I. Stegun, *Handbook of Mathematical
/// Functions*, 7.1.26).
#[inline(always)]
fn normal(x: f32) -> (f32, f32) {
    const SERIES: [f32; 5] = [
        1.061_405_4,
        -1.453_152,
        1.421_413_7,
        -0.284_496_74,
        0.254_829_6,
    ];
    let z = x.abs() * FRAC_1_SQRT_2;
    let falls = exp(-z * z);
    let t = 1.0 / (1.0 + 0.327_591_1 * z);
    let mut series = 0.0;
    for coefficient in SERIES {
        series = (series + coefficient) * t;
    }
    let tail = 0.5 * series * falls;
    let below = if x < 0.0 { tail } else { 1.0 - tail };
    (below, falls * 0.5 * FRAC_2_SQRT_PI / SQRT_2)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// erfc by its continued fraction or its series, in double precision.
    fn distribution(x: f64) -> f64 {
        let z = x.abs() / std::f64::consts::SQRT_2;
        let tail = if z < 3.0 {
            // erf(z) = 2/√π e^(−z²) Σ 2ⁿ z^(2n+1)/(2n+1)!!
            let mut term = z;
            let mut sum = z;
            for n in 1..200 {
                term *= 2.0 * z * z / f64::from(2 * n + 1);
                sum += term;
            }
            1.0 - std::f64::consts::FRAC_2_SQRT_PI * (-z * z).exp() * sum
        } else {
            let fraction = (1..80)
                .rev()
                .fold(z, |below, n| z + 0.5 * f64::from(n) / below);
            (-z * z).exp() / (fraction * std::f64::consts::PI.sqrt())
        };
        if x < 0.0 {
            0.5 * tail
        } else {
            1.0 - 0.5 * tail
        }
    }

    #[test]
    fn it_is_the_normal_distribution() {
        for step in -12_000..=12_000 {
            let x = step as f32 / 1_000.0;
            let (below, density) = normal(x);
            let exact = distribution(f64::from(x));
            assert!(
                (f64::from(below) - exact).abs() < 3e-7,
                "{x}: {below} for {exact}"
            );
            let exact = (-0.5 * f64::from(x).powi(2)).exp() / (2.0 * std::f64::consts::PI).sqrt();
            assert!(
                (f64::from(density) - exact).abs() < 1e-6,
                "{x}: {density} for {exact}"
            );
        }
    }

    fn near(found: &[f32; 5], expected: [f32; 4]) {
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-30, "{found} for {expected}");
        }
        assert!(found[4].is_nan());
    }

    #[test]
    fn large_entries_and_what_is_not_a_number_stay_what_they_are() {
        for kind in [Kind::Gelu, Kind::GeluApproximate, Kind::Silu] {
            let x = [1e4, -1e4, 200.0, -200.0, f32::NAN];
            let mut to = [0.0; 5];
            pulp::Arch::new().dispatch(Forward {
                kind,
                x: &x,
                to: &mut to,
            });
            near(&to, [1e4, 0.0, 200.0, 0.0]);
            pulp::Arch::new().dispatch(Backward {
                kind,
                x: &x,
                deltas: &[2.0; 5],
                to: &mut to,
            });
            near(&to, [2.0, 0.0, 2.0, 0.0]);
        }
    }
}
