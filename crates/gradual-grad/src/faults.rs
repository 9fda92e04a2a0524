//! Faults of Burn's own backward passes that are known, so that a comparison with them blames the right one.

use std::fmt;

/// A layer whose gradients Burn 0.22.1 itself gets wrong. A trace does not use that code and is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BurnFault {
    /// The weight gradient of a [`Conv1d`](burn::nn::conv::Conv1d) with groups, where the input extends beyond the
    /// last window by at least one dilation: see [`conv1d_fault`](crate::conv1d_fault).
    GroupedConv1d,
}

impl fmt::Display for BurnFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GroupedConv1d => f.write_str(
                "Burn's own backward pass of a grouped Conv1d gives a wrong weight gradient where the padded input \
                 goes on after the last window; trace it, choose another length, stride or padding, or use a Conv2d \
                 of height 1",
            ),
        }
    }
}
