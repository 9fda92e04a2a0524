//! Sums of outer products over positions.

use std::sync::{Arc, OnceLock};

use burn::tensor::{DType, Int, Tensor};
use serde::{Deserialize, Serialize};

/// g_j = Σ_t left_jt ⊗ right_jt, from left `[n, t, d]` and right `[n, t, e]`.
#[derive(Debug, Clone)]
pub(crate) struct Outer {
    pub(crate) left: Tensor<3>,
    pub(crate) right: Tensor<3>,
    /// Which side holds the inputs of the layer; the other has its output-gradients.
    pub(crate) inputs: Inputs,
    pub(super) formed: KeptMatrices,
}

/// The side of an outer product that holds inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Inputs {
    Left,
    Right,
    /// Each side has both, at different positions: a weight that is tied to its own transpose.
    Mixed,
}

impl Inputs {
    pub(crate) fn and(self, other: Self) -> Self {
        if self == other { self } else { Self::Mixed }
    }
}

/// Per-example matrices, kept once the Gram matrix had to form them, for the weighted sum.
#[derive(Debug, Clone, Default)]
pub(crate) struct KeptMatrices(Arc<OnceLock<Tensor<2>>>);

impl KeptMatrices {
    pub(super) fn get(&self) -> Option<Tensor<2>> {
        self.0.get().cloned()
    }

    pub(super) fn or_form(&self, form: impl FnOnce() -> Tensor<2>) -> Tensor<2> {
        self.0.get_or_init(form).clone()
    }
}

impl Outer {
    pub(crate) fn new(left: Tensor<3>, right: Tensor<3>, inputs: Inputs) -> Self {
        Self {
            left,
            right,
            inputs,
            formed: KeptMatrices::default(),
        }
    }

    /// Widths d and e of both sides.
    pub(crate) fn sides(&self) -> (usize, usize) {
        (self.left.dims()[2], self.right.dims()[2])
    }

    pub(super) fn positions(&self) -> usize {
        self.left.dims()[1]
    }

    /// The sum of several over the same examples: their positions one after another. None for an empty list.
    pub(super) fn sum(parts: Vec<Self>) -> Option<Self> {
        Self::joined(parts, 1)
    }

    /// The examples of several, one after another. None for an empty list.
    pub(super) fn concat(parts: Vec<Self>) -> Option<Self> {
        let t = parts.iter().map(Self::positions).max()?;
        let lengthen = |part: Self| Self {
            left: lengthened(part.left, t),
            right: lengthened(part.right, t),
            ..part
        };
        Self::joined(parts.into_iter().map(lengthen).collect(), 0)
    }

    fn joined(mut parts: Vec<Self>, axis: usize) -> Option<Self> {
        if parts.len() < 2 {
            return parts.pop();
        }
        let inputs = parts.iter().map(|part| part.inputs).reduce(Inputs::and)?;
        let (left, right) = parts
            .into_iter()
            .map(|part| (part.left, part.right))
            .unzip();
        Some(Self::new(
            Tensor::cat(left, axis),
            Tensor::cat(right, axis),
            inputs,
        ))
    }

    /// n rows of zeros with these sides.
    pub(super) fn zeros(&self, n: usize) -> Self {
        let zeros = |side: &Tensor<3>| {
            Tensor::<3>::zeros([n, 1, side.dims()[2]], (&side.device(), side.dtype()))
        };
        Self::new(zeros(&self.left), zeros(&self.right), self.inputs)
    }

    pub(super) fn cast(self, to: DType) -> Self {
        if self.left.dtype() == to && self.right.dtype() == to {
            return self;
        }
        Self::new(self.left.cast(to), self.right.cast(to), self.inputs)
    }

    pub(super) fn choose(&self, indices: &Tensor<1, Int>) -> Self {
        let at = |side: &Tensor<3>| side.clone().select(0, indices.clone());
        Self::new(at(&self.left), at(&self.right), self.inputs)
    }

    /// Columns `start..start + width` of the left side: `[n, width·e]`.
    pub(super) fn block(&self, start: usize, width: usize) -> Tensor<2> {
        match self.sides().0 {
            d if d == width => per_example(&self.left, &self.right),
            _ => per_example(&self.left.clone().narrow(2, start, width), &self.right),
        }
    }

    /// Σ_j c_j g_j, `[1, d·e]`, for c `[n]`.
    pub(super) fn combine(&self, coefficients: Tensor<1>) -> Tensor<2> {
        let [n, t, d] = self.left.dims();
        let e = self.right.dims()[2];
        let weights = coefficients.reshape([n, 1, 1]);
        // The narrower side is the cheaper one to scale.
        let (left, right) = match d < e {
            true => (self.left.clone() * weights, self.right.clone()),
            false => (self.left.clone(), self.right.clone() * weights),
        };
        left.reshape([n * t, d])
            .transpose()
            .matmul(right.reshape([n * t, e]))
            .reshape([1, d * e])
    }
}

/// left_jᵀ right_j for every example j, `[n, d·e]`.
pub(super) fn per_example(left: &Tensor<3>, right: &Tensor<3>) -> Tensor<2> {
    let [n, _, d] = left.dims();
    let e = right.dims()[2];
    left.clone()
        .swap_dims(1, 2)
        .matmul(right.clone())
        .reshape([n, d * e])
}

/// `[n, t, d]` with zeros up to `length` positions: a zero contributes nothing.
pub(super) fn lengthened(a: Tensor<3>, length: usize) -> Tensor<3> {
    let [n, t, d] = a.dims();
    if t == length {
        return a;
    }
    let zeros = Tensor::<3>::zeros([n, length - t, d], (&a.device(), a.dtype()));
    Tensor::cat(vec![a, zeros], 1)
}
