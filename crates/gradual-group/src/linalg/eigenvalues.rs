//! How many directions a spectrum has: estimates that cost nothing once the eigenvalues are known.
//!
//! # The idea
//!
//! c groups of parallel gradients, orthogonal to each other, give a matrix of similarities with c
//! large eigenvalues and n − c zeros. With noise, large and small ones must be told apart, and each
//! rule here draws the line elsewhere. Only the eigengap looks for a line; the others measure how
//! evenly the trace is spread, so that many small eigenvalues of noise move them as much as a group
//! does. See `docs/how-many-groups.md` for how often each is right.

use serde::{Deserialize, Serialize};

/// Share of the trace that the energy estimate of [`estimates`] asks for.
const ENERGY: f64 = 0.9;

/// A second eigenvalue below this share of the first is rounding: the matrix has rank one.
const RANK_ONE: f64 = 1e-3;

/// The eigenvalues of a symmetric positive semi-definite matrix `[n, n]`, or the leading ones.
///
/// Of a Gram matrix these are the squared singular values of the gradients.
#[derive(Debug, Clone, PartialEq)]
pub struct Eigenvalues {
    leading: Vec<f64>,
    count: usize,
    trace: f64,
    squares: f64,
}

impl Eigenvalues {
    /// All eigenvalues, in any order. Negative ones count as zero: rounding made them.
    pub fn from_all(values: impl IntoIterator<Item = f64>) -> Self {
        let leading = sorted(values);
        Self {
            count: leading.len(),
            trace: leading.iter().sum(),
            squares: leading.iter().map(|value| value * value).sum(),
            leading,
        }
    }

    /// The leading eigenvalues of a matrix of `count` in all, with its trace tr(K) = Σλ and the
    /// square of its Frobenius norm ‖K‖² = Σλ², which need no eigenvalues.
    pub fn from_leading(
        values: impl IntoIterator<Item = f64>,
        count: usize,
        trace: f64,
        squares: f64,
    ) -> Self {
        let leading = sorted(values);
        Self {
            count: count.max(leading.len()),
            trace: trace.max(leading.iter().sum()),
            squares: squares.max(leading.iter().map(|value| value * value).sum()),
            leading,
        }
    }

    pub(crate) fn record(&self) -> EigenvaluesRecord {
        let Self {
            leading,
            count,
            trace,
            squares,
        } = self.clone();
        EigenvaluesRecord(leading, count, trace, squares)
    }

    /// The known eigenvalues, largest first.
    pub fn values(&self) -> &[f64] {
        &self.leading
    }

    /// The k from 2 to `at_most` with the largest gap λ_k − λ_{k+1} (von Luxburg 2007,
    /// doi:10.1007/s11222-007-9033-z, section 8.3).
    ///
    /// The first gap is left out: that of a connected graph, or of gradients with a common part, is
    /// large however many groups there are. A matrix of rank one, though, has one group.
    pub fn eigengap(&self, at_most: usize) -> usize {
        let value = |i: usize| self.leading.get(i).copied().unwrap_or(0.0);
        if value(1) <= RANK_ONE * value(0) {
            return 1;
        }
        // The last known eigenvalue has no gap, unless there are no others.
        let known = match self.leading.len() < self.count {
            true => self.leading.len().saturating_sub(1),
            false => self.count,
        };
        let mut best = (1, 0.0);
        for k in 2..=at_most.min(known) {
            let gap = value(k - 1) - value(k);
            if gap > best.1 {
                best = (k, gap);
            }
        }
        best.0
    }

    /// tr(K)² / ‖K‖_F² = (Σλ)² / Σλ²: k for k equal eigenvalues. 0 for a zero matrix.
    pub fn participation_ratio(&self) -> f64 {
        ratio(self.trace * self.trace, self.squares)
    }

    /// tr(K) / λ_1. 0 for a zero matrix.
    pub fn stable_rank(&self) -> f64 {
        ratio(self.trace, self.leading.first().copied().unwrap_or(0.0))
    }

    /// exp(−Σ p ln p) with p_i = λ_i / tr(K) (Roy & Vetterli 2007, "The effective rank": they take
    /// singular values of the matrix at hand, which for K are its eigenvalues). 0 for a zero matrix.
    ///
    /// Where only the leading eigenvalues are known, the rest of the trace counts as spread evenly
    /// over the others, which makes this an upper bound.
    pub fn effective_rank(&self) -> f64 {
        if self.trace <= 0.0 {
            return 0.0;
        }
        let term = |p: f64| if p > 0.0 { -p * p.ln() } else { 0.0 };
        let known: f64 = self
            .leading
            .iter()
            .map(|value| term(value / self.trace))
            .sum();
        let others = self.count - self.leading.len();
        let rest = (1.0 - self.leading.iter().sum::<f64>() / self.trace).max(0.0);
        let unknown = match others {
            0 => 0.0,
            _ => others as f64 * term(rest / others as f64),
        };
        (known + unknown).exp()
    }

    /// The smallest k whose leading k eigenvalues hold the share `rho` (0 to 1) of the trace; one
    /// more than are known where those don't.
    pub fn energy(&self, rho: f64) -> usize {
        // Sums of rounded numbers miss their total by a little.
        let wanted = rho.clamp(0.0, 1.0) * self.trace * (1.0 - 1e-9);
        let mut held = 0.0;
        for (i, value) in self.leading.iter().enumerate() {
            held += value;
            if held >= wanted {
                return i + 1;
            }
        }
        (self.leading.len() + 1).min(self.count)
    }
}

/// [`Eigenvalues`] as plain data.
#[derive(Serialize, Deserialize)]
pub(crate) struct EigenvaluesRecord(Vec<f64>, usize, f64, f64);

impl EigenvaluesRecord {
    pub(crate) fn restored(self) -> Eigenvalues {
        Eigenvalues::from_leading(self.0, self.1, self.2, self.3)
    }
}

/// What each cheap estimator says of a spectrum, by name, each from 1 to `at_most` groups.
///
/// The names are `eigengap`, `participation-ratio`, `effective-rank`, `stable-rank` and `energy-90`
/// (90 % of the trace). Real-valued ones are rounded to the nearest whole number.
pub fn estimates(spectrum: &Eigenvalues, at_most: usize) -> Vec<(&'static str, usize)> {
    vec![
        ("eigengap", within(spectrum.eigengap(at_most), at_most)),
        (
            "participation-ratio",
            rounded(spectrum.participation_ratio(), at_most),
        ),
        (
            "effective-rank",
            rounded(spectrum.effective_rank(), at_most),
        ),
        ("stable-rank", rounded(spectrum.stable_rank(), at_most)),
        ("energy-90", within(spectrum.energy(ENERGY), at_most)),
    ]
}

/// The nearest whole number from 1 to `at_most`.
pub(crate) fn rounded(estimate: f64, at_most: usize) -> usize {
    within(estimate.round() as usize, at_most)
}

/// From 1 to `at_most`.
pub(crate) fn within(groups: usize, at_most: usize) -> usize {
    groups.clamp(1, at_most.max(1))
}

fn ratio(of: f64, to: f64) -> f64 {
    if to > 0.0 { of / to } else { 0.0 }
}

fn sorted(values: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.into_iter().map(|value| value.max(0.0)).collect();
    values.sort_by(|a, b| b.total_cmp(a));
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(spectrum: &Eigenvalues, at_most: usize) -> Vec<usize> {
        estimates(spectrum, at_most)
            .into_iter()
            .map(|(_, k)| k)
            .collect()
    }

    /// k equal eigenvalues and zeros: every estimator says k (for the energy, 90 % of 4 is 4).
    #[test]
    fn equal_eigenvalues_are_counted() {
        let values = [vec![3.0; 4], vec![0.0; 6]].concat();
        assert_eq!(
            named(&Eigenvalues::from_all(values.clone()), 8),
            [4, 4, 4, 4, 4]
        );
        let leading = Eigenvalues::from_leading(values[..6].to_vec(), 10, 12.0, 36.0);
        assert_eq!(named(&leading, 8), [4, 4, 4, 4, 4]);
    }

    /// Worked out by hand: λ = 4, 2, 1, 1.
    #[test]
    fn known_values() {
        let spectrum = Eigenvalues::from_all([1.0, 4.0, 1.0, 2.0]);
        assert_eq!(spectrum.values(), [4.0, 2.0, 1.0, 1.0]);
        assert!((spectrum.participation_ratio() - 64.0 / 22.0).abs() < 1e-12);
        assert!((spectrum.stable_rank() - 2.0).abs() < 1e-12);
        // Entropy of ½, ¼, ⅛, ⅛ is 1.75 bits.
        assert!((spectrum.effective_rank() - 1.75f64.exp2()).abs() < 1e-12);
        assert_eq!(spectrum.energy(0.75), 2);
        assert_eq!(spectrum.energy(0.76), 3);
        assert_eq!(spectrum.eigengap(3), 2);
        assert_eq!(spectrum.eigengap(4), 2, "of equal gaps the first");
    }

    #[test]
    fn nothing_is_one_group() {
        assert_eq!(named(&Eigenvalues::from_all([]), 5), [1; 5]);
        assert_eq!(named(&Eigenvalues::from_all([0.0; 3]), 5), [1; 5]);
        assert_eq!(named(&Eigenvalues::from_all([7.0]), 5), [1; 5]);
        assert_eq!(named(&Eigenvalues::from_all([7.0, 1e-6, 0.0]), 5), [1; 5]);
        assert_eq!(named(&Eigenvalues::from_all([1.0; 9]), 0), [1; 5]);
    }

    /// The rest of the trace, spread evenly, can only raise the entropy.
    #[test]
    fn a_part_bounds_the_effective_rank() {
        let values = [5.0, 3.0, 1.0, 0.5, 0.2, 0.1];
        let all = Eigenvalues::from_all(values);
        let squares = values.iter().map(|value| value * value).sum();
        let part = Eigenvalues::from_leading(values[..3].to_vec(), 6, values.iter().sum(), squares);
        assert!(part.effective_rank() > all.effective_rank());
        assert_eq!(part.participation_ratio(), all.participation_ratio());
        assert_eq!(part.energy(0.99), 4, "more than are known");
    }
}
