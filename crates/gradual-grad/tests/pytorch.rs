//! The same numbers as PyTorch: losses, Gram matrices, norms and weighted gradients of an MLP, a
//! convolutional net and a decoder with tied embeddings, written by `bench/fixtures.py` with
//! `torch.func` in double precision.

mod common;

use std::path::{Path, PathBuf};

use burn::module::{Module, Param};
use burn::nn::attention::{MultiHeadAttention, MultiHeadAttentionConfig};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{
    Embedding, EmbeddingConfig, LayerNorm, LayerNormConfig, Linear, LinearConfig, PaddingConfig2d,
};
use burn::tensor::activation::{log_softmax, relu};
use burn::tensor::{Bool, Int, Tensor, TensorData};
use burn_store::{ModuleStore, SafetensorsStore, bridge::to_data};
use common::{close, device, flatten};
use gradual_grad::{AttentionInput, Tap, TiedReadout, per_example, trace};

/// A file of named tensors.
struct Fixture(PathBuf);

impl Fixture {
    fn open(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
        Self(folder.join(format!("{name}.safetensors")))
    }

    fn store(&self) -> SafetensorsStore {
        SafetensorsStore::from_file(&self.0)
    }

    fn data(&self, name: &str) -> TensorData {
        let mut store = self.store();
        let tensor = store.get_tensor(name).expect("a safetensors file");
        let tensor = tensor.unwrap_or_else(|| panic!("{name} is missing"));
        to_data(tensor).expect("numbers")
    }

    fn floats<const D: usize>(&self, name: &str) -> Tensor<D> {
        Tensor::from_data(self.data(name), &device())
    }

    fn integers<const D: usize>(&self, name: &str) -> Tensor<D, Int> {
        Tensor::from_data(self.data(name), &device())
    }

    /// The model with the weights of the file.
    fn load<M: Module>(&self, mut model: M) -> M {
        let loaded = self.store().apply_to(&mut model).expect("weights that fit");
        assert!(loaded.missing.is_empty(), "{:?}", loaded.missing);
        model
    }

    /// Everything that the file holds of the model against ours.
    fn check<M: Module>(&self, model: M, losses: impl Fn(&M) -> Tensor<1>) {
        let model = self.load(model);
        let traced = trace(&model, losses).expect("the model is covered");
        close("losses", traced.losses, self.floats("losses"), 1e-4);
        close("gram", traced.gradients.gram(), self.floats("gram"), 1e-4);
        close(
            "norms",
            traced.gradients.norms(),
            self.floats("norms"),
            1e-4,
        );
        let coefficients = self.floats::<1>("coefficients");
        let update = traced
            .gradients
            .combine(&coefficients)
            .expect("one coefficient per example");
        let paths: Vec<String> = traced.gradients.paths().map(str::to_owned).collect();
        let expected = paths.iter().map(|path| {
            let values: Vec<f32> = self
                .data(&format!("update.{path}"))
                .try_to_vec()
                .expect("f32");
            Tensor::<1>::from_floats(values.as_slice(), &device())
        });
        close(
            "update",
            flatten(&model, &update),
            Tensor::cat(expected.collect(), 0),
            1e-4,
        );
        let largest = common::numbers(self.floats::<2>("gram"))
            .into_iter()
            .fold(0.0, f64::max);
        for (path, gram) in traced.gradients.per_parameter() {
            // Against the whole Gram matrix: the gradient of a key's bias is zero but for rounding.
            let off = common::numbers(gram - self.floats(&format!("gram.{path}")));
            assert!(
                off.iter().all(|off| off.abs() < 1e-4 * largest),
                "gram.{path}: {off:?}"
            );
        }
    }
}

/// Cross-entropy at every position: `[rows, classes]` and `[rows]` to `[rows]`.
fn cross_entropy(logits: Tensor<2>, targets: Tensor<1, Int>) -> Tensor<1> {
    let [rows, _] = logits.dims();
    log_softmax(logits, 1)
        .gather(1, targets.reshape([rows, 1]))
        .reshape([rows])
        .neg()
}

#[derive(Module, Debug)]
struct Mlp {
    layers: Vec<Linear>,
}

#[test]
fn mlp() {
    let fixture = Fixture::open("mlp");
    let widths = [6, 16, 12, 5];
    let layers = widths
        .windows(2)
        .map(|pair| LinearConfig::new(pair[0], pair[1]).init(&device()));
    fixture.check(
        Mlp {
            layers: layers.collect(),
        },
        |m| {
            let first = m.layers[0].tap(fixture.floats::<2>("inputs"));
            let logits = m.layers[1..]
                .iter()
                .fold(first, |x, layer| layer.tap(relu(x)));
            cross_entropy(logits, fixture.integers("targets"))
        },
    );
}

#[derive(Module, Debug)]
struct ConvNet {
    conv1: Conv2d,
    conv2: Conv2d,
    readout: Linear,
}

#[test]
fn convnet() {
    let fixture = Fixture::open("convnet");
    let conv = |channels, stride| {
        let config = Conv2dConfig::new(channels, [3, 3]).with_stride([stride, stride]);
        config
            .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
            .init(&device())
    };
    let model = ConvNet {
        conv1: conv([1, 4], 1),
        conv2: conv([4, 6], 2),
        readout: LinearConfig::new(216, 5).init(&device()),
    };
    fixture.check(model, |m| {
        let x = relu(m.conv1.tap(fixture.floats::<4>("inputs")));
        let x = relu(m.conv2.tap(x));
        cross_entropy(
            m.readout.tap(x.reshape([6, 216])),
            fixture.integers("targets"),
        )
    });
}

#[derive(Module, Debug)]
struct Block {
    norm1: LayerNorm,
    attention: MultiHeadAttention,
    norm2: LayerNorm,
    up: Linear,
    down: Linear,
}

#[derive(Module, Debug)]
struct Decoder {
    embedding: Embedding,
    positions: Param<Tensor<2>>,
    blocks: Vec<Block>,
    norm: LayerNorm,
}

#[test]
fn decoder_with_tied_embedding() {
    let fixture = Fixture::open("decoder");
    let device = device();
    let (n, t, width) = (6, 10, 16);
    let norm = || LayerNormConfig::new(width).init(&device);
    let block = |_| Block {
        norm1: norm(),
        attention: MultiHeadAttentionConfig::new(width, 2)
            .with_dropout(0.0)
            .init(&device),
        norm2: norm(),
        up: LinearConfig::new(width, 32).init(&device),
        down: LinearConfig::new(32, width).init(&device),
    };
    let model = Decoder {
        embedding: EmbeddingConfig::new(20, width).init(&device),
        positions: Param::from_tensor(Tensor::zeros([t, width], &device)),
        blocks: (0..2).map(block).collect(),
        norm: norm(),
    };
    let future: Vec<bool> = (0..n * t * t).map(|i| i % t > (i / t) % t).collect();
    let future = Tensor::<3, Bool>::from_data(TensorData::new(future, [n, t, t]), &device);
    fixture.check(model, |m| {
        let tokens = fixture.integers::<2>("inputs");
        let mut x = m.embedding.tap(tokens) + per_example::<2, 3>(&m.positions, n);
        for block in &m.blocks {
            let input = AttentionInput::self_attn(block.norm1.tap(x.clone()));
            x = x + block.attention.tap(input.mask_attn(future.clone())).context;
            let hidden = relu(block.up.tap(block.norm2.tap(x.clone())));
            x = x + block.down.tap(hidden);
        }
        let logits: Tensor<3> = m.embedding.readout(m.norm.tap(x));
        let targets = fixture.integers::<2>("targets").reshape([n * t]);
        let each = cross_entropy(logits.reshape([n * t, 20]), targets).reshape([n, t]);
        let mask = fixture.floats::<2>("mask");
        ((each * mask.clone()).sum_dim(1) / mask.sum_dim(1)).reshape([n])
    });
}
