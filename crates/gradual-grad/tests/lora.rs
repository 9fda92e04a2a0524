//! LoRA adapters: both factors of every adapted weight have exact per-example gradients.

mod common;

use burn::module::{Lora, Module, ModuleMapper, Param, ParamGroup};
use burn::nn::{Embedding, EmbeddingConfig, Linear, LinearConfig};
use burn::tensor::activation::relu;
use burn::tensor::{FloatDType, Int, Tensor};
use common::{agree, device, double, values};
use gradual_grad::{Tap, TiedReadout, verify};

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
    struct Moved(u64);
    impl ModuleMapper for Moved {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            self.0 += 1;
            let active = param.is_require_grad();
            let seed = self.0;
            let moved = param.map(|tensor| {
                let values = values(tensor.dims(), seed, FloatDType::F64) * 0.5;
                values.inner().autodiff()
            });
            moved.set_require_grad(active)
        }
    }
    let device = device();
    let model = Model {
        words: EmbeddingConfig::new(7, 4).init(&device),
        hidden: LinearConfig::new(4, 5).init(&device),
        readout: LinearConfig::new(5, 4).with_bias(false).init(&device),
    };
    model
        .apply_lora(Lora::new(2, 6.0))
        .unfreeze_group(trained)
        .map(&mut Moved(0))
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
