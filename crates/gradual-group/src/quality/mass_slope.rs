//! Whether a grouping has an effect: how the weight of a step is distributed over tasks.

/// The weight-mass slope: the slope of the logarithm of each task's coefficient mass Σ|c| on the
/// logarithm of its frequency, by least squares.
///
/// 1 for the plain mean loss, where every example weighs the same; 0 for the true groups, where every
/// task does at equal losses. The best single early sign of whether found groups will do anything.
/// `mass` and `frequency` are one number for each task, in any unit; tasks without mass or frequency
/// are left out.
///
/// None with fewer than two tasks, or when all have the same frequency.
pub fn weight_mass_slope(mass: &[f64], frequency: &[f64]) -> Option<f64> {
    let points: Vec<(f64, f64)> = frequency
        .iter()
        .zip(mass)
        .filter(|(frequency, mass)| **frequency > 0.0 && **mass > 0.0)
        .map(|(frequency, mass)| (frequency.ln(), mass.ln()))
        .filter(|(x, y)| x.is_finite() && y.is_finite())
        .collect();
    let n = points.len() as f64;
    let mean_x = points.iter().map(|(x, _)| x).sum::<f64>() / n;
    let mean_y = points.iter().map(|(_, y)| y).sum::<f64>() / n;
    let squares: f64 = points.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    let products: f64 = points
        .iter()
        .map(|(x, y)| (x - mean_x) * (y - mean_y))
        .sum();
    // The logarithms of equal frequencies may differ by rounding.
    (points.len() > 1 && squares > 1e-20 * n).then(|| products / squares)
}

#[cfg(test)]
mod tests {
    use super::weight_mass_slope;

    #[test]
    fn powers_are_slopes() {
        let frequency = [0.5, 0.25, 0.125, 0.0625];
        let slope = |power: f64| {
            let mass = frequency.map(|f: f64| 3.0 * f.powf(power));
            weight_mass_slope(&mass, &frequency).unwrap()
        };
        for power in [0.0, 0.5, 1.0, -0.3] {
            assert!((slope(power) - power).abs() < 1e-12, "{power}");
        }
    }

    /// Worked out by hand: x = 0, ln 2, 2 ln 2 and y = 0, 0, 3 ln 2 give 3/2.
    #[test]
    fn least_squares() {
        let slope = weight_mass_slope(&[1.0, 1.0, 8.0], &[1.0, 2.0, 4.0]).unwrap();
        assert!((slope - 1.5).abs() < 1e-12, "{slope}");
    }

    #[test]
    fn tasks_without_mass_are_left_out() {
        assert_eq!(weight_mass_slope(&[0.0, 1.0], &[0.5, 0.5]), None);
        assert_eq!(weight_mass_slope(&[1.0, 2.0], &[0.5, 0.5]), None);
        assert_eq!(weight_mass_slope(&[], &[]), None);
        let slope = weight_mass_slope(&[0.0, 1.0, 2.0], &[0.1, 0.2, 0.4]).unwrap();
        assert!((slope - 1.0).abs() < 1e-12);
    }
}
