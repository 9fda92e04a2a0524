//! Memberships that were decided on the device and are not read yet.

use burn::tensor::{DType, Int, Tensor};

use crate::error::GroupError;
use crate::read::host;

/// The code of an example in no group.
const NONE: f32 = -1.0;

/// The code of an example with a non-finite score.
const BROKEN: f32 = -2.0;

/// The group of each of n examples.
#[derive(Debug, Clone)]
pub(crate) struct UnreadAssignment {
    operation: &'static str,
    /// `[n, 1]`: the number of a group, or one of the codes above.
    codes: Tensor<2>,
    groups: usize,
}

impl UnreadAssignment {
    /// The group of the highest score `[n, k]` of each example; none where no score is above zero.
    pub(crate) fn highest(operation: &'static str, scores: Tensor<2>) -> Self {
        let [n, groups] = scores.dims();
        let spoilt = scores.clone().is_finite().bool_not().any_dim(1);
        let scores = scores.mask_fill(spoilt.clone().expand([n, groups]), 0.0);
        let absent = scores.clone().max_dim(1).lower_equal_elem(0.0);
        // In single precision, in which they are numbers for certain.
        let codes = scores.argmax(1).float().cast(DType::F32);
        Self {
            operation,
            codes: codes.mask_fill(absent, NONE).mask_fill(spoilt, BROKEN),
            groups,
        }
    }

    /// `[n]`.
    pub(crate) fn codes(&self) -> Tensor<1> {
        self.codes.clone().flatten(0, 1)
    }

    /// 1 where an example is in a group, `[n, k]`.
    pub(crate) fn one_hot(&self) -> Tensor<2> {
        let [n, _] = self.codes.dims();
        let numbers = Tensor::<1, Int>::arange(0..self.groups as i64, &self.codes.device());
        let numbers = numbers
            .float()
            .cast(self.codes.dtype())
            .reshape([1, self.groups]);
        let codes = self.codes.clone().expand([n, self.groups]);
        codes.equal(numbers.expand([n, self.groups])).float()
    }

    pub(crate) fn read(&self) -> Result<Vec<f32>, GroupError> {
        host(self.operation, &self.codes)
    }

    /// The groups that these codes stand for.
    ///
    /// # Errors
    ///
    /// [`GroupError::NotFinite`] naming the first example with a non-finite score, [`GroupError::Shape`] for codes
    /// of another number of examples.
    pub(crate) fn assignment(&self, codes: &[f32]) -> Result<Vec<Option<usize>>, GroupError> {
        let [n, _] = self.codes.dims();
        if codes.len() != n {
            return Err(GroupError::Shape {
                operation: self.operation,
                expected: n,
                got: codes.len(),
            });
        }
        match codes.iter().position(|&code| code == BROKEN) {
            Some(example) => Err(GroupError::NotFinite {
                operation: self.operation,
                example,
            }),
            None => Ok(self.groups_of(codes)),
        }
    }

    /// The same, with examples of a non-finite score in no group.
    pub(crate) fn groups_of(&self, codes: &[f32]) -> Vec<Option<usize>> {
        let group = |&code: &f32| Some(code as usize).filter(|&g| code >= 0.0 && g < self.groups);
        codes.iter().map(group).collect()
    }
}

/// Scores of examples that are like no group at all: less than any other, and above zero.
const LITTLE: f32 = 1e-30;

/// The same scores `[n, k]`, but that examples with a gradient of any length `[n, 1]` and no score above zero belong to
/// `group`: in no group they would not be trained on.
pub(crate) fn or_else(scores: Tensor<2>, lengths: Tensor<2>, group: usize) -> Tensor<2> {
    let [n, k] = scores.dims();
    let there = lengths.greater_elem(0.0).float().cast(scores.dtype());
    let little = there * LITTLE;
    let column = scores.clone().narrow(1, group, 1) + little;
    scores.slice_assign([0..n, group..(group + 1).min(k)], column)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::grouping::groups::{Average, Groups};

    fn ahead(scores: &[f32], groups: usize, average: Average) -> Groups {
        let device = burn::tensor::Device::flex();
        let flat = Tensor::<1>::from_floats(scores, &device);
        let scores = flat.reshape([scores.len() / groups, groups]);
        Groups::ahead(
            UnreadAssignment::highest("test", scores),
            average,
            DType::F32,
        )
    }

    fn numbers<const D: usize>(tensor: &Tensor<D>) -> Vec<f32> {
        host("test", tensor).unwrap()
    }

    proptest! {
        /// What is decided on the device is what `Groups::hard` makes of the same decision on the host.
        #[test]
        fn equals_groups_that_are_known(
            scores in prop::collection::vec(prop_oneof![Just(0.0f32), -1.0f32..1.0], 1..40),
            groups in 1usize..5,
            summed in any::<bool>(),
        ) {
            prop_assume!(scores.len() >= groups);
            let scores = &scores[..scores.len() / groups * groups];
            let average = if summed { Average::Sum } else { Average::Mean };
            let best = |row: &[f32]| {
                let most = row.iter().copied().fold(0.0, f32::max);
                (most > 0.0).then(|| row.iter().position(|&score| score == most)).flatten()
            };
            let assignment: Vec<_> = scores.chunks(groups).map(best).collect();
            let device = burn::tensor::Device::flex();
            let hard = Groups::hard(assignment, groups, average, &device).unwrap();
            let groups = ahead(scores, groups, average);
            let early = groups.clone();
            let read = numbers(&groups.unread().unwrap());
            let settled = groups.settled(&read).unwrap();
            prop_assert!(settled.unread().is_none());
            for one in [early, settled] {
                prop_assert_eq!(one.assignment(), hard.assignment());
                prop_assert_eq!(one.sizes(), hard.sizes());
                prop_assert_eq!(numbers(one.membership()), numbers(hard.membership()));
                prop_assert_eq!(numbers(one.weights()), numbers(hard.weights()));
            }
        }
    }

    #[test]
    fn scores_that_are_no_numbers_are_named_when_read() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let groups = ahead(&[1.0, 2.0, bad, 1.0, 0.5, 0.0], 2, Average::Mean);
            assert_eq!(numbers(groups.membership()), [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
            assert_eq!(groups.assignment().unwrap(), [Some(1), None, Some(0)]);
            let read = numbers(&groups.unread().unwrap());
            let error = groups.clone().settled(&read).unwrap_err();
            assert!(
                matches!(error, GroupError::NotFinite { example: 1, .. }),
                "{error}"
            );
            let error = groups.settled(&read[..2]).unwrap_err();
            assert!(
                matches!(
                    error,
                    GroupError::Shape {
                        expected: 3,
                        got: 2,
                        ..
                    }
                ),
                "{error}"
            );
        }
    }
}
