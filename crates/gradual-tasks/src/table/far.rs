//! Numbers that are too far from all others of their column.

/// How many times as far as three quarters of the others that differ from the median. Beyond it, its square, and what a model makes of
/// it, leave single precision as soon as it is held out of what the scale is taken from.
const FAR: f64 = 1e12;

/// What stands for a missing number is larger than this: nobody's unit is so small that it is a usual number.
const LARGE: f64 = 1e9;

/// The place of a number that is [`FAR`] from the others, if there is one; NaN stands for a missing number. Distances are from the
/// median, and compared with the third quartile of those that are not 0: whatever has spread over many powers of ten is near.
pub(super) fn far(numbers: &[f64]) -> Option<usize> {
    // Most columns have none, and are only read.
    if !numbers.iter().any(|number| number.abs() > LARGE) {
        return None;
    }
    let mut there: Vec<f64> = numbers.iter().copied().filter(|x| !x.is_nan()).collect();
    let middle = there.len() / 2;
    let (_, &mut median, _) = there.select_nth_unstable_by(middle, f64::total_cmp);
    let mut distances: Vec<f64> = there
        .iter()
        .map(|number| (number - median).abs())
        .filter(|&distance| distance > 0.0)
        .collect();
    let quartile = 3 * (distances.len().checked_sub(1)?) / 4;
    let (_, &mut near, _) = distances.select_nth_unstable_by(quartile, f64::total_cmp);
    let is_far = |number: &f64| number.abs() > LARGE && (number - median).abs() / near > FAR;
    numbers.iter().position(is_far)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_are_far_and_wide_spreads_are_not() {
        let usual: Vec<f64> = (0..100).map(|at| f64::from(at % 7)).collect();
        assert_eq!(far(&usual), None);
        for fill in [1e20, -9.97e36, 1e99] {
            for places in [vec![41], vec![3, 41, 77]] {
                let mut numbers = usual.clone();
                numbers[50] = f64::NAN;
                places.iter().for_each(|&place| numbers[place] = fill);
                assert_eq!(far(&numbers), Some(places[0]), "{fill}");
            }
        }
        // Mostly zeros, as rain is.
        let mut rain = vec![0.0; 100];
        rain[..20]
            .iter_mut()
            .enumerate()
            .for_each(|(at, x)| *x = at as f64);
        assert_eq!(far(&rain), None);
        rain[60] = 1e20;
        assert_eq!(far(&rain), Some(60));
        // Distances that are rounding.
        let mut rounded = vec![0.3; 40];
        rounded[..20].fill(0.1 + 0.2);
        rounded[30] = 0.7;
        assert_eq!(far(&rounded), None);
        let powers: Vec<f64> = (-15..15).map(|power| 10f64.powi(power)).collect();
        assert_eq!(far(&powers), None);
        assert_eq!(
            (far(&[]), far(&[f64::NAN]), far(&[3.0, 3.0, 1e30])),
            (None, None, None)
        );
    }
}
