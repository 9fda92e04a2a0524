//! Convolutions: linear over unfolded patches.

use burn::module::ParamId;
use burn::nn::conv::{Conv1d, Conv2d};
use burn::nn::{PaddingConfig1d, PaddingConfig2d};
use burn::tensor::module::conv2d;
use burn::tensor::ops::{ConvOptions, PadMode};
use burn::tensor::{Int, Tensor, TensorData};

use crate::Tap;
use crate::factor::{Factor, Inputs};
use crate::tap::{constant, leaf, traced};
use crate::tape::{self, Use};

/// What the patches of a convolution depend on; index 0 is the vertical axis.
#[derive(Clone, Copy)]
struct Geometry {
    kernel: [usize; 2],
    stride: [usize; 2],
    dilation: [usize; 2],
    /// Before and after, per axis.
    padding: [(usize, usize); 2],
    groups: usize,
}

impl Geometry {
    /// Patches `[n, positions, channels · kernel]` of an input `[n, channels, height, width]`, in
    /// the order of the weight's axes: one pass over the output, from a table of where each entry
    /// comes from. The table is as large as the patches of one or two examples.
    fn patches(&self, input: Tensor<4>, output: [usize; 2]) -> Tensor<3> {
        let padded = match self.padding {
            [(0, 0), (0, 0)] => input,
            padding => input.pad(padding, PadMode::Constant(0.0)),
        };
        let [n, channels, height, width] = padded.dims();
        let positions = output[0] * output[1];
        let columns = channels * self.kernel[0] * self.kernel[1];
        let from = self.sources([channels, height, width], output);
        let from = Tensor::<1, Int>::from_data(
            TensorData::new(from, [positions * columns]),
            &padded.device(),
        );
        padded
            .reshape([n, channels * height * width])
            .select(1, from)
            .reshape([n, positions, columns])
    }

    /// For every position and every column of its patch, the entry of a flattened (padded) example.
    fn sources(
        &self,
        [channels, height, width]: [usize; 3],
        [rows, columns]: [usize; 2],
    ) -> Vec<i32> {
        let [kernel_y, kernel_x] = self.kernel;
        let size = rows * columns * channels * kernel_y * kernel_x;
        let mut from = Vec::with_capacity(size);
        for (row, column) in (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)))
        {
            for channel in 0..channels {
                for y in 0..kernel_y {
                    let line = row * self.stride[0] + y * self.dilation[0];
                    let start = (channel * height + line) * width + column * self.stride[1];
                    from.extend((0..kernel_x).map(|x| (start + x * self.dilation[1]) as i32));
                }
            }
        }
        from
    }

    /// The convolution of a (one- or two-dimensional) layer, seen by the trace.
    fn tap(
        self,
        layer: &'static str,
        input: Tensor<4>,
        weight: (ParamId, Tensor<4>),
        bias: Option<(ParamId, Tensor<1>)>,
    ) -> Tensor<4> {
        let (weight_id, weight) = weight;
        let [(top, bottom), (left, right)] = self.padding;
        let options = ConvOptions::new_with_padding(
            self.stride,
            [(top, bottom), (left, right)],
            self.dilation,
            self.groups,
        );
        let kept = input.clone().inner();
        let channels = weight
            .clone()
            .narrow(1, 0, 1)
            .narrow(2, 0, 1)
            .narrow(3, 0, 1);
        let output = conv2d(input, weight, None, options);
        let [n, out, height, width] = output.dims();
        let bias_id = bias.as_ref().map(|(id, _)| *id);
        let positions = height * width;
        let leaf = leaf(
            bias.map(|(_, value)| value),
            n * positions,
            &channels.reshape([out]),
        );
        tape::record(Use {
            layer,
            examples: n,
            parameters: std::iter::once(weight_id).chain(bias_id).collect(),
            pair: None,
            leaf: leaf.clone(),
            resolve: Box::new(move |deltas| {
                let deltas = deltas.reshape([n, positions, out]);
                let patches = self.patches(kept, [height, width]);
                let shift = bias_id.map(|id| (id, Factor::sum(deltas.clone())));
                let factor = grouped(deltas, patches, self.groups);
                std::iter::once((weight_id, factor)).chain(shift).collect()
            }),
        });
        output
            + leaf
                .reshape([n, positions, out])
                .swap_dims(1, 2)
                .reshape([n, out, height, width])
    }
}

/// Rows of the weight belong to output channels; each group of them sees its own input channels.
fn grouped(deltas: Tensor<3>, patches: Tensor<3>, groups: usize) -> Factor {
    let part = |tensor: &Tensor<3>, group: usize| {
        let width = tensor.dims()[2] / groups;
        tensor.clone().narrow(2, group * width, width)
    };
    match groups {
        1 => Factor::of_sides(deltas, patches, Inputs::Right),
        _ => Factor::Stack(
            (0..groups)
                .map(|group| {
                    Factor::of_sides(part(&deltas, group), part(&patches, group), Inputs::Right)
                })
                .collect(),
        ),
    }
}

/// Padding before and after that makes the output ⌈size / stride⌉ long.
fn same(size: usize, kernel: usize, stride: usize) -> (usize, usize) {
    let needed = size.div_ceil(stride).saturating_sub(1) * stride + kernel;
    let total = needed.saturating_sub(size);
    (total / 2, total - total / 2)
}

/// `[n, channels_in, height, width]` → `[n, channels_out, height', width']`.
impl Tap<Tensor<4>> for Conv2d {
    type Output = Tensor<4>;

    fn tap(&self, input: Tensor<4>) -> Tensor<4> {
        let dims = input.dims();
        if !traced(self) || dims.contains(&0) {
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
        let geometry = Geometry {
            kernel,
            stride,
            dilation: self.dilation,
            padding,
            groups: self.groups,
        };
        let bias = self.bias.as_ref().map(|bias| (bias.id, constant(bias)));
        geometry.tap(
            "convolution",
            input,
            (self.weight.id, constant(&self.weight)),
            bias,
        )
    }
}

/// `[n, channels_in, length]` → `[n, channels_out, length']`.
impl Tap<Tensor<3>> for Conv1d {
    type Output = Tensor<3>;

    fn tap(&self, input: Tensor<3>) -> Tensor<3> {
        let dims = input.dims();
        if !traced(self) || dims.contains(&0) {
            return self.forward(input);
        }
        let padding = match self.padding {
            PaddingConfig1d::Valid => (0, 0),
            PaddingConfig1d::Same => same(dims[2], self.kernel_size, self.stride),
            PaddingConfig1d::Explicit(left, right) => (left, right),
        };
        let geometry = Geometry {
            kernel: [1, self.kernel_size],
            stride: [1, self.stride],
            dilation: [1, self.dilation],
            padding: [(0, 0), padding],
            groups: self.groups,
        };
        let bias = self.bias.as_ref().map(|bias| (bias.id, constant(bias)));
        let weight = constant(&self.weight).unsqueeze_dim::<4>(2);
        let input = input.unsqueeze_dim::<4>(2);
        geometry
            .tap("convolution", input, (self.weight.id, weight), bias)
            .squeeze_dim::<3>(2)
    }
}
