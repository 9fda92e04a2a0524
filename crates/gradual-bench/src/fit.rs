//! The power with which a cost grows.

use gradual::measure::slope;

/// The least-squares slope of log y on log x: the b of y ≈ a x^b. None from fewer than two different x; a
/// point that is not positive is left out.
pub(crate) fn exponent(points: &[(f64, f64)]) -> Option<f64> {
    let logs: Vec<(f64, f64)> = points
        .iter()
        .filter(|(x, y)| *x > 0.0 && *y > 0.0)
        .map(|(x, y)| (x.ln(), y.ln()))
        .collect();
    slope(&logs)
}

/// The exponent over the last three points, where constant costs weigh least.
pub(crate) fn last_exponent(points: &[(f64, f64)]) -> Option<f64> {
    exponent(&points[points.len().saturating_sub(3)..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_power_is_found_again() {
        let points: Vec<(f64, f64)> = [1.0, 2.0, 8.0].map(|x: f64| (x, 3.0 * x.powf(1.5))).into();
        assert!((exponent(&points).unwrap() - 1.5).abs() < 1e-12);
    }

    #[test]
    fn of_three_points_the_middle_one_does_not_tilt_the_slope() {
        let slope = exponent(&[(1.0, 1.0), (10.0, 7.0), (100.0, 100.0)]).unwrap();
        assert!((slope - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_end_is_steeper_than_the_whole_under_a_constant() {
        let points: Vec<(f64, f64)> = (0..8)
            .map(|k| f64::from(1 << k))
            .map(|x| (x, 100.0 + x * x))
            .collect();
        assert!(last_exponent(&points) > exponent(&points));
        assert_eq!(last_exponent(&points[..2]), exponent(&points[..2]));
    }

    #[test]
    fn too_few_points_have_no_slope() {
        assert_eq!(exponent(&[]), None);
        assert_eq!(exponent(&[(2.0, 1.0), (2.0, 3.0)]), None);
        assert_eq!(exponent(&[(2.0, 1.0), (4.0, 0.0)]), None);
    }
}
