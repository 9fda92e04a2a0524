//! How an input of a model is centred and scaled.

/// (x − mean) / deviation, in double precision before the cast to single. What is the same in all training examples
/// says nothing. Its deviation is infinite, so that it is zero in every example.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    mean: f64,
    deviation: f64,
}

impl Scale {
    /// Of numbers, none of which is NaN.
    pub(crate) fn of(values: impl Iterator<Item = f64> + Clone) -> Self {
        let n = values.clone().count() as f64;
        let least = values.clone().fold(f64::INFINITY, f64::min);
        let most = values.clone().fold(f64::NEG_INFINITY, f64::max);
        if least >= most {
            return Self {
                mean: 0.0,
                deviation: f64::INFINITY,
            };
        }
        let mean = values.clone().sum::<f64>() / n;
        let variance = values.map(|value| (value - mean).powi(2)).sum::<f64>() / n;
        // Squares of tiny differences may be zero.
        let deviation = Some(variance.sqrt()).filter(|&deviation| deviation > 0.0);
        Self {
            mean,
            deviation: deviation.unwrap_or(f64::INFINITY),
        }
    }

    /// Of a column of zeros and ones, which is left as it is.
    pub(crate) fn of_flags(mut flags: impl Iterator<Item = bool>) -> Self {
        let first = flags.next();
        let differs = first.is_some_and(|first| flags.any(|flag| flag != first));
        Self {
            mean: 0.0,
            deviation: if differs { 1.0 } else { f64::INFINITY },
        }
    }

    /// Of `n` whole numbers, by their sum and the sum of their squares, without rounding.
    pub(crate) fn of_sums(n: u64, sum: u64, squares: u64) -> Self {
        let [n, sum, squares] = [n, sum, squares].map(u128::from);
        let scaled = n * squares - sum * sum;
        let count = n as f64;
        Self {
            mean: sum as f64 / count,
            deviation: match scaled {
                0 => f64::INFINITY,
                scaled => (scaled as f64).sqrt() / count,
            },
        }
    }

    /// Whether all numbers were one, or differed by less than the root of the least number that there is.
    pub(crate) fn is_constant(self) -> bool {
        self.deviation.is_infinite()
    }

    /// A number, centred and scaled.
    pub(crate) fn apply(self, value: f64) -> f32 {
        ((value - self.mean) / self.deviation) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_whole_numbers_are_as_the_numbers() {
        let numbers = [3_u64, 250, 17, 17, 0];
        let squares = numbers.iter().map(|number| number * number).sum();
        let sums = Scale::of_sums(5, numbers.iter().sum(), squares);
        let plain = Scale::of(numbers.iter().map(|&number| number as f64));
        for number in [0.0, 3.0, 250.0] {
            assert!((sums.apply(number) - plain.apply(number)).abs() < 1e-6);
        }
        let constant = Scale::of_sums(3, 21, 147);
        assert_eq!((constant.apply(7.0), constant.apply(1e30)), (0.0, 0.0));
    }
}
