//! Faults of Burn's own backward passes that are known, so that a comparison with them blames the right one.

use std::fmt;

use burn::nn::PaddingConfig1d;
use burn::nn::conv::Conv1d;

use crate::taps::same;

/// A layer whose gradients Burn 0.22.1 itself gets wrong. A trace does not use that code and is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BurnFault {
    /// The weight gradient of a [`Conv1d`] with groups, where the input goes on for at least one dilation after the
    /// last window: see [`conv1d_fault`].
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

/// Whether Burn 0.22.1's own backward pass of `layer` is wrong for inputs `[n, channels, length]`.
///
/// Burn takes the weight gradient for a convolution of the input with the output-gradients, which yields more entries
/// than the kernel has where r = (length + padding − dilation · (kernel − 1) − 1) mod stride is at least the
/// dilation. `Conv2d`, `Conv3d`, transposed convolutions and a `Conv1d` without groups cut the rest off; a `Conv1d`
/// with groups writes all of it into the place of the kernel. Backends that have their own backward pass (those built
/// on CubeCL: cuda, wgpu) may be right.
pub fn conv1d_fault(layer: &Conv1d, length: usize) -> Option<BurnFault> {
    let (before, after) = match layer.padding {
        PaddingConfig1d::Valid => (0, 0),
        PaddingConfig1d::Same => same(length, layer.kernel_size, layer.stride),
        PaddingConfig1d::Explicit(before, after) => (before, after),
    };
    let window = layer.dilation * layer.kernel_size.saturating_sub(1) + 1;
    let rest = (length + before + after)
        .checked_sub(window)?
        .checked_rem(layer.stride)?;
    (layer.groups > 1 && rest >= layer.dilation).then_some(BurnFault::GroupedConv1d)
}
