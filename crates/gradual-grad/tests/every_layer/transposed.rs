use burn::nn::conv::{
    ConvTranspose1d, ConvTranspose1dConfig, ConvTranspose2d, ConvTranspose2dConfig,
    ConvTranspose3d, ConvTranspose3dConfig,
};
use gradual_grad::Tap;
use proptest::prelude::*;

use crate::support::{After, device, exact, values};

/// What makes the output longer than the padding takes away.
fn padding(kernel: usize, dilation: usize, wanted: usize) -> usize {
    wanted.min(dilation * (kernel - 1) / 2)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn conv_transpose1d(
        n in 1usize..4, length in 1usize..6, groups in 1usize..3, kernel in 1usize..5, stride in 1usize..4,
        dilation in 1usize..3, pad in 0usize..4, out in 0usize..3, bias: bool,
    ) {
        let layer = ConvTranspose1dConfig::new([2 * groups, 3 * groups], kernel)
            .with_stride(stride).with_dilation(dilation).with_groups(groups)
            .with_padding(padding(kernel, dilation, pad)).with_padding_out(out).with_bias(bias).init(&device());
        exact(3, 2 * groups, layer, n, |m: &After<ConvTranspose1d>, n, seed| {
            let x = m.before.tap(values([n, length + seed as usize - 1, 3], seed));
            m.layer.tap(x.swap_dims(1, 2))
        });
    }

    #[test]
    fn conv_transpose2d(
        n in 1usize..3, size in (1usize..4, 1usize..4), groups in 1usize..3, kernel in (1usize..4, 1usize..4),
        stride in (1usize..4, 1usize..3), dilation in (1usize..3, 1usize..3), pad in (0usize..3, 0usize..3),
        out in (0usize..2, 0usize..3), bias: bool,
    ) {
        let pad = [padding(kernel.0, dilation.0, pad.0), padding(kernel.1, dilation.1, pad.1)];
        let layer = ConvTranspose2dConfig::new([2 * groups, 3 * groups], [kernel.0, kernel.1])
            .with_stride([stride.0, stride.1]).with_dilation([dilation.0, dilation.1]).with_groups(groups)
            .with_padding(pad).with_padding_out([out.0, out.1]).with_bias(bias).init(&device());
        exact(3, size.1, layer, n, |m: &After<ConvTranspose2d>, n, seed| {
            m.layer.tap(m.before.tap(values([n, 2 * groups, size.0 + seed as usize - 1, 3], seed)))
        });
    }

    #[test]
    fn conv_transpose3d(
        n in 1usize..3, size in (1usize..3, 1usize..3, 1usize..4), groups in 1usize..3,
        kernel in (1usize..3, 1usize..4, 1usize..3), stride in (1usize..3, 1usize..3, 1usize..4),
        dilation in (1usize..3, 1usize..2, 1usize..3), pad in 0usize..3, out in (0usize..2, 0usize..2, 0usize..3),
        bias: bool,
    ) {
        let pad = [
            padding(kernel.0, dilation.0, pad),
            padding(kernel.1, dilation.1, pad),
            padding(kernel.2, dilation.2, pad),
        ];
        let layer = ConvTranspose3dConfig::new([groups, 2 * groups], [kernel.0, kernel.1, kernel.2])
            .with_stride([stride.0, stride.1, stride.2]).with_dilation([dilation.0, dilation.1, dilation.2])
            .with_groups(groups).with_padding(pad).with_padding_out([out.0, out.1, out.2])
            .with_bias(bias).init(&device());
        exact(2, size.2, layer, n, |m: &After<ConvTranspose3d>, n, seed| {
            m.layer.tap(m.before.tap(values([n, groups, size.0 + seed as usize - 1, size.1, 2], seed)))
        });
    }
}
