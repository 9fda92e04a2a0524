//! The result of a composition, and the checks that it still has to pass.

use burn::tensor::{DType, Tensor};
use gradual_grad::host::read;

use crate::error::LossError;
use crate::in_units::InUnits;

/// The value of a composition and its derivative in the losses.
///
/// Some of what has to be refused is known on the device alone: a negative loss under a rule that
/// needs them non-negative, a sum of coefficients that can't be divided by. Where nothing was read yet
/// ([`compose_ahead`](crate::Composition::compose_ahead)) a few numbers are still [unread](Self::unread), to be
/// read together with others.
#[derive(Debug, Clone)]
pub struct Composed {
    /// L, `[1]`.
    pub value: Tensor<1>,
    /// Coefficients c = ∂L/∂ℓ, `[n]`, before or after a [`Scale`](crate::Scale), in single precision or, for
    /// losses in double precision, in double. Those of [`compose_ahead`](crate::Composition::compose_ahead) may be in a unit
    /// of their own, which [`in_full`](Self::in_full) and every scale take out.
    pub coefficients: Tensor<1>,
    checks: Vec<Check>,
    /// ln u `[1]`, where coefficients are c/u: powers of small losses may be out of range.
    log_unit: Option<Tensor<1>>,
    /// Σc before the scale, once read.
    sum: Option<f64>,
}

/// Numbers on the device, and what they must be.
#[derive(Debug, Clone)]
pub(crate) enum Check {
    /// Losses `[k]` of the groups that are below `least`, and infinity for all others.
    Least {
        operation: &'static str,
        least: f64,
        low: Tensor<1>,
    },
    /// Σc and Σ|c| in units of max|c|, then as they are, `[4]`, before a scale that divides by Σc.
    Sum {
        scale: &'static str,
        sums: Tensor<1>,
    },
}

/// Stands for a group loss that is not too low. It is finite, because shading languages need not support infinity.
pub(crate) const NOT_LOW: f32 = f32::MAX;

/// Σc below this share of Σ|c| is not known to be positive, or would leave coefficients a thousand times too
/// large.
const SHARE: f64 = 1e-3;

impl Check {
    /// What has to be read of it.
    pub(crate) fn numbers(&self) -> Tensor<1> {
        match self {
            Self::Least { low, .. } => low.clone(),
            Self::Sum { sums, .. } => sums.clone(),
        }
    }

    /// What is wrong with the numbers read.
    pub(crate) fn of(&self, read: &[f64]) -> Result<(), LossError> {
        match *self {
            Self::Least {
                operation, least, ..
            } => match read.iter().position(|low| *low < f64::from(NOT_LOW)) {
                None => Ok(()),
                Some(group) => Err(LossError::Negative {
                    operation,
                    group,
                    value: read[group],
                    least,
                }),
            },
            Self::Sum { scale, .. } => {
                let [share, whole, sum, absolute] = sums(read);
                // Without any coefficient there is nothing to scale; what is no number is said by example.
                match share <= SHARE * whole && whole > 0.0 {
                    true => Err(LossError::Sum {
                        scale,
                        sum,
                        absolute,
                    }),
                    false => Ok(()),
                }
            }
        }
    }
}

fn sums(read: &[f64]) -> [f64; 4] {
    [0, 1, 2, 3].map(|place| read.get(place).copied().unwrap_or(f64::NAN))
}

impl Composed {
    /// From a value `[1]` and coefficients `[n]` that need no check.
    pub fn new(value: Tensor<1>, coefficients: Tensor<1>) -> Self {
        Self {
            value,
            coefficients,
            checks: Vec::new(),
            log_unit: None,
            sum: None,
        }
    }

    /// A value that was computed from these losses `[n]`, a leaf of its graph, and its derivative in them, which keeps its
    /// unit.
    pub(crate) fn in_units(value: InUnits, losses: Tensor<1>) -> Self {
        let InUnits { value, log_unit } = value;
        let gradient = value
            .is_tracked()
            .then(|| losses.grad(&value.backward()))
            .flatten();
        let gradient = gradient.unwrap_or_else(|| losses.inner().zeros_like());
        let in_full = InUnits {
            value: value.inner(),
            log_unit: log_unit.clone(),
        };
        Self {
            log_unit,
            ..Self::new(in_full.in_full(), gradient)
        }
    }

    /// The same with coefficients in no unit.
    #[must_use]
    pub fn in_full(mut self) -> Self {
        if let Some(log_unit) = self.log_unit.take() {
            self.coefficients = self.coefficients * log_unit.exp();
        }
        self
    }

    /// The same value and checks with other coefficients, in no unit.
    pub(crate) fn rescaled(self, coefficients: Tensor<1>) -> Self {
        Self {
            coefficients,
            log_unit: None,
            ..self
        }
    }

    /// The same under one more check.
    pub(crate) fn with(mut self, check: Option<Check>) -> Self {
        self.checks.extend(check);
        self
    }

    /// Numbers to be read together with others and given to [`settled`](Self::settled); none where nothing can be
    /// wrong.
    pub fn unread(&self) -> Option<Tensor<1>> {
        let numbers = self.checks.iter().map(Check::numbers);
        let numbers: Vec<_> = numbers.map(|numbers| numbers.cast(DType::F32)).collect();
        (!numbers.is_empty()).then(|| Tensor::cat(numbers, 0))
    }

    /// The same once the host has seen what was [unread](Self::unread).
    ///
    /// # Errors
    ///
    /// [`LossError::Negative`] and [`LossError::Sum`], and [`LossError::Read`] unless there is one number for each
    /// that was unread.
    pub fn settled(mut self, read: &[f32]) -> Result<Self, LossError> {
        let read: Vec<f64> = read.iter().copied().map(f64::from).collect();
        let mut rest = read.as_slice();
        for check in std::mem::take(&mut self.checks) {
            let [size] = check.numbers().dims();
            let Some((own, others)) = rest.split_at_checked(size) else {
                return Err(LossError::Read {
                    operation: "compose",
                    problem: format!("{} numbers are too few", read.len()),
                });
            };
            check.of(own)?;
            if let Check::Sum { .. } = check {
                self.sum = Some(sums(own)[2]);
            }
            rest = others;
        }
        Ok(self)
    }

    /// The same, [settled](Self::settled) by a read of its own.
    ///
    /// # Errors
    ///
    /// Those of [`settled`](Self::settled).
    pub fn settled_now(self) -> Result<Self, LossError> {
        let Some(unread) = self.unread() else {
            return Ok(self);
        };
        let operation = "compose";
        let read = read(unread).map_err(|problem| LossError::Read { operation, problem })?;
        self.settled(&read)
    }

    /// Σc as it was before the scale, where that had to be known.
    pub(crate) fn sum(&self) -> Option<f64> {
        self.sum
    }
}
