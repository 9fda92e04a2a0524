//! The models that are timed; the peers' script has the same.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use anyhow::bail;
use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Distribution, Int, Tensor, TensorData};
use gradual::grad::Tap;
use gradual::ops::log_likelihoods;
use gradual_tasks::{Decoder, DecoderConfig, Mlp};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// Widest hidden layers of an MLP.
pub(crate) const MOST_WIDTH: u64 = 16_384;

/// Which model. Its name is `mlp`, `convnet`, `decoder`, `decoder-50257`, `decoder-100m`, or `mlp-W` for an MLP of another width.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(crate) enum Kind {
    /// [`INPUTS`] → width → width → [`CLASSES`].
    Mlp { width: usize },
    /// Two strided convolutions and a linear layer on 1×28×28.
    ConvNet,
    /// Two blocks of width 128 on 64 tokens of 256, tied read-out.
    Decoder,
    /// The same on as many tokens as GPT-2 has.
    WideDecoder,
    /// Twelve blocks of width 768 on 256 tokens of 16 384, tied read-out: 98 million parameters, for a GPU.
    LargeDecoder,
}

/// Inputs of the MLP.
const INPUTS: usize = 64;
/// Classes of the MLP.
const CLASSES: usize = 32;
/// Width of the MLP called `mlp`.
pub(crate) const WIDTH: usize = 512;

/// The widths of the MLP's layers, from inputs to classes.
pub(crate) fn mlp_widths(width: usize) -> [usize; 4] {
    [INPUTS, width, width, CLASSES]
}

impl Kind {
    /// Those that are timed by default.
    pub(crate) const ALL: [Self; 3] = [Self::Mlp { width: WIDTH }, Self::ConvNet, Self::Decoder];

    /// Draws that are timed by default.
    pub(crate) fn draws(self) -> &'static [usize] {
        match self {
            Self::LargeDecoder => &[256],
            Self::Decoder | Self::WideDecoder => &[16, 64],
            _ => &[32, 128, 512, 1024],
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mlp { width: WIDTH } => f.write_str("mlp"),
            Self::Mlp { width } => write!(f, "mlp-{width}"),
            Self::ConvNet => f.write_str("convnet"),
            Self::Decoder => f.write_str("decoder"),
            Self::WideDecoder => f.write_str("decoder-50257"),
            Self::LargeDecoder => f.write_str("decoder-100m"),
        }
    }
}

impl FromStr for Kind {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> anyhow::Result<Self> {
        if let Some(kind) = Self::ALL.iter().find(|kind| kind.to_string() == name) {
            return Ok(*kind);
        }
        let asked_for = [Self::WideDecoder, Self::LargeDecoder];
        if let Some(kind) = asked_for.iter().find(|kind| kind.to_string() == name) {
            return Ok(*kind);
        }
        let width = name.strip_prefix("mlp-").map(str::parse::<u64>);
        match width {
            Some(Ok(width @ 1..=MOST_WIDTH)) => Ok(Self::Mlp {
                width: width as usize,
            }),
            Some(Ok(width)) => {
                bail!("mlp-{width}: a width is a whole number from 1 to {MOST_WIDTH}")
            }
            _ => bail!(
                "there is no model '{name}'; there are mlp, mlp-WIDTH, convnet, decoder, decoder-50257, decoder-100m"
            ),
        }
    }
}

impl From<Kind> for String {
    fn from(kind: Kind) -> Self {
        kind.to_string()
    }
}

impl TryFrom<String> for Kind {
    type Error = anyhow::Error;

    fn try_from(name: String) -> anyhow::Result<Self> {
        name.parse()
    }
}

/// Sizes of the decoder that is called `decoder`.
pub(crate) const DECODER: DecoderConfig = DecoderConfig {
    vocabulary: 256,
    context: 64,
    width: 128,
    heads: 4,
    layers: 2,
    hidden: 512,
};

/// Sizes of `decoder-50257`.
pub(crate) const WIDE_DECODER: DecoderConfig = DecoderConfig {
    vocabulary: 50_257,
    ..DECODER
};

/// Sizes of `decoder-100m`.
pub(crate) const LARGE_DECODER: DecoderConfig = DecoderConfig {
    vocabulary: 16_384,
    context: 256,
    width: 768,
    heads: 12,
    layers: 12,
    hidden: 3072,
};

/// A model with its draw.
pub(crate) trait Model: Module {
    /// What of its size can be chosen.
    type Size;
    /// Inputs and targets.
    type Draw;
    fn fresh(size: &Self::Size, device: &Device) -> Self;
    fn draw(size: &Self::Size, n: usize, device: &Device) -> Self::Draw;
    fn losses(&self, draw: &Self::Draw) -> Tensor<1>;
    /// Some examples of a draw.
    fn part(draw: &Self::Draw, examples: Range<usize>) -> Self::Draw;
}

/// Some rows of a tensor.
fn rows<const D: usize>(tensor: &Tensor<D>, rows: &Range<usize>) -> Tensor<D> {
    tensor.clone().narrow(0, rows.start, rows.len())
}

fn whole_rows<const D: usize>(tensor: &Tensor<D, Int>, rows: &Range<usize>) -> Tensor<D, Int> {
    tensor.clone().narrow(0, rows.start, rows.len())
}

/// Cross-entropy of every row: logits `[rows, classes]`, targets `[rows]`.
fn cross_entropy(logits: Tensor<2>, targets: &Tensor<1, Int>) -> Tensor<1> {
    log_likelihoods(logits, targets.clone()).neg()
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
    /// Width of the hidden layers.
    type Size = usize;
    type Draw = (Tensor<2>, Tensor<1, Int>);

    fn fresh(width: &usize, device: &Device) -> Self {
        Mlp::new(&mlp_widths(*width), &mut random(), device)
    }

    fn draw(_: &usize, n: usize, device: &Device) -> Self::Draw {
        let inputs = Tensor::random([n, INPUTS], Distribution::Normal(0.0, 1.0), device);
        (inputs, classes(n, CLASSES, device))
    }

    fn losses(&self, (inputs, targets): &Self::Draw) -> Tensor<1> {
        cross_entropy(self.forward(inputs.clone()), targets)
    }

    fn part((inputs, targets): &Self::Draw, examples: Range<usize>) -> Self::Draw {
        (rows(inputs, &examples), whole_rows(targets, &examples))
    }
}

#[derive(Module, Debug)]
pub(crate) struct ConvNet {
    conv1: Conv2d,
    conv2: Conv2d,
    readout: Linear,
}

impl Model for ConvNet {
    type Size = ();
    type Draw = (Tensor<4>, Tensor<1, Int>);

    fn fresh((): &(), device: &Device) -> Self {
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

    fn draw((): &(), n: usize, device: &Device) -> Self::Draw {
        let inputs = Tensor::random([n, 1, 28, 28], Distribution::Normal(0.0, 1.0), device);
        (inputs, classes(n, 10, device))
    }

    fn losses(&self, (inputs, targets): &Self::Draw) -> Tensor<1> {
        let x = relu(self.conv1.tap(inputs.clone()));
        let x = relu(self.conv2.tap(x));
        let n = x.dims()[0];
        cross_entropy(self.readout.tap(x.reshape([n, 32 * 7 * 7])), targets)
    }

    fn part((inputs, targets): &Self::Draw, examples: Range<usize>) -> Self::Draw {
        (rows(inputs, &examples), whole_rows(targets, &examples))
    }
}

impl Model for Decoder {
    type Size = DecoderConfig;
    type Draw = (Tensor<2, Int>, Tensor<1, Int>);

    fn fresh(config: &DecoderConfig, device: &Device) -> Self {
        Decoder::new(config, &mut random(), device)
    }

    fn draw(config: &DecoderConfig, n: usize, device: &Device) -> Self::Draw {
        let (t, v) = (config.context, config.vocabulary);
        let tokens = classes(n * (t + 1), v, device).reshape([n, t + 1]);
        let targets = tokens.clone().narrow(1, 1, t).reshape([n * t]);
        (tokens.narrow(1, 0, t), targets)
    }

    fn losses(&self, (tokens, targets): &Self::Draw) -> Tensor<1> {
        let logits = self.forward(tokens.clone());
        let [n, t, v] = logits.dims();
        let each = cross_entropy(logits.reshape([n * t, v]), targets);
        each.reshape([n, t]).mean_dim(1).reshape([n])
    }

    fn part((tokens, targets): &Self::Draw, examples: Range<usize>) -> Self::Draw {
        let t = tokens.dims()[1];
        let positions = examples.start * t..examples.end * t;
        (
            whole_rows(tokens, &examples),
            whole_rows(targets, &positions),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_kinds_are_one_to_one() {
        for (name, kind) in [
            ("mlp", Kind::Mlp { width: 512 }),
            ("mlp-1024", Kind::Mlp { width: 1024 }),
            ("convnet", Kind::ConvNet),
            ("decoder", Kind::Decoder),
            ("decoder-50257", Kind::WideDecoder),
            ("decoder-100m", Kind::LargeDecoder),
        ] {
            assert_eq!(kind.to_string(), name);
            assert_eq!(name.parse::<Kind>().unwrap(), kind);
        }
        for unknown in ["mlp-", "mlp-x", "resnet", ""] {
            let error = unknown.parse::<Kind>().unwrap_err().to_string();
            assert!(error.contains(&format!("'{unknown}'")), "{error}");
        }
        for wide in ["mlp-0", "mlp-1000000"] {
            let error = wide.parse::<Kind>().unwrap_err().to_string();
            assert!(
                error.starts_with(wide) && error.contains("from 1 to 16384"),
                "{error}"
            );
        }
    }
}
