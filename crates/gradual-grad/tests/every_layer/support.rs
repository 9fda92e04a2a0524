//! A layer within a network, checked in every way that its parameters may be used.

use std::sync::OnceLock;

use burn::module::{Module, ModuleDisplay, ModuleMapper, Param};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, FloatDType, Tensor};

use gradual_grad::{GradError, verify};

use crate::common::{agree, squares};

/// Of double precision.
const TOLERANCE: f64 = 1e-9;

/// The device, whose precision is set before anything is on it.
pub fn device() -> Device {
    static SET: OnceLock<()> = OnceLock::new();
    SET.get_or_init(|| {
        Device::flex()
            .configure(FloatDType::F64)
            .expect("nothing is on the device yet");
    });
    Device::flex().autodiff()
}

/// Numbers that differ, the same on every run.
pub fn values<const D: usize>(dims: [usize; D], seed: u64) -> Tensor<D> {
    device();
    crate::common::values(dims, seed, FloatDType::F64)
}

/// A layer after a linear one, so that its input depends on parameters, too.
#[derive(Module, Debug)]
pub struct After<L: Module> {
    pub before: Linear,
    pub layer: L,
}

/// Compares all that can be had from traces with one backward pass per example: of one use, of two uses in one model,
/// of a single example, and with only part of the parameters trainable. `output` is given the model, the number of
/// examples and a number that says which use it is, for another input, length or size.
pub fn exact<L: Module + ModuleDisplay, const D: usize>(
    inputs: usize,
    width: usize,
    layer: L,
    n: usize,
    output: impl Fn(&After<L>, usize, u64) -> Tensor<D>,
) {
    exact_to(TOLERANCE, inputs, width, layer, n, output);
}

/// The same to another tolerance.
pub fn exact_to<L: Module + ModuleDisplay, const D: usize>(
    tolerance: f64,
    inputs: usize,
    width: usize,
    layer: L,
    n: usize,
    output: impl Fn(&After<L>, usize, u64) -> Tensor<D>,
) {
    let before = LinearConfig::new(inputs, width).init(&device());
    let model = After { before, layer }.map(&mut Fill(0));
    let one = |n: usize| {
        let output = &output;
        move |m: &After<L>| squares(output(m, n, 1))
    };
    let two = |m: &After<L>| squares(output(m, n, 1)) + squares(output(m, n, 2)) * 0.3;
    agree(&model, one(n), tolerance);
    match verify(&model, one(n)) {
        // Clipped, or a kernel that sees nothing but padding.
        Ok(_) | Err(GradError::Untrained { .. }) => {}
        Err(error) => panic!("a trace that agrees is right: {error}"),
    }
    agree(&model, one(1), tolerance);
    agree(&model, two, tolerance);
    for part in ["layer", "bias", "weight"] {
        let mut only = Only {
            part,
            path: Vec::new(),
            left: 0,
        };
        let frozen = model.clone().map(&mut only);
        if only.left > 0 {
            agree(&frozen, two, tolerance);
        }
    }
}

/// Weights that are the same on every run; running means and the like stay as they are.
pub struct Fill(pub u64);

impl ModuleMapper for Fill {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if !param.is_require_grad() {
            return param;
        }
        self.0 += 1;
        let seed = self.0;
        param.map(|old| {
            let size = (old.dims()[0] as f64).sqrt();
            let new = values(old.dims(), seed) / size;
            new.inner().autodiff().require_grad()
        })
    }
}

/// Leaves only parameters trainable with this name on their path.
struct Only {
    part: &'static str,
    path: Vec<String>,
    left: usize,
}

impl ModuleMapper for Only {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let named = self.path.iter().any(|name| name == self.part);
        let trainable = named && param.is_require_grad();
        self.left += usize::from(trainable);
        param.set_require_grad(trainable)
    }

    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }
}
