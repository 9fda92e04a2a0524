//! Numbers that may stand for missing ones, such as −9999.

/// How often one has to stand in a column.
const TIMES: usize = 2;
/// How many times as far it is from all others as these are from each other.
const APART: f64 = 3.0;

/// A number of nines alone, apart from all others of its column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Fill {
    pub(super) number: f64,
    pub(super) times: usize,
    /// The least and the greatest of the others.
    pub(super) others: [f64; 2],
}

/// The least or the greatest number of a column, if it looks like one that stands for missing ones; NaN is a missing
/// number.
pub(super) fn fill(numbers: &[f64]) -> Option<Fill> {
    let known = || numbers.iter().copied().filter(|number| !number.is_nan());
    let ends = [known().reduce(f64::min)?, known().reduce(f64::max)?];
    let odd = ends.into_iter().find(|&end| is_nines(end))?;
    let others = || known().filter(|&number| number != odd);
    let [low, high] = [others().reduce(f64::min)?, others().reduce(f64::max)?];
    let times = known().filter(|&number| number == odd).count();
    let apart = (low - odd).max(odd - high);
    (times >= TIMES && apart > APART * (high - low)).then_some(Fill {
        number: odd,
        times,
        others: [low, high],
    })
}

/// Whether it is 99, 999, 9999 and so on, or one of these below 0, with some nines after the point or none.
fn is_nines(number: f64) -> bool {
    let text = number.abs().to_string();
    let mut digits = text.chars().filter(|&digit| digit != '.');
    number.abs() >= 99.0 && digits.all(|digit| digit == '9')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nines_apart_from_all_others_are_fills() {
        let usual = || (0..40).map(|at| f64::from(at % 9));
        let with = |odd: &[f64]| fill(&usual().chain(odd.iter().copied()).collect::<Vec<_>>());
        for number in [-9999.0, -999.0, 9999.0, 999_999.0, 999.9, -99.0] {
            let found = Fill {
                number,
                times: 2,
                others: [0.0, 8.0],
            };
            assert_eq!(with(&[number, f64::NAN, number]), Some(found));
            // Once may be anything.
            assert_eq!(with(&[number]), None);
        }
        for other in [-9998.0, -1.0, 1000.0, 9.0, f64::NAN] {
            assert_eq!(with(&[other, other]), None, "{other}");
        }
        // Others are as far.
        assert_eq!(with(&[9999.0, 9999.0, 9000.0]), None);
        assert_eq!(with(&[999.0, 999.0, 1e4]), None);
        assert_eq!(fill(&[-999.0, -999.0]), None);
        assert_eq!(fill(&[-999.0, 4.0, -999.0, 4.0]).unwrap().others, [4.0; 2]);
        assert_eq!(fill(&[]), None);
    }
}
