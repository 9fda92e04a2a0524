//! Deformable convolutions: linear over patches that are sampled where the offsets say.

use burn::nn::PaddingConfig2d;
use burn::nn::conv::DeformConv2d;
use burn::tensor::Tensor;
use burn::tensor::module::deform_conv2d;
use burn::tensor::ops::DeformConvOptions;

use super::windows::same;
use super::{grouped, record};
use crate::gradients::factor::outer::Inputs;
use crate::taps::tap::Tap;
use crate::taps::tap::{constant, traced_on};

/// Input `[n, channels_in, height, width]`, offset `[n, 2 · offset_groups · kernel, height', width']` and mask
/// `[n, offset_groups · kernel, height', width']` → `[n, channels_out, height', width']`.
impl Tap<(Tensor<4>, Tensor<4>, Option<Tensor<4>>)> for DeformConv2d {
    type Output = Tensor<4>;

    fn tap(&self, input: (Tensor<4>, Tensor<4>, Option<Tensor<4>>)) -> Tensor<4> {
        let (input, offset, mask) = input;
        let dims = input.dims();
        let padding = match self.padding {
            PaddingConfig2d::Valid => [(0, 0); 2],
            PaddingConfig2d::Same => {
                [0, 1].map(|axis| same(dims[axis + 2], self.kernel_size[axis], self.stride[axis]))
            }
            PaddingConfig2d::Explicit(top, left, bottom, right) => [(top, bottom), (left, right)],
        };
        // Burn has no unequal padding here, and says so itself.
        let unequal = padding.iter().any(|(before, after)| before != after);
        if !traced_on(self, &input.device()) || dims.contains(&0) || unequal {
            return self.forward(input, offset, mask);
        }
        let options = |groups| {
            DeformConvOptions::new(
                self.stride,
                padding.map(|(before, _)| before),
                self.dilation,
                groups,
                self.offset_groups,
            )
        };
        let weight = constant(&self.weight);
        let output = deform_conv2d(
            input.clone(),
            offset.clone(),
            weight,
            mask.clone(),
            None,
            options(self.weight_groups),
        );

        // A deformable convolution whose kernels pick one sample each yields the patches.
        let [height, width] = self.kernel_size;
        let [n, channels] = [dims[0], dims[1]];
        let columns = channels * height * width;
        let kept = (input.inner(), offset.inner(), mask.map(Tensor::inner));
        let (each, groups) = (options(channels), self.weight_groups);
        let (id, bias) = (self.weight.id, self.bias.as_ref());
        record("deformable convolution", output, id, bias, move |deltas| {
            let (input, offset, mask) = kept;
            let positions = deltas.dims()[1];
            let picks = Tensor::<2>::eye(height * width, &input.device()).cast(input.dtype());
            let picks = picks
                .reshape([1, height * width, height, width])
                .repeat_dim(0, channels)
                .reshape([columns, 1, height, width]);
            let patches = deform_conv2d(input, offset, picks, mask, None, each);
            let patches = patches.reshape([n, columns, positions]).swap_dims(1, 2);
            grouped(deltas, patches, groups, Inputs::Right)
        })
    }
}
