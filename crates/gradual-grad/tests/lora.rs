//! LoRA adapters: both factors of every adapted weight have exact per-example gradients.

use crate::common::{agree, close, device, double, filled, squares, values};
use burn::module::{Lora, Module, ModuleMapper, Param, ParamGroup, QLora, Quantizer};
use burn::nn::attention::{MultiHeadAttention, MultiHeadAttentionConfig};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Embedding, EmbeddingConfig, Linear, LinearConfig};
use burn::tensor::activation::relu;
use burn::tensor::quantization::{Calibration, QuantScheme};
use burn::tensor::{DType, FloatDType, Int, Tensor, TensorData};
use gradual_grad::{
    AttentionInput, ExampleGradients, Tap, TiedReadout, Tracer, Views, naive_rows, per_example,
    trace, verify,
};

#[derive(Module, Debug)]
struct Model {
    words: Embedding,
    hidden: Linear,
    readout: Linear,
}

impl Model {
    fn losses(&self, words: &Tensor<2, Int>) -> Tensor<1> {
        let [n, t] = words.dims();
        let h = relu(self.hidden.tap(self.words.tap(words.clone())));
        let logits = self.words.readout(self.readout.tap(h));
        let [_, _, v] = logits.dims();
        logits
            .powi_scalar(2)
            .reshape([n, t * v])
            .sum_dim(1)
            .reshape([n])
    }
}

/// Adapted, with a B that is not zero, as after some training.
fn model(trained: ParamGroup) -> Model {
    let device = device();
    let model = Model {
        words: EmbeddingConfig::new(7, 4).init(&device),
        hidden: LinearConfig::new(4, 5).init(&device),
        readout: LinearConfig::new(5, 4).with_bias(false).init(&device),
    };
    model
        .apply_lora(Lora::new(2, 6.0))
        .unfreeze_group(trained)
        .map(&mut Moved(0, FloatDType::F64))
}

fn words() -> Tensor<2, Int> {
    Tensor::from_ints([[1, 2, 6], [0, 0, 3], [5, 4, 4], [2, 1, 6]], &device())
}

#[test]
fn adapters_alone() {
    let model = model(ParamGroup::from_paths(Vec::<String>::new()));
    let gradients = agree(&model, |m| m.losses(&words()), 1e-9);
    let paths: Vec<&str> = gradients.paths().collect();
    let expected = ["words", "hidden", "readout"].map(|layer| {
        [
            format!("{layer}.weight.lora.a"),
            format!("{layer}.weight.lora.b"),
        ]
    });
    assert_eq!(paths, expected.concat());
    verify(&model, |m| m.losses(&words())).expect("right");
}

#[test]
fn adapters_with_biases_and_some_bases() {
    let model = model(ParamGroup::from_paths(vec![
        "hidden.bias",
        "readout.weight",
    ]));
    let gradients = agree(&model, |m| m.losses(&words()), 1e-9);
    assert_eq!(gradients.paths().count(), 8);
    verify(&model, |m| m.losses(&words())).expect("right");
}

#[test]
fn a_fresh_adapter() {
    let layer: Linear = LinearConfig::new(3, 4).init(&device());
    let layer = double(layer).apply_lora(Lora::new(2, 4.0));
    let x = values([5, 3], 1, FloatDType::F64);
    let losses = |m: &Linear| m.tap(x.clone()).powi_scalar(2).sum_dim(1).reshape([5]);
    agree(&layer, losses, 1e-9);
    // B starts at zero, so that A has no gradient yet.
    let verified = verify(&layer, losses).expect("right");
    assert!(
        verified.warnings[0].to_string().contains("weight.lora.a"),
        "{verified:?}"
    );
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
        patch: Conv2dConfig::new([1, 4], [2, 2])
            .with_stride([2, 2])
            .init(&device()),
        positions: Param::from_tensor(Tensor::zeros([4, 4], &device())),
        attention: MultiHeadAttentionConfig::new(4, 2)
            .with_dropout(0.0)
            .init(&device()),
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

/// Weights that are the same on every run, in a precision; what is trained stays so.
struct Moved(u64, FloatDType);

impl ModuleMapper for Moved {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        self.0 += 1;
        let active = param.is_require_grad();
        let (seed, to) = (self.0, self.1);
        let moved = param.map(|tensor| (values(tensor.dims(), seed, to) * 0.5).inner().autodiff());
        moved.set_require_grad(active)
    }
}

#[test]
fn adapters_in_attention_and_positions() {
    let x = values([3, 1, 4, 4], 5, FloatDType::F64);
    let model = vision()
        .apply_lora(Lora::new(2, 3.0))
        .map(&mut Moved(0, FloatDType::F64));
    let gradients = agree(&model, |m| m.losses(&x), 1e-8);
    // The convolution has no matrix to adapt, and is frozen with the rest.
    assert_eq!(gradients.paths().count(), 12);
    assert_eq!(gradients.paths().next(), Some("positions.lora.a"));
    verify(&model, |m| m.losses(&x)).expect("right");
}

#[test]
fn adapters_in_half_precision() {
    for to in [FloatDType::F16, FloatDType::BF16] {
        let model: Linear = filled(LinearConfig::new(3, 4).init(&device()));
        let model = model.apply_lora(Lora::new(2, 3.0)).map(&mut Moved(0, to));
        let x = values([5, 3], 11, to);
        let losses = |m: &Linear| squares(m.tap(x.clone()).cast(FloatDType::F32));
        let rows = trace(&model, losses).expect("covered").gradients.rows();
        let naive = naive_rows(&model, losses);
        close("rows", rows.cast(DType::F64), naive.cast(DType::F64), 5e-2);
        verify(&model, losses).expect("right");
    }
}

#[test]
fn quantized_adapters() {
    let model: Linear = filled(LinearConfig::new(8, 8).with_bias(false).init(&device()));
    let x = values([5, 8], 3, FloatDType::F32);
    let quantizer = Quantizer::new(Calibration::MinMax, QuantScheme::default());
    let model = model.apply_qlora(QLora::new(Lora::new(2, 3.0), quantizer));
    let losses = |m: &Linear| squares(m.tap(x.clone()));
    let traced = trace(&model, losses).expect("covered");
    let naive = naive_rows(&model, losses);
    close("rows", traced.gradients.rows(), naive.inner(), 1e-4);
    verify(&model, losses).expect("right");
}

#[test]
fn views_of_adapters() {
    let model = vision()
        .apply_lora(Lora::new(2, 3.0))
        .map(&mut Moved(0, FloatDType::F64));
    let one = values([3, 1, 4, 4], 5, FloatDType::F64);
    let other = values([3, 1, 4, 4], 9, FloatDType::F64);
    let stacked = |m: &Vision| {
        let both = m.losses(&Tensor::cat(vec![one.clone(), other.clone()], 0));
        both.clone().narrow(0, 0, 3) + both.narrow(0, 3, 3) * 2.0
    };
    let tracer = Tracer::default().with_views(Views::stacked(2).expect("two"));
    let traced = tracer.trace(&model, stacked).expect("two rows each");
    let naive = naive_rows(&model, stacked);
    close("rows", traced.gradients.rows(), naive.inner(), 1e-8);
    tracer.verify(&model, stacked).expect("right");
}

/// Draws whose uses of a table differ in kind.
#[test]
fn draws_of_several_kinds_meet() {
    let embedding: Embedding = double(filled(EmbeddingConfig::new(7, 4).init(&device())));
    let adapted = embedding
        .clone()
        .apply_lora(Lora::new(2, 3.0))
        .map(&mut Moved(0, FloatDType::F64));
    let words = |seed: i64, n: usize, t: usize| {
        let data: Vec<i64> = (0..(n * t) as i64)
            .map(|i| (i * i + seed * i + seed) % 7)
            .collect();
        Tensor::<2, Int>::from_data(TensorData::new(data, [n, t]), &device())
    };
    for model in [embedding, adapted] {
        type Losses = Box<dyn Fn(&Embedding) -> Tensor<1>>;
        let kinds: Vec<Losses> = vec![
            Box::new(move |m: &Embedding| squares(m.tap(words(1, 3, 2)))),
            Box::new(move |m: &Embedding| squares(m.readout(m.tap(words(2, 2, 5)).tanh()))),
            Box::new(move |m: &Embedding| squares(m.readout(values([4, 4], 3, FloatDType::F64)))),
            Box::new(move |m: &Embedding| squares(per_example::<2, 3>(&m.weight, 2).tanh())),
            Box::new(move |m: &Embedding| {
                let table = per_example::<2, 3>(&m.weight, 3)
                    .sum_dim(1)
                    .reshape([3, 1, 4]);
                squares(m.tap(words(5, 3, 9)) + m.tap(words(4, 3, 9)) * table)
            }),
        ];
        let draws: Vec<ExampleGradients> = kinds
            .iter()
            .map(|losses| agree(&model, losses, 1e-8))
            .collect();
        for losses in &kinds {
            verify(&model, losses).expect("right");
        }
        for a in &draws {
            for b in &draws {
                let expected = a.rows().matmul(b.rows().transpose());
                close("cross", a.cross_gram(b).expect("one model"), expected, 1e-9);
            }
        }
        for order in [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [2, 0, 3, 1, 4]] {
            let all: Vec<_> = order.iter().map(|&at| draws[at].clone()).collect();
            let rows = Tensor::cat(all.iter().map(ExampleGradients::rows).collect(), 0);
            let both = ExampleGradients::concat(&all).expect("one model");
            close("rows", both.rows(), rows.clone(), 1e-9);
            close(
                "gram",
                both.gram(),
                rows.clone().matmul(rows.clone().transpose()),
                1e-9,
            );
            let chosen = [5, 0, 0, 9, 2, 7, 13];
            let at = Tensor::<1, Int>::from_ints(chosen.map(|at| at as i64), &rows.device());
            let some = both.choose(&chosen).expect("examples");
            close("chosen", some.rows(), rows.clone().select(0, at), 1e-9);
            let c = values([rows.dims()[0]], 2, FloatDType::F64).inner();
            let combined = crate::common::flatten(&model, &both.combine(&c).expect("n"));
            let expected = c.reshape([1, rows.dims()[0]]).matmul(rows);
            let size = combined.dims()[0];
            close("combined", combined.reshape([1, size]), expected, 1e-9);
        }
    }
}
