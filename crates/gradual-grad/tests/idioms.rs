//! Modules in every form that Burn has, and what is done with them: exact and verified.

use crate::common::{On, agree, close, device, double, filled, squares, values};
use burn::module::{Lora, Module, ModuleMapper, Param};
use burn::nn::attention::{MultiHeadAttention, MultiHeadAttentionConfig};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{
    BatchNorm, BatchNormConfig, Embedding, EmbeddingConfig, GroupNorm, GroupNormConfig, LayerNorm,
    LayerNormConfig, Linear, LinearConfig, PaddingConfig2d,
};
use burn::tensor::activation::{relu, softmax};
use burn::tensor::{Device, FloatDType, Int, Tensor, TensorData};
use gradual_grad::{
    AttentionInput, Metric, Tap, TiedReadout, Tracer, Views, Warning, Whitening, naive_rows,
    per_example, trace, verify,
};

fn inputs(n: usize) -> Tensor<2> {
    values([n, 3], 11, FloatDType::F64)
}

#[derive(Module, Debug)]
struct Mixture {
    gate: Linear,
    experts: Vec<Linear>,
    extra: Option<Linear>,
    none: Option<Linear>,
    pair: (Linear, LayerNorm),
}

#[test]
fn a_mixture_whose_last_expert_gets_nobody() {
    let linear = |a, b| LinearConfig::new(a, b).init(&device());
    let model = double(filled(Mixture {
        gate: linear(3, 3),
        experts: (0..3).map(|_| linear(3, 4)).collect(),
        extra: Some(linear(4, 4)),
        none: None,
        pair: (linear(4, 4), LayerNormConfig::new(4).init(&device())),
    }));
    let x = inputs(5);
    let losses = |m: &Mixture| {
        let gates = m.gate.tap(x.clone());
        // Nobody takes the last.
        let mut mask = Tensor::<2>::zeros([5, 3], &device()).cast(FloatDType::F64);
        for j in 0..5usize {
            let one = Tensor::<2>::ones([1, 1], &device()).cast(FloatDType::F64);
            mask = mask.slice_assign([j..j + 1, j % 2..j % 2 + 1], one);
        }
        let gates = softmax(gates, 1) * mask;
        let mut y = Tensor::<2>::zeros([5, 4], &device()).cast(FloatDType::F64);
        for (at, expert) in m.experts.iter().enumerate() {
            y = y + expert.tap(x.clone()) * gates.clone().narrow(1, at, 1);
        }
        let y = m
            .extra
            .as_ref()
            .map_or(y.clone(), |extra| extra.tap(y.clone()));
        squares(m.pair.1.tap(m.pair.0.tap(y)))
    };
    agree(&model, losses, 1e-8);
    let verified = verify(&model, losses).expect("right");
    let paths = ["experts.2.weight", "experts.2.bias"]
        .map(str::to_owned)
        .to_vec();
    assert_eq!(verified.warnings, [Warning::Zero { paths }]);
}

#[derive(Module, Debug)]
enum Either {
    One(Linear),
    Other(LayerNorm),
}

#[derive(Module, Debug)]
struct Inner {
    scale: Param<Tensor<1>>,
    bias: Param<Tensor<2>>,
}

#[derive(Module, Debug)]
struct Nested {
    layers: [Either; 2],
    inner: Vec<(Inner, Option<Inner>)>,
}

fn nested() -> Nested {
    let inner = || Inner {
        scale: Param::from_tensor(Tensor::ones([3], &device())),
        bias: Param::from_tensor(Tensor::ones([1, 3], &device())),
    };
    filled(Nested {
        layers: [
            Either::One(LinearConfig::new(3, 3).init(&device())),
            Either::Other(LayerNormConfig::new(3).init(&device())),
        ],
        inner: vec![(inner(), Some(inner())), (inner(), None)],
    })
}

impl Nested {
    fn losses(&self, x: &Tensor<2>) -> Tensor<1> {
        let n = x.dims()[0];
        let mut h = x.clone();
        for layer in &self.layers {
            h = match layer {
                Either::One(linear) => linear.tap(h),
                Either::Other(norm) => norm.tap(h),
            };
        }
        for (a, b) in &self.inner {
            for inner in std::iter::once(a).chain(b) {
                let scale: Tensor<2> = per_example(&inner.scale, n);
                let bias: Tensor<3> = per_example(&inner.bias, n);
                h = (h * scale + bias.reshape([n, 3])).tanh() + 0.1;
            }
        }
        squares(h)
    }
}

#[test]
fn enums_arrays_and_tuples() {
    let model = double(nested());
    let x = inputs(5);
    agree(&model, |m| m.losses(&x), 1e-8);
    verify(&model, |m| m.losses(&x)).expect("right");
}

#[test]
fn one_example_alone() {
    let model = double(nested());
    let x = inputs(1);
    agree(&model, |m| m.losses(&x), 1e-8);
    let verified = verify(&model, |m| m.losses(&x)).expect("right");
    assert!(verified.warnings.is_empty(), "{verified:?}");
}

#[derive(Module, Debug)]
struct Tokens {
    words: Embedding,
    norm: BatchNorm,
    head: Linear,
    scale: Param<Tensor<1>>,
}

fn tokens() -> Tokens {
    let mut model = double(filled(Tokens {
        words: EmbeddingConfig::new(7, 4).init(&device()),
        norm: BatchNormConfig::new(4).init(&device()),
        head: LinearConfig::new(4, 3).init(&device()),
        scale: Param::from_tensor(Tensor::ones([4], &device())),
    }));
    // Evaluation form, gamma and beta trained.
    model.norm = model.norm.freeze().map(&mut Trained);
    model
}

impl Tokens {
    fn encode(&self, words: &Tensor<2, Int>) -> Tensor<2> {
        let [n, t] = words.dims();
        let h = self
            .words
            .tap(words.clone())
            .swap_dims(1, 2)
            .reshape([n, 4, t]);
        let h = self.norm.tap(h).mean_dim(2).reshape([n, 4]);
        self.head.tap(h * per_example::<1, 2>(&self.scale, n))
    }
}

struct Trained;

impl ModuleMapper for Trained {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.set_require_grad(true)
    }
}

#[test]
fn views_of_embeddings_and_fixed_batch_norm() {
    let model = tokens();
    let one = Tensor::<2, Int>::from_ints([[1, 2, 6], [0, 0, 3], [5, 4, 4], [2, 1, 6]], &device());
    let other =
        Tensor::<2, Int>::from_ints([[6, 2, 1], [0, 2, 3], [5, 5, 4], [3, 1, 6]], &device());
    let apart = |m: &Tokens| squares((m.encode(&one) - m.encode(&other)).tanh());
    let reference = naive_rows(&model, apart);
    let apart_traced = agree(&model, apart, 1e-8);
    let stacked = |m: &Tokens| {
        let both = m.encode(&Tensor::cat(vec![one.clone(), other.clone()], 0));
        squares((both.clone().narrow(0, 0, 4) - both.narrow(0, 4, 4)).tanh())
    };
    let tracer = Tracer::default().with_views(Views::stacked(2).expect("two"));
    let traced = tracer.trace(&model, stacked).expect("two rows each");
    close(
        "stacked",
        traced.gradients.rows(),
        reference.clone().inner(),
        1e-8,
    );
    close("gram", traced.gradients.gram(), apart_traced.gram(), 1e-8);
    tracer.verify(&model, stacked).expect("right");
    let adjacent = |m: &Tokens| {
        let both =
            Tensor::<2, Int>::stack::<3>(vec![one.clone(), other.clone()], 1).reshape([8, 3]);
        let both = m.encode(&both).reshape([4, 2, 3]);
        squares(
            (both.clone().narrow(1, 0, 1) - both.narrow(1, 1, 1))
                .reshape([4, 3])
                .tanh(),
        )
    };
    let tracer = Tracer::default().with_views(Views::adjacent(2).expect("two"));
    let traced = tracer.trace(&model, adjacent).expect("two rows each");
    close("adjacent", traced.gradients.rows(), reference.inner(), 1e-8);
    tracer.verify(&model, adjacent).expect("right");
}

#[derive(Module, Debug)]
struct Deep {
    words: Embedding,
    conv: Conv2d,
    group: GroupNorm,
    norm: LayerNorm,
    attention: MultiHeadAttention,
    scale: Param<Tensor<1>>,
}

impl Deep {
    fn losses(&self, words: &Tensor<2, Int>) -> Tensor<1> {
        let [n, t] = words.dims();
        let h = self.words.tap(words.clone());
        let h = self
            .attention
            .tap(AttentionInput::self_attn(self.norm.tap(h.clone())))
            .context
            + h;
        let h = self.conv.tap(h.reshape([n, 1, t, 4]));
        let h = relu(self.group.tap(h) + 0.3);
        let h = h.reshape([n, 2 * t, 4]) * per_example::<1, 2>(&self.scale, n).reshape([n, 1, 4]);
        self.words
            .readout(h)
            .powi_scalar(2)
            .reshape([n, 14 * t])
            .sum_dim(1)
            .reshape([n])
    }
}

#[test]
fn checkpointing_through_every_kind_of_layer() {
    let plain = double(filled(Deep {
        words: EmbeddingConfig::new(7, 4).init(&device()),
        conv: Conv2dConfig::new([1, 2], [3, 3])
            .with_padding(PaddingConfig2d::Same)
            .init(&device()),
        group: GroupNormConfig::new(2, 2).init(&device()),
        norm: LayerNormConfig::new(4).init(&device()),
        attention: MultiHeadAttentionConfig::new(4, 2)
            .with_dropout(0.0)
            .init(&device()),
        scale: Param::from_tensor(Tensor::ones([4], &device())),
    }));
    let data = TensorData::new(vec![1i64, 2, 6, 0, 0, 3, 5, 4, 4], [3, 3]);
    let words = Tensor::<2, Int>::from_data(data.clone(), &device());
    let reference = agree(&plain, |m| m.losses(&words), 1e-7);
    verify(&plain, |m| m.losses(&words)).expect("right");
    let checkpointing = Device::flex().autodiff().gradient_checkpointing();
    let model = plain.map(&mut On(checkpointing.clone()));
    let words = Tensor::<2, Int>::from_data(data, &checkpointing);
    let traced = trace(&model, |m| m.losses(&words)).expect("covered");
    close("rows", traced.gradients.rows(), reference.rows(), 1e-9);
    verify(&model, |m| m.losses(&words)).expect("right");
}

#[derive(Module, Debug)]
struct Sharing {
    one: Linear,
    other: Linear,
    norms: [LayerNorm; 2],
}

impl Sharing {
    fn losses(&self, x: &Tensor<2>) -> Tensor<1> {
        let h = self.norms[0].tap(self.one.tap(x.clone())).tanh();
        squares(self.norms[1].tap(self.other.tap(h)))
    }
}

/// Layers that share a weight or a bias alone.
#[test]
fn layers_that_share_a_part() {
    let model = double(filled(Sharing {
        one: LinearConfig::new(3, 3).init(&device()),
        other: LinearConfig::new(3, 3).init(&device()),
        norms: [0, 1].map(|_| LayerNormConfig::new(3).init(&device())),
    }));
    let x = inputs(5);
    let mut weight = model.clone();
    weight.other.weight = weight.one.weight.clone();
    let mut bias = model.clone();
    bias.other.bias = bias.one.bias.clone();
    let mut gamma = model.clone();
    gamma.norms[1].gamma = gamma.norms[0].gamma.clone();
    // The very bias of a layer as the beta of a norm.
    let mut across = model.clone();
    across.norms[1].beta = across.one.bias.clone();
    let mut none = weight.clone();
    none.other.bias = None;
    for (at, model) in [weight, bias, gamma, across, none].iter().enumerate() {
        let g = agree(model, |m| m.losses(&x), 1e-8);
        let verified = verify(model, |m| m.losses(&x)).expect("right");
        assert_eq!(verified.warnings.len(), 1, "{at}: {verified:?}");
        for whitening in [
            Whitening::None,
            Whitening::Coordinates,
            Whitening::Kronecker { damping: 0.1 },
        ] {
            let mut metric = Metric::whitened().with_whitening(whitening);
            metric.observe(&g).expect("finite");
            let scaled = metric.apply(&g).expect("observed");
            let rows = scaled.rows();
            close(
                "metric",
                scaled.gram(),
                rows.clone().matmul(rows.transpose()),
                1e-8,
            );
        }
    }
}

/// Clones that were adapted have adapters of their own.
#[test]
fn adapted_clones() {
    #[derive(Module, Debug)]
    struct Blocks {
        blocks: Vec<Linear>,
    }
    let block: Linear = double(filled(LinearConfig::new(3, 3).init(&device())));
    let x = inputs(5);
    let losses = |m: &Blocks| {
        squares(
            m.blocks
                .iter()
                .fold(x.clone(), |h, block| block.tap(h).tanh() + 0.1),
        )
    };
    let after = Blocks {
        blocks: vec![block.clone(); 3],
    }
    .apply_lora(Lora::new(2, 3.0));
    assert_eq!(agree(&after, losses, 1e-8).paths().count(), 6);
    let verified = verify(&after, losses).expect("right");
    assert!(matches!(
        verified.warnings.as_slice(),
        [Warning::Zero { .. }]
    ));
    let before = Blocks {
        blocks: vec![block.apply_lora(Lora::new(2, 3.0)); 3],
    };
    assert_eq!(agree(&before, losses, 1e-8).paths().count(), 2);
    let verified = verify(&before, losses).expect("right");
    assert!(matches!(
        verified.warnings.as_slice(),
        [
            Warning::Shared { .. },
            Warning::Shared { .. },
            Warning::Zero { .. }
        ]
    ));
}
