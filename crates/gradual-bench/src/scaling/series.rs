//! A sweep as lines: one method's cost along the draw or along the number of parameters.

use super::sweep::{DRAW, METHODS, PEERS, Size, Sweep};
use crate::measured::Measured;
use crate::model::WIDTH;

/// What varies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Along {
    /// The draw N, at width [`WIDTH`].
    Draw,
    /// The number of parameters P, at draw [`DRAW`].
    Parameters,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cost {
    /// Milliseconds of a step.
    Time,
    /// MiB above the start.
    Memory,
}

/// Where the numbers of a line come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Ours,
    Peer,
    /// The exact step's operations over the rate of a matrix product.
    Counted,
}

/// One line of a plot, one column of a table.
pub(super) struct Series {
    pub(super) name: &'static str,
    pub(super) source: Source,
    /// (N or P, milliseconds or MiB), from left to right.
    pub(super) points: Vec<(f64, f64)>,
}

/// The line that the exact step cannot fall below.
pub(super) const ROOFLINE: &str = "roofline";

impl Along {
    pub(super) const ALL: [Self; 2] = [Self::Draw, Self::Parameters];

    pub(super) fn letter(self) -> &'static str {
        match self {
            Self::Draw => "N",
            Self::Parameters => "P",
        }
    }

    pub(super) fn of(self, size: &Size) -> f64 {
        match self {
            Self::Draw => size.draw as f64,
            Self::Parameters => size.parameters() as f64,
        }
    }

    fn holds(self, size: &Size) -> bool {
        match self {
            Self::Draw => size.width == WIDTH,
            Self::Parameters => size.draw == DRAW,
        }
    }
}

impl Cost {
    pub(super) const ALL: [Self; 2] = [Self::Time, Self::Memory];

    fn of(self, measured: &Measured) -> Option<f64> {
        match self {
            Self::Time => Some(measured.median()? * 1e3),
            Self::Memory => Some(measured.memory()? / 1048576.0),
        }
    }
}

impl Size {
    pub(super) fn find(&self, name: &str, source: Source) -> Option<&Measured> {
        let ours = source == Source::Ours;
        self.measured
            .iter()
            .find(|each| each.method == name && each.ours == ours)
    }
}

impl Sweep {
    /// Milliseconds of the exact step's operations at the measured rate.
    pub(super) fn roofline(&self, size: &Size) -> f64 {
        size.flops().exact() as f64 / self.rate * 1e3
    }

    /// The sizes of one sweep, from small to large.
    pub(super) fn along(&self, along: Along) -> Vec<&Size> {
        let mut sizes: Vec<&Size> = self.sizes.iter().filter(|size| along.holds(size)).collect();
        sizes.sort_by_key(|size| (size.draw, size.width));
        sizes
    }

    /// The lines of ours, of the peers and, for the time, of what was counted; those without a point are
    /// left out.
    pub(super) fn series(&self, along: Along, cost: Cost) -> Vec<Series> {
        let sizes = self.along(along);
        let line = |name: &'static str, source: Source| Series {
            name,
            source,
            points: sizes
                .iter()
                .filter_map(|size| {
                    let found = match source {
                        Source::Counted => Some(self.roofline(size)),
                        _ => cost.of(size.find(name, source)?),
                    };
                    Some((along.of(size), found?))
                })
                .collect(),
        };
        let ours = METHODS
            .iter()
            .map(|method| line(method.name(), Source::Ours));
        let peers = PEERS.iter().map(|name| line(name, Source::Peer));
        let counted = (cost == Cost::Time).then(|| line(ROOFLINE, Source::Counted));
        let lines = ours.chain(peers).chain(counted);
        lines.filter(|line| !line.points.is_empty()).collect()
    }

    /// What the Gram matrix adds: (N or P, milliseconds of the exact step above the ordinary one of the
    /// same rounds).
    pub(super) fn surplus(&self, along: Along) -> Vec<(f64, f64)> {
        let sizes = self.along(along);
        let points = sizes.iter().filter_map(|size| {
            let exact = size.find("exact", Source::Ours)?;
            let surplus = exact.surplus(size.find("ordinary", Source::Ours)?)?;
            Some((along.of(size), surplus * 1e3))
        });
        points.collect()
    }

    /// The Gram matrix's operations: (N or P, millions).
    pub(super) fn gram_operations(&self, along: Along) -> Vec<(f64, f64)> {
        let sizes = self.along(along);
        let points = sizes
            .iter()
            .map(|size| (along.of(size), size.flops().gram as f64 / 1e6));
        points.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::sweep::sample;
    use super::*;

    #[test]
    fn lines_hold_their_sweep_alone() {
        let sweep = sample();
        let lines = sweep.series(Along::Draw, Cost::Time);
        let names: Vec<&str> = lines.iter().map(|line| line.name).collect();
        // Nothing of the sketch, torchjd and ghost was measured.
        assert_eq!(names, ["ordinary", "exact", "vmap", "roofline"]);
        let places = |line: &Series| -> Vec<f64> { line.points.iter().map(|p| p.0).collect() };
        assert_eq!(places(&lines[1]), [32.0, 64.0]);
        assert_eq!(lines[2].points, [(32.0, 500.0)]);
        // The exact step runs at half of the rate of the roofline.
        let (exact, roofline) = (lines[1].points[0].1, lines[3].points[0].1);
        assert!((exact / roofline - 2.0).abs() < 1e-9);

        let memory = sweep.series(Along::Parameters, Cost::Memory);
        assert_eq!(memory.len(), 3, "no roofline for memory");
        assert_eq!(memory[1].points, [(1_148_960.0, 4.0)]);
    }

    #[test]
    fn the_surplus_is_the_gram_matrix() {
        let sweep = sample();
        let surplus = sweep.surplus(Along::Draw);
        let counted = sweep.gram_operations(Along::Draw);
        // A rate of 10¹⁰: ten million operations a millisecond.
        for (surplus, counted) in surplus.iter().zip(counted) {
            assert!((surplus.1 * 10.0 - counted.1).abs() < 1e-9 * counted.1);
        }
    }
}
