//! A small convolutional network.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{AdaptiveAvgPool2d, AdaptiveAvgPool2dConfig, MaxPool2d, MaxPool2dConfig};
use burn::nn::{Linear, PaddingConfig2d};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use gradual::grad::Tap;
use rand_chacha::ChaCha8Rng;

use crate::weights::{linear, uniform};

/// Side of a filter.
const KERNEL: usize = 3;
/// Side of the maps that the last layer sees.
const MAPS: usize = 4;

/// Two convolutions of 3 × 3 filters with ReLU, the first followed by a maximum over 2 × 2 pixels, the second by means
/// over 4 × 4 fields, and a linear layer.
#[derive(Module, Debug)]
pub struct Convnet {
    first: Conv2d,
    second: Conv2d,
    output: Linear,
    halve: MaxPool2d,
    fields: AdaptiveAvgPool2d,
}

impl Convnet {
    /// A network from images of `channels` to `outputs`, with `filters` in the first convolution and twice as many in
    /// the second. Weights and biases are uniform in ±1/√fan-in and depend on `random` alone, not on the backend.
    pub fn new(
        channels: usize,
        filters: usize,
        outputs: usize,
        random: &mut ChaCha8Rng,
        device: &Device,
    ) -> Self {
        let wide = 2 * filters;
        Self {
            first: convolution(channels, filters, random, device),
            second: convolution(filters, wide, random, device),
            output: linear(wide * MAPS * MAPS, outputs, random, device),
            halve: MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init(),
            fields: AdaptiveAvgPool2dConfig::new([MAPS, MAPS]).init(),
        }
    }

    /// How many parameters such a network has.
    pub(crate) fn parameters(channels: usize, filters: usize, outputs: usize) -> u128 {
        let [channels, filters, outputs, kernel, maps] =
            [channels, filters, outputs, KERNEL, MAPS].map(|number| number as u128);
        let (area, wide) = (kernel * kernel, 2 * filters);
        filters * (channels * area + 1)
            + wide * (filters * area + 1)
            + outputs * (wide * maps * maps + 1)
    }

    /// `[n, channels, height, width]` → `[n, outputs]`, every layer with parameters tapped. Height and width are 8 at
    /// least.
    pub fn forward(&self, images: Tensor<4>) -> Tensor<2> {
        let maps = self.halve.forward(relu(self.first.tap(images)));
        let maps = self.fields.forward(relu(self.second.tap(maps)));
        self.output.tap(maps.flatten(1, 3))
    }
}

/// A convolution of 3 × 3 filters that keeps the size of the image.
fn convolution(
    channels: usize,
    filters: usize,
    random: &mut ChaCha8Rng,
    device: &Device,
) -> Conv2d {
    let bound = 1.0 / ((channels * KERNEL * KERNEL) as f32).sqrt();
    let config = Conv2dConfig::new([channels, filters], [KERNEL, KERNEL]);
    let mut layer = config.with_padding(PaddingConfig2d::Same).init(device);
    layer.weight = uniform([filters, channels, KERNEL, KERNEL], bound, random, device);
    layer.bias = Some(uniform([filters], bound, random, device));
    layer
}
