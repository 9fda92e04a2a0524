//! A value in a unit of its own.

use burn::tensor::Tensor;
use gradual_group::Groups;

use crate::precision::{ordinary, weights};

/// The value of a composition over a unit, L = e^u V: V and its derivative in the losses are numbers of single precision
/// where L and its derivative may not be.
#[derive(Debug, Clone)]
pub struct InUnits {
    /// V, `[1]`, differentiable in the losses.
    pub(crate) value: Tensor<1>,
    /// u, `[1]`, a constant of no graph; the unit is 1 where there is none.
    pub(crate) log_unit: Option<Tensor<1>>,
}

impl From<Tensor<1>> for InUnits {
    fn from(value: Tensor<1>) -> Self {
        Self {
            value,
            log_unit: None,
        }
    }
}

impl InUnits {
    /// V `[1]`, differentiable in the losses, and u `[1]`, taken as a constant.
    pub fn new(value: Tensor<1>, log_unit: Tensor<1>) -> Self {
        Self {
            value,
            log_unit: Some(log_unit.inner()),
        }
    }

    /// L `[1]`, differentiable in the losses: zero where it is below the least number of its precision.
    pub fn in_full(self) -> Tensor<1> {
        match self.log_unit {
            Some(log_unit) => self.value * log_unit.exp(),
            None => self.value,
        }
    }
}

/// The largest of these numbers `[k]` over the groups that count, `[1]`, if it is positive and of full precision, and 1
/// otherwise. Of no graph.
pub(crate) fn largest(of_groups: &Tensor<1>, groups: &Groups) -> Tensor<1> {
    let own = of_groups.clone().inner();
    let absent = weights(groups, &own).lower_equal_elem(0.0);
    let (least, most) = ordinary(own.dtype());
    let largest = own.mask_fill(absent, 0.0).max();
    // What is no number is none of these.
    let fine = largest
        .clone()
        .greater_equal_elem(least)
        .bool_and(largest.clone().lower_equal_elem(most));
    largest.mask_fill(fine.bool_not(), 1.0)
}
