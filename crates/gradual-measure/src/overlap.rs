//! How far the learning of capabilities overlaps in time.
//!
//! Capabilities that are learned like dominoes, each beginning when the one before it is done, do not overlap at all
//! (arXiv 2501.12391 describes skills so); those that rise together do.

use crate::emergence::Emergence;

/// The mean overlap of the learning intervals `[t10, t90]` of capabilities that follow one another in order of t50:
/// the length of what two intervals share over the length of what they cover together, from 0 (one after another) to 1
/// (the same interval). It does not change when time is stretched.
///
/// Capabilities that never have an interval are left out. `None` where fewer than two have one.
#[must_use]
pub fn overlap(emergences: &[Emergence]) -> Option<f64> {
    let interval = |one: &Emergence| Some((one.t50?, one.t10?, one.t90?));
    let mut intervals: Vec<(f64, f64, f64)> = emergences.iter().filter_map(interval).collect();
    intervals.sort_by(|a, b| a.0.total_cmp(&b.0));
    let shares = intervals.windows(2).map(|pair| {
        let ((_, begin, end), (_, other_begin, other_end)) = (pair[0], pair[1]);
        let shared = (end.min(other_end) - begin.max(other_begin)).max(0.0);
        let covered = end.max(other_end) - begin.min(other_begin);
        match covered > 0.0 {
            true => shared / covered,
            // Two rises within one evaluation: together, as far as can be seen.
            false => 1.0,
        }
    });
    crate::statistics::mean(&shares.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rise(t10: f64, t50: f64, t90: f64) -> Emergence {
        Emergence {
            t10: Some(t10),
            t50: Some(t50),
            t90: Some(t90),
            ..Emergence::default()
        }
    }

    #[test]
    fn dominoes_do_not_overlap_and_equal_intervals_do() {
        let dominoes = [
            rise(10.0, 15.0, 20.0),
            rise(1.0, 5.0, 9.0),
            rise(30.0, 31.0, 32.0),
        ];
        assert_eq!(overlap(&dominoes), Some(0.0));
        assert_eq!(overlap(&[rise(1.0, 2.0, 3.0); 4]), Some(1.0));
        assert_eq!(overlap(&[rise(2.0, 2.0, 2.0); 2]), Some(1.0));
    }

    #[test]
    fn a_half_is_a_third_of_what_both_cover_whatever_the_unit_of_time() {
        for unit in [1.0, 0.001, 7e6] {
            let two = [(0.0, 10.0, 20.0), (10.0, 20.0, 30.0)];
            let two = two.map(|(a, b, c)| rise(a * unit, b * unit, c * unit));
            assert!((overlap(&two).unwrap() - 1.0 / 3.0).abs() < 1e-12);
        }
    }

    #[test]
    fn what_never_rises_is_left_out() {
        let never = Emergence::default();
        assert_eq!(overlap(&[never, rise(1.0, 2.0, 3.0)]), None);
        assert_eq!(overlap(&[]), None);
        let three = [rise(1.0, 2.0, 3.0), never, rise(1.0, 2.0, 3.0)];
        assert_eq!(overlap(&three), Some(1.0));
    }
}
