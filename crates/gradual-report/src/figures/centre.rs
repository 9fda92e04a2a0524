//! One number of an arm over its runs, some of which may end too early.

use gradual_measure::{Interval, statistics};

/// A number, or a lower bound of one.
#[derive(Clone, Copy, PartialEq)]
pub(crate) struct Bound {
    pub(crate) value: f64,
    /// Whether it is at least that.
    pub(crate) least: bool,
}

/// One number of an arm over its runs.
#[derive(Clone, Copy)]
pub(crate) struct Centre {
    /// The geometric mean; at least that, where a run has a lower bound.
    pub(crate) mean: Bound,
    /// Student's 95 % interval of the logarithms, of three runs and more without bounds.
    pub(crate) interval: Option<Interval>,
}

impl Centre {
    pub(crate) fn of(values: &[Bound]) -> Option<Self> {
        let logs: Vec<f64> = values.iter().map(|one| one.value.ln()).collect();
        let least = values.iter().any(|one| one.least);
        let interval = Interval::of_mean(&logs).filter(|_| logs.len() > 2 && !least);
        Some(Self {
            mean: Bound {
                value: statistics::mean(&logs)?.exp(),
                least,
            },
            interval: interval.map(|interval| Interval {
                low: interval.low.exp(),
                high: interval.high.exp(),
            }),
        })
    }

    /// Its ends, or the mean twice.
    pub(crate) fn ends(self) -> [f64; 2] {
        let mean = self.mean.value;
        self.interval
            .map_or([mean; 2], |interval| [interval.low, interval.high])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(value: f64) -> Bound {
        Bound {
            value,
            least: false,
        }
    }

    #[test]
    fn an_arm_stands_at_the_geometric_mean_of_its_runs() {
        let two = Centre::of(&[bound(1.0), bound(4.0)]).unwrap();
        assert!((two.mean.value - 2.0).abs() < 1e-12 && two.interval.is_none());
        assert_eq!(two.ends(), [two.mean.value; 2]);
        let three = Centre::of(&[bound(1.0), bound(2.0), bound(4.0)]).unwrap();
        let interval = three.interval.unwrap();
        // t(0.975, 2) = 4.3027 and s/√n = ln 2 / √3.
        let half = 4.302_652_7 * 2_f64.ln() / 3_f64.sqrt();
        assert!((interval.high.ln() - 2_f64.ln() - half).abs() < 1e-6);
        assert!((interval.low.ln() - 2_f64.ln() + half).abs() < 1e-6);
    }

    #[test]
    fn a_mean_with_a_bound_is_a_bound_without_an_interval() {
        let late = Bound {
            value: 3.0,
            least: true,
        };
        let centre = Centre::of(&[bound(1.0), bound(2.0), late]).unwrap();
        assert!(centre.mean.least && centre.interval.is_none());
        assert!(Centre::of(&[]).is_none());
    }
}
