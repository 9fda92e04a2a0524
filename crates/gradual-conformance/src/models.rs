//! Small models with all kinds of layers.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{GroupNorm, GroupNormConfig, Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::activation::{log_softmax, relu};
use burn::tensor::{Device, Int, Tensor, TensorData};
use gradual::grad::Tap;
use gradual_tasks::{Decoder, DecoderConfig};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::numbers::{filled, uniform};

/// Examples of a draw.
pub(crate) const EXAMPLES: usize = 12;
const CLASSES: usize = 5;

/// A model with the losses of one draw.
pub(crate) trait Subject: Module {
    const NAME: &'static str;
    fn fresh(device: &Device) -> Self;
    /// `[n]`.
    fn losses(&self) -> Tensor<1>;
}

/// A strided convolution, a normalisation and a linear layer.
#[derive(Module, Debug)]
pub(crate) struct Net {
    conv: Conv2d,
    norm: GroupNorm,
    readout: Linear,
}

impl Subject for Net {
    const NAME: &'static str = "net";

    fn fresh(device: &Device) -> Self {
        let padding = PaddingConfig2d::Explicit(1, 1, 1, 1);
        let conv = Conv2dConfig::new([2, 6], [3, 3]).with_stride([2, 2]);
        filled(Self {
            conv: conv.with_padding(padding).init(device),
            norm: GroupNormConfig::new(2, 6).init(device),
            readout: LinearConfig::new(6 * 4 * 4, CLASSES).init(device),
        })
    }

    fn losses(&self) -> Tensor<1> {
        let device = self.readout.weight.device().inner();
        let inputs = uniform([EXAMPLES, 2, 8, 8], 100, &device);
        let x = relu(self.norm.tap(self.conv.tap(inputs)));
        let logits = self.readout.tap(x.reshape([EXAMPLES, 6 * 4 * 4]));
        cross_entropy(logits, classes(EXAMPLES, CLASSES, &device))
    }
}

const TOKENS: usize = 7;
const VOCABULARY: usize = 11;

/// Embedding, attention, layer norms, linear layers and a tied read-out.
impl Subject for Decoder {
    const NAME: &'static str = "decoder";

    fn fresh(device: &Device) -> Self {
        let config = DecoderConfig {
            vocabulary: VOCABULARY,
            context: TOKENS,
            width: 8,
            heads: 2,
            layers: 2,
            hidden: 12,
        };
        let mut random = ChaCha8Rng::seed_from_u64(0);
        filled(Self::new(&config, &mut random, device))
    }

    fn losses(&self) -> Tensor<1> {
        let device = Module::devices(self).remove(0).inner();
        let tokens = classes(EXAMPLES * TOKENS, VOCABULARY, &device);
        let logits = self.forward(tokens.clone().reshape([EXAMPLES, TOKENS]));
        let logits = logits.reshape([EXAMPLES * TOKENS, VOCABULARY]);
        let each = cross_entropy(logits, tokens.flip([0]));
        let each = each.reshape([EXAMPLES, TOKENS]).mean_dim(1);
        each.reshape([EXAMPLES])
    }
}

/// Numbers below `most`, in a fixed order.
fn classes(n: usize, most: usize, device: &Device) -> Tensor<1, Int> {
    let values: Vec<i32> = (0..n).map(|i| ((i * 7 + i / 5) % most) as i32).collect();
    Tensor::from_data(TensorData::new(values, [n]), device)
}

/// Logits `[rows, classes]`, targets `[rows]` → `[rows]`.
fn cross_entropy(logits: Tensor<2>, targets: Tensor<1, Int>) -> Tensor<1> {
    let [rows, _] = logits.dims();
    let right = log_softmax(logits, 1).gather(1, targets.reshape([rows, 1]));
    right.reshape([rows]).neg()
}
