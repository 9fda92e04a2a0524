//! Where Burn's own backward pass of a convolution is wrong.

use burn::nn::PaddingConfig1d;
use burn::nn::conv::Conv1d;

use super::windows::same;
use crate::faults::BurnFault;

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
