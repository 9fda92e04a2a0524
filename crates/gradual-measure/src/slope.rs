//! The slope of a straight line through points.

/// Slopes are only had of points whose x spread by more than this share of their size: 1e-10, squared.
const ROUNDING: f64 = 1e-20;

/// The least-squares slope b of y ≈ a + b x over the points (x, y),
///
/// ```text
/// b = Σ (x − x̄)(y − ȳ) / Σ (x − x̄)²
/// ```
///
/// None of fewer than two points, or where all x are equal to within rounding.
#[must_use]
pub fn slope(points: &[(f64, f64)]) -> Option<f64> {
    let n = points.len() as f64;
    let mean_x = points.iter().map(|(x, _)| x).sum::<f64>() / n;
    let mean_y = points.iter().map(|(_, y)| y).sum::<f64>() / n;
    let squares: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    let products: f64 = points
        .iter()
        .map(|(x, y)| (x - mean_x) * (y - mean_y))
        .sum();
    let size: f64 = points.iter().map(|(x, _)| x * x).sum();
    (points.len() > 1 && squares > ROUNDING * size).then(|| products / squares)
}

#[cfg(test)]
mod tests {
    use super::slope;

    #[test]
    fn a_line_has_its_slope() {
        let points: Vec<(f64, f64)> = [-1.0, 0.5, 4.0].map(|x| (x, 3.0 - 2.0 * x)).into();
        assert!((slope(&points).unwrap() + 2.0).abs() < 1e-12);
        // (0, 0), (1, 0), (2, 3): Σ (x − 1)(y − 1) = 3 over Σ (x − 1)² = 2.
        assert_eq!(slope(&[(0.0, 0.0), (1.0, 0.0), (2.0, 3.0)]), Some(1.5));
    }

    #[test]
    fn one_x_has_no_slope() {
        assert_eq!(slope(&[]), None);
        assert_eq!(slope(&[(1.0, 2.0)]), None);
        assert_eq!(slope(&[(2.0, 1.0), (2.0, 3.0)]), None);
        // Equal but for rounding.
        assert_eq!(slope(&[(0.1 + 0.2, 1.0), (0.3, 3.0)]), None);
        // Far from zero, but not equal.
        assert_eq!(slope(&[(1e6, 1.0), (1e6 + 1.0, 3.0)]), Some(2.0));
    }
}
