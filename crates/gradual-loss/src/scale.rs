//! The size of a step, apart from its direction.

use burn::tensor::{DType, Tensor};
use gradual_group::Groups;
use gradual_registry::{Entry, Parameter};

use crate::composed::{Check, Composed};
use crate::error::{LossError, setting};
use crate::precision::{epsilon, has_double, ordinary, wide};

/// What to do about the size of the coefficients.
///
/// A composition changes the size of a step as well as its direction. Raw sums of squares with
/// plain SGD throw the weights far out early, and the slow recovery looks like gradualness; it is
/// not.
///
/// # Groups that a draw lacks
///
/// [`UnitSum`](Self::UnitSum) gives every draw the same weight, whichever groups are in it. With priors (0.1, 0.9),
/// equal losses and the second group in one draw of ten, that is (0.1 + 9) : 0.9 = 10.1 : 1 over ten draws, where the
/// priors ask for (10 · 0.1) : 0.9 = 1.1 : 1: alone in a draw, the first group takes all of it.
/// [`RunningSum`](Self::RunningSum) divides by a running mean of the sums, so that a draw without heavy groups is a
/// small step and one with them a large one. It is the one to take where groups of large weight are missing from many
/// draws.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Scale {
    /// c as it is.
    Raw,
    /// c / Σc, so that learning rates mean what they mean for ERM. Refused where Σc is not positive, or less than a
    /// thousandth of Σ|c|.
    #[default]
    UnitSum,
    /// c / Σ|c|, for rules whose coefficients can be negative. The same as [`UnitSum`](Self::UnitSum) where none is.
    UnitAbsolute,
    /// c / m, with m the mean of Σc over the draws so far, this one included: an exponential mean with this memory β,
    /// from 0 (the draw alone, [`UnitSum`](Self::UnitSum)) to below 1, as of Adam without the bias of its start,
    ///
    /// ```text
    /// m_t = Σ_s β^(t−s) Σc_s / Σ_s β^(t−s)
    /// ```
    ///
    /// About 1/(1 − β) draws count, which should hold every group some times. A draw can be as many times larger than
    /// an ordinary one. Draws whose coefficients are all zero do not count. What it remembers is state of the
    /// [`Scaler`](crate::Scaler). Refused like [`UnitSum`](Self::UnitSum).
    RunningSum(f64),
    /// c / max(Σ|c|, s): with absolute values that sum to one while the raw ones sum to more than s, and c / s from there on,
    /// which falls with the losses. With s the sum at the start, for k groups under a power p of loss ℓ₀
    /// ([`Scale::cap`]), steps are never larger than there. s must be positive and finite.
    Cap(f64),
    /// c scaled so that ‖Gᵀc‖ is the norm of the ERM gradient ‖Gᵀ1/n‖. Needs the Gram matrix.
    ///
    /// ‖Gᵀc‖² = cᵀKc is a difference of large numbers where the gradients cancel. It counts as no less than what
    /// rounding of K leaves unknown, 16 ε Σ_ij |c_i K_ij c_j| with ε of the precision of K: near a point where Gᵀc = 0
    /// the step is then shorter than that of ERM. Sums are taken in double precision where the device has it.
    MatchNorm,
}

/// Σ_ij |c_i K_ij c_j| counts for at least this many units of rounding in cᵀKc.
const ROUNDING: f64 = 16.0;

/// So many entries of the Gram matrix are taken at once in double precision.
const BLOCK: usize = 1 << 22;

pub(crate) static USUAL: Entry<(), Option<Scale>> = Entry {
    name: "usual",
    about: "unit-sum, or unit-absolute where groups are signed",
    facts: &[],
    parameters: &[],
    build: |_, ()| Ok(None),
};

pub(crate) static RAW: Entry<(), Option<Scale>> = Entry {
    name: "raw",
    about: "coefficients as they are",
    facts: &[],
    parameters: &[],
    build: |_, ()| Ok(Some(Scale::Raw)),
};

pub(crate) static UNIT_SUM: Entry<(), Option<Scale>> = Entry {
    name: "unit-sum",
    about: "coefficients that sum to one, so that learning rates mean what they mean for ERM",
    facts: &[],
    parameters: &[],
    build: |_, ()| Ok(Some(Scale::UnitSum)),
};

pub(crate) static UNIT_ABSOLUTE: Entry<(), Option<Scale>> = Entry {
    name: "unit-absolute",
    about: "coefficients whose absolute values sum to one",
    facts: &[],
    parameters: &[],
    build: |_, ()| Ok(Some(Scale::UnitAbsolute)),
};

pub(crate) static MATCH_NORM: Entry<(), Option<Scale>> = Entry {
    name: "match-norm",
    about: "a gradient as long as that of the mean loss",
    facts: &[],
    parameters: &[],
    build: |_, ()| Ok(Some(Scale::MatchNorm)),
};

pub(crate) static CAP: Entry<(), Option<Scale>> = Entry {
    name: "cap",
    about: "coefficients divided by the sum of their absolute values, or by a limit where the sum is below it",
    facts: &[],
    parameters: &[
        Parameter::number("limit", "the least that they are divided by", 1.0)
            .required()
            .above(0.0),
    ],
    build: |arguments, ()| Ok(Some(Scale::Cap(arguments.number("limit")?))),
};

pub(crate) static RUNNING_SUM: Entry<(), Option<Scale>> = Entry {
    name: "running-sum",
    about: "coefficients divided by a running mean of their sum, for groups that many draws lack",
    facts: &[],
    parameters: &[Parameter::number(
        "memory",
        "share of the mean that a draw leaves as it was",
        0.9,
    )
    .at_least(0.0)
    .below(1.0)],
    build: |arguments, ()| Ok(Some(Scale::RunningSum(arguments.number("memory")?))),
};

impl Scale {
    /// [`Scale::Cap`] at the sum of coefficients of Σ_g ℓ̄_g^p when every group's loss is `initial`:
    /// s = p·k·ℓ₀^(p−1).
    pub fn cap(power: f64, groups: usize, initial: f64) -> Self {
        Self::Cap(power * groups as f64 * initial.powf(power - 1.0))
    }

    /// The scale of groups for which none was chosen: [`UnitSum`](Self::UnitSum), or
    /// [`UnitAbsolute`](Self::UnitAbsolute) for [signed](Groups::is_signed) ones.
    pub fn usual(groups: &Groups) -> Self {
        match groups.is_signed() {
            true => Self::UnitAbsolute,
            false => Self::UnitSum,
        }
    }

    /// Whether the coefficients of these groups can be scaled so.
    ///
    /// # Errors
    ///
    /// [`LossError::SignedSum`] for a scale by the sum of coefficients where groups are [signed](Groups::is_signed),
    /// and [`LossError::Setting`] for a cap that is not positive and finite or a memory out of range.
    pub fn check(self, groups: &Groups) -> Result<(), LossError> {
        match self.divides_by_the_sum() {
            Some(scale) if groups.is_signed() => Err(LossError::SignedSum { scale }),
            _ => self.settings(),
        }
    }

    fn settings(self) -> Result<(), LossError> {
        let (name, range, got, allowed) = match self {
            Self::Cap(limit) => ("cap", "positive and finite", limit, limit > 0.0),
            Self::RunningSum(memory) => {
                let inside = (0.0..1.0).contains(&memory);
                ("memory", "from 0 to below 1", memory, inside)
            }
            Self::Raw | Self::UnitSum | Self::UnitAbsolute | Self::MatchNorm => return Ok(()),
        };
        setting("scale", name, range, got, allowed).map(drop)
    }

    /// The scale's name, if it divides by Σc.
    pub(crate) fn divides_by_the_sum(self) -> Option<&'static str> {
        match self {
            Self::UnitSum => Some("unit-sum"),
            Self::RunningSum(_) => Some("running-sum"),
            Self::Raw | Self::UnitAbsolute | Self::Cap(_) | Self::MatchNorm => None,
        }
    }

    /// Composed coefficients, scaled without waiting for the device. `memory` holds Σ_s β^(t−s) Σc_s and Σ_s β^(t−s) of
    /// the draws before.
    pub(crate) fn scaled(
        self,
        composed: Composed,
        gram: Option<&Tensor<2>>,
        memory: [f64; 2],
    ) -> Result<Composed, LossError> {
        self.settings()?;
        let composed = match self {
            // Whose result is the same in any unit.
            Self::UnitSum | Self::UnitAbsolute | Self::MatchNorm => composed,
            Self::Raw | Self::RunningSum(_) | Self::Cap(_) => composed.in_full(),
        };
        let raw = wide(composed.coefficients.clone());
        let least = ordinary(raw.dtype()).0;
        let check = self.divides_by_the_sum().map(|scale| {
            let both = [in_units(raw.clone()), raw.clone()];
            let sums = both.map(|c| Tensor::cat(vec![c.clone().sum(), c.abs().sum()], 0));
            Check::Sum {
                scale,
                sums: Tensor::cat(sums.to_vec(), 0),
            }
        });
        let coefficients = match self {
            Self::Raw => raw,
            Self::UnitSum => raw.clone() / raw.sum().clamp_min(least),
            Self::UnitAbsolute => {
                let units = in_units(raw);
                units.clone() / units.abs().sum().clamp_min(least)
            }
            Self::RunningSum(beta) => {
                let [sums, draws] = memory;
                let mean = (raw.clone().sum() + beta * sums) / (beta * draws + 1.0);
                raw / mean.clamp_min(least)
            }
            Self::Cap(limit) => raw.clone() / raw.abs().sum().clamp_min(limit.max(least)),
            Self::MatchNorm => match_norm(raw, gram)?,
        };
        Ok(composed.rescaled(coefficients).with(check))
    }

    /// Whether [`apply_with_gram`](Self::apply_with_gram) is needed.
    pub fn needs_gram(self) -> bool {
        self == Self::MatchNorm
    }

    /// The scaled coefficients, `[n]`, as in a first draw. Zero coefficients stay zero. Waits for the device where the
    /// scale can be refused; a step takes a [`Scaler`](crate::Scaler) instead.
    ///
    /// # Errors
    ///
    /// [`LossError::Setting`] for a cap or a memory out of range, [`LossError::Sum`] where a sum can't be divided by,
    /// and [`LossError::NoGram`] for [`Scale::MatchNorm`], which
    /// needs [`apply_with_gram`](Self::apply_with_gram).
    pub fn apply(self, coefficients: Tensor<1>) -> Result<Tensor<1>, LossError> {
        self.apply_with_gram(coefficients, None)
    }

    /// The scaled coefficients, `[n]`, given the Gram matrix K `[n, n]` where there is one.
    ///
    /// # Errors
    ///
    /// Those of [`apply`](Self::apply), and [`LossError::Gram`] for a matrix that is not `[n, n]`.
    pub fn apply_with_gram(
        self,
        coefficients: Tensor<1>,
        gram: Option<&Tensor<2>>,
    ) -> Result<Tensor<1>, LossError> {
        let value = Tensor::zeros([1], &coefficients.device());
        let raw = Composed::new(value, coefficients);
        let scaled = self.scaled(raw, gram, [0.0; 2])?;
        Ok(scaled.settled_now()?.coefficients)
    }
}

/// c / max|c|: in these units neither a sum nor what it divides is out of range.
fn in_units(coefficients: Tensor<1>) -> Tensor<1> {
    let (least, most) = ordinary(coefficients.dtype());
    let largest = coefficients.clone().abs().max().clamp(least, most);
    coefficients / largest
}

/// c ‖Gᵀ1/n‖ / ‖Gᵀc‖.
fn match_norm(coefficients: Tensor<1>, gram: Option<&Tensor<2>>) -> Result<Tensor<1>, LossError> {
    let gram = gram.ok_or(LossError::NoGram)?.clone().inner();
    let ([n], [rows, columns]) = (coefficients.dims(), gram.dims());
    if rows != n || columns != n {
        return Err(LossError::Gram {
            operation: "scale",
            examples: n,
            rows,
            columns,
        });
    }
    let factor = match has_double(&gram.device()) {
        true => matching(&coefficients, &gram, DType::F64),
        false => matching(&coefficients, &gram, DType::F32),
    };
    Ok(coefficients.clone() * factor.cast(coefficients.dtype()))
}

/// ‖Gᵀ1/n‖ / ‖Gᵀc‖ `[1]`, from sums in the precision `wide`.
fn matching(coefficients: &Tensor<1>, gram: &Tensor<2>, wide: DType) -> Tensor<1> {
    let [n] = coefficients.dims();
    let column = coefficients.clone().cast(wide).reshape([n, 1]);
    let sizes = column.clone().abs();
    let both = Tensor::cat(vec![column.clone(), column.ones_like()], 1);
    // (cᵀKc, |c|ᵀ|K||c|, 1ᵀK1), some rows of K at a time.
    let mut sums = Tensor::<1>::zeros([3], (&gram.device(), wide));
    let step = (BLOCK / n.max(1)).max(1);
    for from in (0..n).step_by(step) {
        let count = step.min(n - from);
        let rows = gram.clone().narrow(0, from, count).cast(wide);
        let [own, size] = [&column, &sizes].map(|all| all.clone().narrow(0, from, count));
        let products = rows.clone().matmul(both.clone());
        let [with_c, with_ones] = [0, 1].map(|at| products.clone().narrow(1, at, 1));
        let part = [
            (own * with_c).sum(),
            (size * rows.abs().matmul(sizes.clone())).sum(),
            with_ones.sum(),
        ];
        sums = sums + Tensor::cat(part.to_vec(), 0);
    }
    let [own, size, erm] = [0, 1, 2].map(|at| sums.clone().narrow(0, at, 1));
    // Single precision also rounds the sums over n terms.
    let more = match wide {
        DType::F64 => 0.0,
        _ => (n as f64).sqrt(),
    };
    let unknown = size * (epsilon(gram.dtype()) * (ROUNDING + more));
    // Coefficients of 1e-20, of losses that small, have squares that only double precision holds.
    let least = match wide {
        DType::F64 => 1e-70,
        _ => f64::from(f32::MIN_POSITIVE),
    };
    let own = own.max_pair(unknown).clamp_min(least);
    (erm.clamp_min(0.0) / own).sqrt() / n as f64
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Distribution};
    use gradual_grad::host::read;

    use super::*;

    /// More rows than a block holds, in both precisions, against sums over all of G.
    #[test]
    fn a_norm_from_blocks_of_rows() {
        let (n, device) = (2_500, Device::flex());
        assert!(n * n > BLOCK);
        device.seed(3);
        let rows = Tensor::<2>::random([n, 3], Distribution::Normal(0.5, 1.0), &device);
        let c = Tensor::<1>::random([n], Distribution::Uniform(0.0, 1.0), &device);
        let gram = rows.clone().matmul(rows.clone().transpose());
        let norm = |c: Tensor<1>| {
            let sum = (rows.clone() * c.reshape([n, 1])).sum_dim(0);
            let sum: Vec<f64> = read(sum).unwrap();
            sum.iter().map(|entry| entry * entry).sum::<f64>().sqrt()
        };
        let expected = norm(c.ones_like()) / n as f64 / norm(c.clone());
        for wide in [DType::F64, DType::F32] {
            let found = read::<f64, 1>(matching(&c, &gram, wide)).unwrap()[0];
            assert!(
                (found / expected - 1.0).abs() < 1e-4,
                "{found}, not {expected}"
            );
        }
        // Of rows that cancel, less than the norm of the mean.
        let half = Tensor::cat(
            vec![
                c.ones_like().narrow(0, 0, n / 2),
                c.ones_like().narrow(0, 0, n / 2).neg(),
            ],
            0,
        );
        let same = Tensor::<2>::ones([n, n], &device);
        for wide in [DType::F64, DType::F32] {
            let found = read::<f64, 1>(matching(&half, &same, wide)).unwrap()[0];
            assert!(found > 0.0 && found < 1e3 / n as f64, "{found}");
        }
    }
}
