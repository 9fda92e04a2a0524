//! Adversarial cases.

mod common;

use burn::module::{Lora, Module, ModuleMapper, Param};
use burn::nn::attention::{MultiHeadAttention, MultiHeadAttentionConfig};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{
    BatchNorm, BatchNormConfig, Embedding, EmbeddingConfig, GroupNorm, GroupNormConfig, LayerNorm,
    LayerNormConfig, Linear, LinearConfig, PaddingConfig2d,
};
use burn::tensor::activation::{log_softmax, relu, softmax};
use burn::tensor::{DType, Device, FloatDType, Int, Tensor, TensorData};
use common::{agree, cast, close, device, double, filled, squares, values};
use gradual_grad::{AttentionInput, Tap, TiedReadout, Tracer, Views, naive_rows, per_example, trace, verify};

fn inputs(n: usize) -> Tensor<2> {
    values([n, 3], 11, FloatDType::F64)
}

#[test]
fn contrastive_with_detached_negatives() {
    let model: Linear = double(filled(LinearConfig::new(3, 4).init(&device())));
    let x = inputs(6);
    let losses = |m: &Linear| {
        let h = m.tap(x.clone());
        let scores = h.clone().matmul(h.clone().detach().transpose());
        let eye = Tensor::<2>::eye(6, &device()).cast(FloatDType::F64);
        (log_softmax(scores, 1) * eye).sum_dim(1).neg().reshape([6])
    };
    agree(&model, losses, 1e-9);
    verify(&model, losses).expect("right");
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
        let y = m.extra.as_ref().map_or(y.clone(), |extra| extra.tap(y.clone()));
        squares(m.pair.1.tap(m.pair.0.tap(y)))
    };
    agree(&model, losses, 1e-8);
    let verified = verify(&model, losses).expect("right");
    assert!(format!("{:?}", verified.warnings).contains("experts.2.weight"), "{verified:?}");
}

#[derive(Module, Debug)]
struct SelfTaught {
    student: Linear,
    head: Linear,
    #[module(skip)]
    teacher: Option<Box<Linear>>,
}

#[test]
fn a_teacher_that_is_skipped() {
    struct Alter;
    impl ModuleMapper for Alter {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            param.map(|tensor| (tensor.inner() * 1.3 + 0.05).autodiff().require_grad())
        }
    }
    let student: Linear = double(filled(LinearConfig::new(3, 4).init(&device())));
    let head: Linear = double(filled(LinearConfig::new(4, 4).init(&device())));
    let x = inputs(6);
    let losses = |m: &SelfTaught| {
        let t = m.teacher.as_ref().expect("one").tap(x.clone());
        squares(m.head.tap(m.student.tap(x.clone())) - t)
    };
    for teacher in [
        student.clone().map(&mut Alter),
        student.clone().map(&mut Alter).no_grad(),
        student.clone().valid(),
    ] {
        let model = SelfTaught {
            student: student.clone(),
            head: head.clone(),
            teacher: Some(Box::new(teacher)),
        };
        agree(&model, losses, 1e-9);
        verify(&model, losses).expect("right");
    }
    // Burn's own pass would reach the very leaf: an error, not another gradient.
    let model = SelfTaught {
        student: student.clone(),
        head,
        teacher: Some(Box::new(student)),
    };
    assert!(trace(&model, losses).is_err());
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

/// Adapters everywhere: in attention, on a learned position table, beside a convolution.
#[derive(Module, Debug)]
struct Vision {
    patch: Conv2d,
    positions: Param<Tensor<2>>,
    attention: MultiHeadAttention,
    head: Linear,
}

fn vision() -> Vision {
    filled(Vision {
        patch: Conv2dConfig::new([1, 4], [2, 2]).with_stride([2, 2]).init(&device()),
        positions: Param::from_tensor(Tensor::zeros([4, 4], &device())),
        attention: MultiHeadAttentionConfig::new(4, 2).with_dropout(0.0).init(&device()),
        head: LinearConfig::new(4, 3).init(&device()),
    })
}

impl Vision {
    fn losses(&self, x: &Tensor<4>) -> Tensor<1> {
        let n = x.dims()[0];
        let y = self.patch.tap(x.clone()).reshape([n, 4, 4]).swap_dims(1, 2);
        let y = y + per_example::<2, 3>(&self.positions, n);
        let y = y.clone() + self.attention.tap(AttentionInput::self_attn(y)).context;
        squares(self.head.tap(y))
    }
}

struct Moved(u64, FloatDType);
impl ModuleMapper for Moved {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        self.0 += 1;
        let active = param.is_require_grad();
        let (seed, to) = (self.0, self.1);
        let moved = param.map(|tensor| {
            (values(tensor.dims(), seed, to) * 0.5).inner().autodiff()
        });
        moved.set_require_grad(active)
    }
}

#[test]
fn adapters_in_attention_and_positions() {
    let x = values([3, 1, 4, 4], 5, FloatDType::F64);
    let model = vision().apply_lora(Lora::new(2, 3.0)).map(&mut Moved(0, FloatDType::F64));
    let traced = trace(&model, |m| m.losses(&x));
    println!("positions adapted: {:?}", traced.as_ref().err().map(ToString::to_string));
    let gradients = agree(&model, |m| m.losses(&x), 1e-8);
    println!("{:?}", gradients.paths().collect::<Vec<_>>());
    verify(&model, |m| m.losses(&x)).expect("right");
}

#[test]
fn adapters_in_attention() {
    let x = values([3, 5, 4], 5, FloatDType::F64);
    let model: MultiHeadAttention = filled(MultiHeadAttentionConfig::new(4, 2).with_dropout(0.0).init(&device()));
    let model = model.apply_lora(Lora::new(2, 3.0)).map(&mut Moved(0, FloatDType::F64));
    let losses = |m: &MultiHeadAttention| squares(m.tap(AttentionInput::self_attn(x.clone())).context);
    let gradients = agree(&model, losses, 1e-8);
    println!("{:?}", gradients.paths().collect::<Vec<_>>());
    verify(&model, losses).expect("right");
}

#[test]
fn adapters_in_half_precision() {
    for to in [FloatDType::F16, FloatDType::BF16] {
        let model: Linear = filled(LinearConfig::new(3, 4).init(&device()));
        let model = model.apply_lora(Lora::new(2, 3.0)).map(&mut Moved(0, to));
        let x = inputs(5).cast(to);
        let losses = |m: &Linear| squares(m.tap(x.clone()).cast(FloatDType::F32));
        let rows = trace(&model, losses).expect("covered").gradients.rows();
        let naive = naive_rows(&model, losses);
        println!("{:?} {:?}", rows.dtype(), naive.dtype());
        close("rows", rows.cast(DType::F64), naive.cast(DType::F64), 5e-2);
        verify(&model, losses).expect("right");
    }
}

#[test]
fn quantized_adapters() {
    use burn::module::{QLora, Quantizer};
    use burn::tensor::quantization::{Calibration, QuantScheme};
    let model: Linear = filled(LinearConfig::new(8, 8).with_bias(false).init(&device()));
    let x = values([5, 8], 3, FloatDType::F32);
    let quantizer = Quantizer::new(Calibration::MinMax, QuantScheme::default());
    let model = model.apply_qlora(QLora::new(Lora::new(2, 3.0), quantizer));
    let losses = |m: &Linear| squares(m.tap(x.clone()));
    match trace(&model, losses) {
        Ok(traced) => close("rows", traced.gradients.rows(), naive_rows(&model, losses), 1e-4),
        Err(error) => println!("qlora: {error}"),
    }
}

#[derive(Module, Debug)]
struct Tokens {
    words: Embedding,
    norm: BatchNorm,
    head: Linear,
    scale: Param<Tensor<1>>,
}

fn tokens() -> Tokens {
    double(filled(Tokens {
        words: EmbeddingConfig::new(7, 4).init(&device()),
        norm: BatchNormConfig::new(4).init(&device()),
        head: LinearConfig::new(4, 3).init(&device()),
        scale: Param::from_tensor(Tensor::ones([4], &device())),
    }))
    .freeze_norm()
}

impl Tokens {
    fn freeze_norm(mut self) -> Self {
        let device = device();
        let norm = self.norm.clone().freeze();
        // Evaluation form, gamma and beta trained.
        self.norm = norm.set_grad();
        let _ = device;
        self
    }

    fn encode(&self, words: &Tensor<2, Int>) -> Tensor<2> {
        let [n, t] = words.dims();
        let h = self.words.tap(words.clone()).swap_dims(1, 2).reshape([n, 4, t]);
        let h = self.norm.tap(h).mean_dim(2).reshape([n, 4]);
        self.head.tap(h * per_example::<1, 2>(&self.scale, n))
    }
}

trait SetGrad {
    fn set_grad(self) -> Self;
}
impl SetGrad for BatchNorm {
    fn set_grad(self) -> Self {
        struct Track;
        impl ModuleMapper for Track {
            fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
                param.set_require_grad(true)
            }
        }
        self.map(&mut Track)
    }
}

#[test]
fn views_of_embeddings_and_fixed_batch_norm() {
    let model = tokens();
    let one = Tensor::<2, Int>::from_ints([[1, 2, 6], [0, 0, 3], [5, 4, 4], [2, 1, 6]], &device());
    let other = Tensor::<2, Int>::from_ints([[6, 2, 1], [0, 2, 3], [5, 5, 4], [3, 1, 6]], &device());
    let apart = |m: &Tokens| squares((m.encode(&one) - m.encode(&other)).tanh());
    let reference = naive_rows(&model, apart);
    let apart_traced = agree(&model, apart, 1e-8);
    let stacked = |m: &Tokens| {
        let both = m.encode(&Tensor::cat(vec![one.clone(), other.clone()], 0));
        squares((both.clone().narrow(0, 0, 4) - both.narrow(0, 4, 4)).tanh())
    };
    let tracer = Tracer::default().with_views(Views::stacked(2).expect("two"));
    let traced = tracer.trace(&model, stacked).expect("two rows each");
    close("stacked", traced.gradients.rows(), reference.clone().inner(), 1e-8);
    close("gram", traced.gradients.gram(), apart_traced.gram(), 1e-8);
    tracer.verify(&model, stacked).expect("right");
    let adjacent = |m: &Tokens| {
        let both = Tensor::<2, Int>::stack::<3>(vec![one.clone(), other.clone()], 1).reshape([8, 3]);
        let both = m.encode(&both).reshape([4, 2, 3]);
        squares((both.clone().narrow(1, 0, 1) - both.narrow(1, 1, 1)).reshape([4, 3]).tanh())
    };
    let tracer = Tracer::default().with_views(Views::adjacent(2).expect("two"));
    let traced = tracer.trace(&model, adjacent).expect("two rows each");
    close("adjacent", traced.gradients.rows(), reference.inner(), 1e-8);
    tracer.verify(&model, adjacent).expect("right");
}

#[test]
fn a_frozen_look_up_with_a_trained_readout() {
    let embedding: Embedding = double(filled(EmbeddingConfig::new(7, 4).init(&device())));
    let words = Tensor::<2, Int>::from_ints([[1, 2, 6], [0, 0, 3], [5, 4, 4]], &device());
    for which in 0..2 {
        let losses = |m: &Embedding| {
            let h = match which {
                0 => m.forward(words.clone()).detach(),
                _ => m.clone().no_grad().tap(words.clone()),
            };
            squares(m.readout(h.tanh()))
        };
        agree(&embedding, losses, 1e-9);
        verify(&embedding, losses).expect("right");
    }
    // The whole table frozen, its read-out through another layer.
    #[derive(Module, Debug)]
    struct Frozen {
        table: Embedding,
        layer: Linear,
    }
    let model = Frozen {
        table: embedding.no_grad(),
        layer: double(filled(LinearConfig::new(4, 4).init(&device()))),
    };
    let losses = |m: &Frozen| squares(m.table.readout(m.layer.tap(m.table.tap(words.clone()))));
    let g = agree(&model, losses, 1e-9);
    assert_eq!(g.paths().count(), 2);
    verify(&model, losses).expect("right");
}

/// Tied: a look-up with an adapter is read out with its transpose.
#[test]
fn one_clone_with_and_one_without_gradients() {
    let block: Linear = double(filled(LinearConfig::new(3, 3).init(&device())));
    let x = inputs(4);
    // Half of a residual stream through a frozen clone of the very block.
    let losses = |m: &Linear| {
        let frozen = m.clone().no_grad();
        squares(m.tap(relu(frozen.tap(relu(m.tap(x.clone())) + 0.3))))
    };
    agree(&block, losses, 1e-9);
    verify(&block, losses).expect("right");
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
        let h = self.attention.tap(AttentionInput::self_attn(self.norm.tap(h.clone()))).context + h;
        let h = self.conv.tap(h.reshape([n, 1, t, 4]));
        let h = relu(self.group.tap(h) + 0.3);
        let h = h.reshape([n, 2 * t, 4]) * per_example::<1, 2>(&self.scale, n).reshape([n, 1, 4]);
        self.words.readout(h).powi_scalar(2).reshape([n, 14 * t]).sum_dim(1).reshape([n])
    }
}

#[test]
fn checkpointing_through_every_kind_of_layer() {
    struct On(Device);
    impl ModuleMapper for On {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let device = self.0.clone();
            param.map(|tensor| {
                let data = tensor.inner().into_data();
                let dtype = data.dtype();
                Tensor::from_data(data, (&device, dtype)).require_grad()
            })
        }
    }
    let plain = double(filled(Deep {
        words: EmbeddingConfig::new(7, 4).init(&device()),
        conv: Conv2dConfig::new([1, 2], [3, 3]).with_padding(PaddingConfig2d::Same).init(&device()),
        group: GroupNormConfig::new(2, 2).init(&device()),
        norm: LayerNormConfig::new(4).init(&device()),
        attention: MultiHeadAttentionConfig::new(4, 2).with_dropout(0.0).init(&device()),
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

/// No false alarms.
#[test]
fn checks_in_mixed_precision() {
    let model: Linear = filled(LinearConfig::new(3, 4).init(&device()));
    let x = inputs(12).cast(FloatDType::F32);
    let f64_losses = |m: &Linear| squares(m.tap(x.clone()).tanh().cast(FloatDType::F64));
    let verified = verify(&model, f64_losses).expect("right");
    assert!(verified.warnings.is_empty(), "{verified:?}");
    // Activations in half precision between layers in single.
    let head: Linear = filled(LinearConfig::new(4, 5).init(&device()));
    #[derive(Module, Debug)]
    struct Two {
        a: Linear,
        b: Linear,
    }
    let model = Two { a: model, b: head };
    for to in [FloatDType::F16, FloatDType::BF16] {
        for seed in 0..4 {
            let x = values([16, 3], seed, FloatDType::F32);
            let losses = |m: &Two| {
                let h = m.a.tap(x.clone()).cast(to).tanh().cast(FloatDType::F32);
                squares(m.b.tap(h).cast(to).tanh().cast(FloatDType::F32))
            };
            let verified = verify(&model, losses);
            assert!(verified.is_ok(), "{to:?}: {verified:?}");
            assert!(verified.unwrap().warnings.is_empty());
        }
        let half = cast(model.clone(), to);
        let x = x.clone().cast(to);
        let losses = |m: &Two| squares(m.b.tap(m.a.tap(x.clone()).tanh()).cast(FloatDType::F32));
        let verified = verify(&half, losses).expect("right");
        assert!(verified.warnings.is_empty(), "{verified:?}");
    }
}

#[test]
fn one_example() {
    let model = double(nested());
    let x = inputs(1);
    agree(&model, |m| m.losses(&x), 1e-8);
    let verified = verify(&model, |m| m.losses(&x)).expect("right");
    assert!(verified.warnings.is_empty(), "{verified:?}");
}

/// Examples that are learned to rounding give no false alarm.
#[test]
fn examples_that_are_learned() {
    #[derive(Module, Debug)]
    struct Block {
        norm: LayerNorm,
        attention: MultiHeadAttention,
        head: Linear,
    }
    let model = filled(Block {
        norm: LayerNormConfig::new(8).init(&device()),
        attention: MultiHeadAttentionConfig::new(8, 2).with_dropout(0.0).init(&device()),
        head: LinearConfig::new(8, 4).init(&device()),
    });
    let x = values([6, 5, 8], 3, FloatDType::F32);
    let run = |m: &Block| {
        let h = m.norm.tap(x.clone());
        let h = m.attention.tap(AttentionInput::self_attn(h)).context;
        m.head.tap(m.norm.tap(h)).mean_dim(1).reshape([6, 4])
    };
    let target = run(&model).inner().autodiff();
    for (few, off) in [(true, 0.5), (false, 1e-6)] {
        let off = Tensor::<2>::from_floats(
            [0.0, 1.0, 0.0, 1.0, 1.0, 0.0].map(|is| [if few { is * off } else { off }; 4]),
            &device(),
        ) + 1e-7;
        let losses = |m: &Block| {
            (run(m) - target.clone() - off.clone()).powi_scalar(2).sum_dim(1).reshape([6])
        };
        let verified = verify(&model, losses).expect("right");
        println!("{few} {verified:?}");
        assert!(!few || verified.warnings.is_empty(), "{verified:?}");
    }
}
