use burn::nn::conv::{
    Conv1d, Conv1dConfig, Conv2d, Conv2dConfig, Conv3d, Conv3dConfig, DeformConv2d,
    DeformConv2dConfig,
};
use burn::nn::{PaddingConfig1d, PaddingConfig2d, PaddingConfig3d};
use burn::tensor::Tensor;
use gradual_grad::{Tap, conv1d_fault};
use proptest::prelude::*;

use crate::support::{After, device, exact, exact_to, values};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn conv1d(
        n in 1usize..4, length in 5usize..9, groups in 1usize..4, kernel in 1usize..4,
        stride in 1usize..4, dilation in 1usize..3, pad in 0usize..4, bias: bool,
    ) {
        let padding = match pad {
            0 => PaddingConfig1d::Valid,
            1 if dilation == 1 => PaddingConfig1d::Same,
            _ => PaddingConfig1d::Explicit(pad - 1, pad),
        };
        let layer = Conv1dConfig::new(2 * groups, 3 * groups, kernel)
            .with_stride(stride).with_dilation(dilation).with_groups(groups)
            .with_padding(padding).with_bias(bias).init(&device());
        // There Burn's own backward pass is no reference: see `faults`.
        prop_assume!(conv1d_fault(&layer, length).is_none() && conv1d_fault(&layer, length + 1).is_none());
        exact(3, length, layer, n, |m: &After<Conv1d>, n, seed| {
            let x = m.before.tap(values([n, 2 * groups, 3], seed));
            // The second use is one longer.
            let more = values([n, 2 * groups, seed as usize - 1], 9);
            m.layer.tap(Tensor::cat(vec![x, more], 2))
        });
    }

    #[test]
    fn conv2d(
        n in 1usize..4, height in 5usize..7, width in 5usize..8, groups in 1usize..3,
        kernel in (1usize..4, 1usize..4), stride in (1usize..4, 1usize..4),
        dilation in (1usize..3, 1usize..3), pad in 0usize..4, bias: bool,
    ) {
        let padding = match pad {
            0 => PaddingConfig2d::Valid,
            1 if dilation == (1, 1) => PaddingConfig2d::Same,
            _ => PaddingConfig2d::Explicit(pad - 1, 1, 0, pad),
        };
        let layer = Conv2dConfig::new([2 * groups, 3 * groups], [kernel.0, kernel.1])
            .with_stride([stride.0, stride.1]).with_dilation([dilation.0, dilation.1])
            .with_groups(groups).with_padding(padding).with_bias(bias).init(&device());
        exact(3, width, layer, n, |m: &After<Conv2d>, n, seed| {
            m.layer.tap(m.before.tap(values([n, 2 * groups, height + seed as usize - 1, 3], seed)))
        });
    }

    #[test]
    fn conv3d(
        n in 1usize..4, size in (3usize..5, 3usize..6, 4usize..6), groups in 1usize..3,
        kernel in (1usize..3, 1usize..4, 1usize..3), stride in (1usize..3, 1usize..3, 1usize..4),
        dilation in (1usize..3, 1usize..2, 1usize..3), pad in 0usize..3, bias: bool,
    ) {
        let (depth, height, width) = size;
        let (padding, kernel, stride) = match pad {
            0 => (PaddingConfig3d::Valid, [kernel.0, kernel.1, kernel.2], [stride.0, stride.1, stride.2]),
            1 => (PaddingConfig3d::Same, [1, 3, 3], [1; 3]),
            _ => (PaddingConfig3d::Explicit(1, 0, 2), [kernel.0, kernel.1, kernel.2], [stride.0, stride.1, stride.2]),
        };
        let dilation = if pad == 1 { [1; 3] } else { [dilation.0, dilation.1, dilation.2] };
        let layer = Conv3dConfig::new([groups, 2 * groups], kernel)
            .with_stride(stride).with_dilation(dilation)
            .with_groups(groups).with_padding(padding).with_bias(bias).init(&device());
        exact(2, width, layer, n, |m: &After<Conv3d>, n, seed| {
            m.layer.tap(m.before.tap(values([n, groups, depth + seed as usize - 1, height, 2], seed)))
        });
    }

    #[test]
    fn deform_conv2d(
        n in 1usize..3, height in 3usize..6, width in 3usize..6, groups in 1usize..3, offset_groups in 1usize..3,
        kernel in (1usize..4, 1usize..3), stride in (1usize..3, 1usize..3), dilation in (1usize..3, 1usize..3),
        pad in 0usize..3, masked: bool, bias: bool,
    ) {
        let (padding, kernel, dilation) = match pad {
            0 => (PaddingConfig2d::Valid, [kernel.0, kernel.1], [1, 1]),
            1 => (PaddingConfig2d::Same, [3, 1], [1, 1]),
            _ => (PaddingConfig2d::Explicit(2, 1, 2, 1), [kernel.0, kernel.1], [dilation.0, dilation.1]),
        };
        let stride = if pad == 1 { [1, 1] } else { [stride.0, stride.1] };
        let layer = DeformConv2dConfig::new([2 * groups, 3 * groups], kernel)
            .with_stride(stride).with_dilation(dilation).with_weight_groups(groups)
            .with_offset_groups(offset_groups).with_padding(padding.clone()).with_bias(bias).init(&device());
        let along = |size: usize, axis: usize| {
            let padding = match padding {
                PaddingConfig2d::Valid => 0,
                PaddingConfig2d::Same => kernel[axis] - 1,
                PaddingConfig2d::Explicit(top, left, ..) => 2 * [top, left][axis],
            };
            (size + padding - dilation[axis] * (kernel[axis] - 1) - 1) / stride[axis] + 1
        };
        let samples = offset_groups * kernel[0] * kernel[1];
        // `flex` computes it in single precision, whatever its input.
        exact_to(1e-4, 3, width, layer, n, |m: &After<DeformConv2d>, n, seed| {
            let height = height + seed as usize - 1;
            let x = m.before.tap(values([n, 2 * groups, height, 3], seed));
            let [rows, columns] = [along(height, 0), along(width, 1)];
            // Offsets and masks depend on parameters, too.
            let level = x.clone().mean_dim(1).mean_dim(2).mean_dim(3);
            let offset = values([n, 2 * samples, rows, columns], seed + 4) * 1.3 + level.clone();
            let mask = masked.then(|| values([n, samples, rows, columns], seed + 5) + level);
            m.layer.tap((x, offset, mask))
        });
    }
}
