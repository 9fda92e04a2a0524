//! The models that are timed; the peers' script has the same.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::activation::{log_softmax, relu};
use burn::tensor::{Device, Distribution, Int, Tensor, TensorData};
use gradual::grad::Tap;
use gradual_tasks::{Decoder, DecoderConfig, Mlp};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// Which model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    /// 64 → 512 → 512 → 32.
    Mlp,
    /// Two strided convolutions and a linear layer on 1×28×28.
    ConvNet,
    /// Two blocks of width 128 on 64 tokens of 256, tied read-out.
    Decoder,
}

impl Kind {
    pub(super) const ALL: [Self; 3] = [Self::Mlp, Self::ConvNet, Self::Decoder];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Mlp => "mlp",
            Self::ConvNet => "convnet",
            Self::Decoder => "decoder",
        }
    }

    /// Draws that are timed by default.
    pub(super) fn draws(self) -> &'static [usize] {
        match self {
            Self::Decoder => &[16, 64],
            _ => &[32, 128, 512, 1024],
        }
    }
}

/// A model with its draw.
pub(super) trait Model: Module {
    /// Inputs and targets.
    type Draw;
    fn fresh(device: &Device) -> Self;
    fn draw(n: usize, device: &Device) -> Self::Draw;
    fn losses(&self, draw: &Self::Draw) -> Tensor<1>;
}

/// Cross-entropy of every row: logits `[rows, classes]`, targets `[rows]`.
fn cross_entropy(logits: Tensor<2>, targets: &Tensor<1, Int>) -> Tensor<1> {
    let [rows, _] = logits.dims();
    log_softmax(logits, 1)
        .gather(1, targets.clone().reshape([rows, 1]))
        .reshape([rows])
        .neg()
}

/// Numbers below `most`, in a fixed order.
fn classes(n: usize, most: usize, device: &Device) -> Tensor<1, Int> {
    let values: Vec<i32> = (0..n).map(|i| ((i * 7 + i / 5) % most) as i32).collect();
    Tensor::from_data(TensorData::new(values, [n]), device)
}

fn random() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(0)
}

impl Model for Mlp {
    type Draw = (Tensor<2>, Tensor<1, Int>);

    fn fresh(device: &Device) -> Self {
        Mlp::new(&[64, 512, 512, 32], &mut random(), device)
    }

    fn draw(n: usize, device: &Device) -> Self::Draw {
        let inputs = Tensor::random([n, 64], Distribution::Normal(0.0, 1.0), device);
        (inputs, classes(n, 32, device))
    }

    fn losses(&self, (inputs, targets): &Self::Draw) -> Tensor<1> {
        cross_entropy(self.forward(inputs.clone()), targets)
    }
}

#[derive(Module, Debug)]
pub(super) struct ConvNet {
    conv1: Conv2d,
    conv2: Conv2d,
    readout: Linear,
}

impl Model for ConvNet {
    type Draw = (Tensor<4>, Tensor<1, Int>);

    fn fresh(device: &Device) -> Self {
        let conv = |channels| {
            let config = Conv2dConfig::new(channels, [3, 3]).with_stride([2, 2]);
            config
                .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
                .init(device)
        };
        Self {
            conv1: conv([1, 16]),
            conv2: conv([16, 32]),
            readout: LinearConfig::new(32 * 7 * 7, 10).init(device),
        }
    }

    fn draw(n: usize, device: &Device) -> Self::Draw {
        let inputs = Tensor::random([n, 1, 28, 28], Distribution::Normal(0.0, 1.0), device);
        (inputs, classes(n, 10, device))
    }

    fn losses(&self, (inputs, targets): &Self::Draw) -> Tensor<1> {
        let x = relu(self.conv1.tap(inputs.clone()));
        let x = relu(self.conv2.tap(x));
        let n = x.dims()[0];
        cross_entropy(self.readout.tap(x.reshape([n, 32 * 7 * 7])), targets)
    }
}

impl Model for Decoder {
    type Draw = (Tensor<2, Int>, Tensor<1, Int>);

    fn fresh(device: &Device) -> Self {
        let config = DecoderConfig {
            vocabulary: 256,
            context: 64,
            width: 128,
            heads: 4,
            layers: 2,
            hidden: 512,
        };
        Decoder::new(&config, &mut random(), device)
    }

    fn draw(n: usize, device: &Device) -> Self::Draw {
        let tokens = classes(n * 65, 256, device).reshape([n, 65]);
        let targets = tokens.clone().narrow(1, 1, 64).reshape([n * 64]);
        (tokens.narrow(1, 0, 64), targets)
    }

    fn losses(&self, (tokens, targets): &Self::Draw) -> Tensor<1> {
        let logits = self.forward(tokens.clone());
        let [n, t, v] = logits.dims();
        let each = cross_entropy(logits.reshape([n * t, v]), targets);
        each.reshape([n, t]).mean_dim(1).reshape([n])
    }
}
