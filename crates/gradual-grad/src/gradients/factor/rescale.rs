//! Factors brought into the range whose squares a precision holds.

use burn::tensor::Tensor;

use super::Factor;
use super::lookups::Lookups;
use super::outer::Outer;

/// Powers of two come in steps of 2³², so that numbers between 2⁻¹⁶ and 2¹⁶ are left as they are and draws of about one
/// size are multiplied by one number.
const STEP: f64 = 32.0;

/// Largest exponent: 2⁻⁹⁶ and its inverse are numbers of single precision, too.
const MOST: f64 = 96.0;

/// Exponents of powers of two, multiples of [`STEP`], `[1]`: those by which numbers as large as `largest` `[1]` are
/// divided to come near one.
pub(crate) fn exponent(largest: Tensor<1>) -> Tensor<1> {
    let zero = largest.clone().lower_equal_elem(0.0);
    let steps = largest.log().div_scalar(STEP * std::f64::consts::LN_2);
    let most = MOST / STEP;
    steps
        .round()
        .clamp(-most, most)
        .mask_fill(zero, 0.0)
        .mul_scalar(STEP)
}

/// 2 to the power of these exponents.
pub(crate) fn power(exponent: Tensor<1>) -> Tensor<1> {
    // Whole powers of two are exact.
    Tensor::full([1], 2.0, (&exponent.device(), exponent.dtype())).powf(exponent)
}

impl Factor {
    /// An upper bound of the largest entry, up to the number of positions, `[1]`.
    pub(crate) fn largest(&self) -> Tensor<1> {
        match self {
            Self::Rows(rows) => rows.clone().max_abs(),
            Self::Outer(outer) => outer.largest(),
            Self::Scatter(lookups) => lookups.deltas.clone().max_abs(),
            Self::Tied(tied) => {
                let looked_up = tied.lookups.deltas.clone().max_abs();
                looked_up.max_pair(tied.outer.largest())
            }
            Self::Stack(parts) => parts
                .iter()
                .map(Self::largest)
                .reduce(Tensor::max_pair)
                .unwrap_or_else(|| self.rows().max_abs()),
        }
    }

    /// The same divided by 2 to the power of `exponent` `[1]`, with both sides of an outer product near one.
    pub(crate) fn rescale(self, exponent: &Tensor<1>) -> Self {
        let over = |exponent: Tensor<1>| power(exponent.neg());
        let lookups = |lookups: Lookups| {
            let by = over(exponent.clone()).reshape([1, 1, 1]);
            let deltas = lookups.deltas.clone() * by;
            lookups.with_deltas(deltas)
        };
        match self {
            Self::Outer(outer) => Self::Outer(outer.rescale(exponent)),
            Self::Tied(tied) => Self::tied(lookups(tied.lookups), tied.outer.rescale(exponent)),
            Self::Stack(parts) => Self::Stack(
                parts
                    .into_iter()
                    .map(|part| part.rescale(exponent))
                    .collect(),
            ),
            rows_or_lookups => rows_or_lookups.scale(over(exponent.clone())),
        }
    }
}

impl Outer {
    fn largest(&self) -> Tensor<1> {
        self.left.clone().max_abs() * self.right.clone().max_abs()
    }

    fn rescale(self, by: &Tensor<1>) -> Self {
        let left = exponent(self.left.clone().max_abs());
        let right = by.clone() - left.clone();
        let over = |exponent: Tensor<1>| power(exponent.neg()).reshape([1, 1, 1]);
        Self::new(
            self.left * over(left),
            self.right * over(right),
            self.inputs,
        )
    }
}
