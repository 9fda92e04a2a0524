//! Transposed convolutions: each input is spread over a patch of the output, so the gradient of the weight is the
//! outer product of inputs and patches of output-gradients.

use burn::module::Param;
use burn::nn::conv::{ConvTranspose1d, ConvTranspose2d, ConvTranspose3d};
use burn::tensor::Tensor;
use burn::tensor::module::{conv_transpose1d, conv_transpose2d, conv_transpose3d};
use burn::tensor::ops::ConvTransposeOptions;

use super::windows::Windows;
use super::{grouped, record};
use crate::gradients::factor::outer::Inputs;
use crate::taps::tap::Tap;
use crate::taps::tap::{constant, traced_on};

/// The output of a transposed convolution without its bias, seen by the trace: rows of the weight belong to input
/// channels, and each group of them writes to its own output channels.
fn transposed<const D: usize, const S: usize>(
    options: ConvTransposeOptions<S>,
    kernel: [usize; S],
    input: Tensor<D>,
    output: Tensor<D>,
    weight: &Param<Tensor<D>>,
    bias: Option<&Param<Tensor<1>>>,
) -> Tensor<D> {
    let [from, to] = [input.dims(), output.dims()];
    let mut count = [0; S];
    count.copy_from_slice(&from[2..]);
    // The last window may end after the output, by the padding that the output got no extra rows for.
    let after = |axis: usize| options.padding[axis].saturating_sub(options.padding_out[axis]);
    let windows = Windows {
        kernel,
        stride: options.stride,
        dilation: options.dilation,
        padding: std::array::from_fn(|axis| (options.padding[axis], after(axis))),
    };
    let (n, positions) = (from[0], count.iter().product::<usize>());
    let inputs = input.inner().reshape([n, from[1], positions]);
    let inputs = inputs.swap_dims(1, 2);
    record(
        "transposed convolution",
        output,
        weight.id,
        bias,
        move |deltas| {
            let deltas: Tensor<D> = deltas.swap_dims(1, 2).reshape(to);
            let patches = windows.patches(deltas, count);
            grouped(inputs, patches, options.groups, Inputs::Left)
        },
    )
}

/// A tap for one number of axes.
macro_rules! tap {
    ($(#[$doc:meta])* $layer:ident, $convolution:ident, $rank:literal, $axes:expr) => {
        $(#[$doc])*
        impl Tap<Tensor<$rank>> for $layer {
            type Output = Tensor<$rank>;

            fn tap(&self, input: Tensor<$rank>) -> Tensor<$rank> {
                if !traced_on(self, &input.device()) || input.dims().contains(&0) {
                    return self.forward(input);
                }
                let options = ConvTransposeOptions::new(
                    $axes(self.stride),
                    $axes(self.padding),
                    $axes(self.padding_out),
                    $axes(self.dilation),
                    self.groups,
                );
                let weight = constant(&self.weight);
                let output = $convolution(input.clone(), weight, None, options.clone());
                transposed(
                    options,
                    $axes(self.kernel_size),
                    input,
                    output,
                    &self.weight,
                    self.bias.as_ref(),
                )
            }
        }
    };
}

tap!(
    /// `[n, channels_in, length]` → `[n, channels_out, length']`.
    ConvTranspose1d, conv_transpose1d, 3, |axis: usize| [axis]
);
tap!(
    /// `[n, channels_in, height, width]` → `[n, channels_out, height', width']`.
    ConvTranspose2d, conv_transpose2d, 4, std::convert::identity
);
tap!(
    /// `[n, channels_in, depth, height, width]` → `[n, channels_out, depth', height', width']`.
    ConvTranspose3d, conv_transpose3d, 5, std::convert::identity
);
