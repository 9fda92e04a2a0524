//! Convolutions: linear over unfolded patches.

mod deformable;
pub(crate) mod fault;
mod transposed;
mod windows;

use burn::module::{Param, ParamId};
use burn::nn::conv::{Conv1d, Conv2d, Conv3d};
use burn::nn::{PaddingConfig1d, PaddingConfig2d, PaddingConfig3d};
use burn::tensor::Tensor;
use burn::tensor::module::{conv1d, conv2d, conv3d};
use burn::tensor::ops::ConvOptions;

use crate::gradients::factor::Factor;
use crate::gradients::factor::outer::Inputs;
use crate::taps::tap::Tap;
use crate::taps::tap::{constant, leaf, traced_on};
use crate::trace::tape::{self, Use};
use fault::conv1d_fault;
use windows::{Windows, same};

/// Adds the bias to an output `[n, channels, …]`, seen by the trace. `weight` makes the weight's factor of the
/// output-gradients `[n, positions, channels]`.
fn record<const D: usize>(
    layer: &'static str,
    output: Tensor<D>,
    weight_id: ParamId,
    bias: Option<&Param<Tensor<1>>>,
    weight: impl FnOnce(Tensor<3>) -> Factor + 'static,
) -> Tensor<D> {
    let dims = output.dims();
    let (n, channels) = (dims[0], dims[1]);
    let positions = dims[2..].iter().product::<usize>();
    let like = Tensor::zeros([channels], (&output.device(), output.dtype()));
    let leaf = leaf(bias.map(constant), n * positions, &like);
    let bias_id = bias.map(|bias| bias.id);
    tape::record(Use {
        layer,
        examples: n,
        parameters: std::iter::once(weight_id).chain(bias_id).collect(),
        pair: None,
        leaf: leaf.clone(),
        resolve: Box::new(move |deltas| {
            let deltas = deltas.reshape([n, positions, channels]);
            let shift = bias_id.map(|id| (id, Factor::sum(deltas.clone())));
            let factor = weight(deltas);
            std::iter::once((weight_id, factor)).chain(shift).collect()
        }),
    });
    let leaf = leaf.reshape([n, positions, channels]);
    output + leaf.swap_dims(1, 2).reshape(dims)
}

/// Σ_t left_t ⊗ right_t in groups of channels: each part of the left side meets its own part of the right one.
fn grouped(left: Tensor<3>, right: Tensor<3>, groups: usize, inputs: Inputs) -> Factor {
    let part = |tensor: &Tensor<3>, group: usize| {
        let width = tensor.dims()[2] / groups;
        tensor.clone().narrow(2, group * width, width)
    };
    match groups {
        1 => Factor::of_sides(left, right, inputs),
        _ => Factor::Stack(
            (0..groups)
                .map(|group| Factor::of_sides(part(&left, group), part(&right, group), inputs))
                .collect(),
        ),
    }
}

/// The output of a convolution without its bias, seen by the trace: rows of the weight belong to output channels,
/// and each group of them sees its own input channels.
fn convolution<const D: usize, const S: usize>(
    layer: &'static str,
    windows: Windows<S>,
    groups: usize,
    input: Tensor<D>,
    output: Tensor<D>,
    weight: ParamId,
    bias: Option<&Param<Tensor<1>>>,
) -> Tensor<D> {
    let mut count = [0; S];
    count.copy_from_slice(&output.dims()[2..]);
    let kept = input.inner();
    record(layer, output, weight, bias, move |deltas| {
        let patches = windows.patches(kept, count);
        grouped(deltas, patches, groups, Inputs::Right)
    })
}

/// `[n, channels_in, length]` → `[n, channels_out, length']`.
impl Tap<Tensor<3>> for Conv1d {
    type Output = Tensor<3>;

    fn tap(&self, input: Tensor<3>) -> Tensor<3> {
        let dims = input.dims();
        if !traced_on(self, &input.device()) || dims.contains(&0) {
            return self.forward(input);
        }
        let padding = match self.padding {
            PaddingConfig1d::Valid => (0, 0),
            PaddingConfig1d::Same => same(dims[2], self.kernel_size, self.stride),
            PaddingConfig1d::Explicit(left, right) => (left, right),
        };
        if let Some(fault) = conv1d_fault(self, dims[2]) {
            tape::fault(self.weight.id, fault);
        }
        let windows = Windows {
            kernel: [self.kernel_size],
            stride: [self.stride],
            dilation: [self.dilation],
            padding: [padding],
        };
        let options = ConvOptions::new_with_padding(
            windows.stride,
            windows.padding,
            windows.dilation,
            self.groups,
        );
        let output = conv1d(input.clone(), constant(&self.weight), None, options);
        convolution(
            "convolution",
            windows,
            self.groups,
            input,
            output,
            self.weight.id,
            self.bias.as_ref(),
        )
    }
}

/// `[n, channels_in, height, width]` → `[n, channels_out, height', width']`.
impl Tap<Tensor<4>> for Conv2d {
    type Output = Tensor<4>;

    fn tap(&self, input: Tensor<4>) -> Tensor<4> {
        let dims = input.dims();
        if !traced_on(self, &input.device()) || dims.contains(&0) {
            return self.forward(input);
        }
        let [kernel, stride] = [self.kernel_size, self.stride];
        let padding = match self.padding {
            PaddingConfig2d::Valid => [(0, 0); 2],
            PaddingConfig2d::Same => {
                [0, 1].map(|axis| same(dims[axis + 2], kernel[axis], stride[axis]))
            }
            PaddingConfig2d::Explicit(top, left, bottom, right) => [(top, bottom), (left, right)],
        };
        let windows = Windows {
            kernel,
            stride,
            dilation: self.dilation,
            padding,
        };
        let options = ConvOptions::new_with_padding(stride, padding, self.dilation, self.groups);
        let output = conv2d(input.clone(), constant(&self.weight), None, options);
        convolution(
            "convolution",
            windows,
            self.groups,
            input,
            output,
            self.weight.id,
            self.bias.as_ref(),
        )
    }
}

/// `[n, channels_in, depth, height, width]` → `[n, channels_out, depth', height', width']`.
impl Tap<Tensor<5>> for Conv3d {
    type Output = Tensor<5>;

    fn tap(&self, input: Tensor<5>) -> Tensor<5> {
        let dims = input.dims();
        let [kernel, stride] = [self.kernel_size, self.stride];
        let padding = match self.padding {
            PaddingConfig3d::Valid => [(0, 0); 3],
            PaddingConfig3d::Same => {
                [0, 1, 2].map(|axis| same(dims[axis + 2], kernel[axis], stride[axis]))
            }
            PaddingConfig3d::Explicit(depth, height, width) => {
                [(depth, depth), (height, height), (width, width)]
            }
        };
        // Burn has no unequal padding in three dimensions, and says so itself.
        let unequal = padding.iter().any(|(before, after)| before != after);
        if !traced_on(self, &input.device()) || dims.contains(&0) || unequal {
            return self.forward(input);
        }
        let windows = Windows {
            kernel,
            stride,
            dilation: self.dilation,
            padding,
        };
        let before = padding.map(|(before, _)| before);
        let options = ConvOptions::new(stride, before, self.dilation, self.groups);
        let output = conv3d(input.clone(), constant(&self.weight), None, options);
        convolution(
            "convolution",
            windows,
            self.groups,
            input,
            output,
            self.weight.id,
            self.bias.as_ref(),
        )
    }
}
