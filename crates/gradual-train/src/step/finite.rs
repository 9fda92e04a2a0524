//! Checks for NaN and infinity, before a step hands anything on.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Tensor};
use gradual_grad::host::read;

use crate::error::TrainError;

/// The values of a vector, all finite.
pub(crate) fn finite(what: &'static str, vector: &Tensor<1>) -> Result<Vec<f32>, TrainError> {
    all_finite(what, host(what, vector)?)
}

/// Values of examples that were read already, all finite.
pub(crate) fn all_finite(what: &'static str, values: Vec<f32>) -> Result<Vec<f32>, TrainError> {
    match values.iter().position(|value| !value.is_finite()) {
        Some(example) => Err(TrainError::NotFinite {
            what,
            example,
            value: values[example],
        }),
        None => Ok(values),
    }
}

pub(crate) fn host<const D: usize>(
    operation: &'static str,
    tensor: &Tensor<D>,
) -> Result<Vec<f32>, TrainError> {
    read(tensor.clone()).map_err(|problem| TrainError::Read { operation, problem })
}

/// Whether a precision is one of the two of 16 bits.
pub(crate) fn is_half(dtype: DType) -> bool {
    matches!(dtype, DType::F16 | DType::BF16)
}

/// The same numbers, in single precision where they are in half.
pub(crate) fn wide<const D: usize>(tensor: Tensor<D>) -> Tensor<D> {
    match is_half(tensor.dtype()) {
        true => tensor.cast(DType::F32),
        false => tensor,
    }
}

/// What tells whether the gradients of an update are finite.
pub(crate) struct Sums {
    /// The sum of every parameter's gradient, `[parameters]` in single precision.
    pub(crate) sums: Tensor<1>,
    /// The parameters' paths.
    pub(crate) paths: Vec<String>,
    /// Whether a gradient is in half precision.
    pub(crate) half: bool,
}

impl Sums {
    /// A sum is NaN or infinite if one of its terms is, so one number each tells of them all; one that only overflowed
    /// is looked at [again](not_finite).
    pub(crate) fn of<M: Module>(update: &GradientsParams, model: &M, device: &Device) -> Self {
        let gradients = Gradients::of(update, model, Number::Sum);
        Self {
            half: gradients.half,
            paths: gradients.paths,
            sums: joined(gradients.numbers, device),
        }
    }
}

/// The path of the first parameter whose gradient holds NaN or infinity. Waits for the device.
pub(crate) fn not_finite<M: Module>(
    update: &GradientsParams,
    model: &M,
    device: &Device,
) -> Result<Option<String>, TrainError> {
    let gradients = Gradients::of(update, model, Number::Mean);
    let means = host("gradient", &joined(gradients.numbers, device))?;
    let at = means.iter().position(|mean| !mean.is_finite());
    Ok(at.and_then(|at| gradients.paths.into_iter().nth(at)))
}

fn joined(numbers: Vec<Tensor<1>>, device: &Device) -> Tensor<1> {
    match numbers.is_empty() {
        true => Tensor::zeros([0], device),
        false => Tensor::cat(numbers, 0),
    }
}

/// What is taken of a gradient.
#[derive(Clone, Copy)]
enum Number {
    /// Its sum.
    Sum,
    /// Half of its mean, brought below one: it can't overflow, whatever finite numbers it is of.
    Mean,
}

impl Number {
    /// In single precision, `[1]`.
    fn of<const D: usize>(self, gradient: Tensor<D>) -> Tensor<1> {
        let gradient = wide(gradient);
        let number = match self {
            Self::Sum => gradient.sum(),
            Self::Mean => {
                let share = 0.5 / gradient.shape().num_elements().max(1) as f64;
                let mean = gradient.mul_scalar(share).sum();
                mean.clone() / (mean.abs() + 1.0)
            }
        };
        number.cast(DType::F32)
    }
}

/// One number for every parameter's gradient in an update.
struct Gradients<'a> {
    update: &'a GradientsParams,
    number: Number,
    path: Vec<String>,
    paths: Vec<String>,
    numbers: Vec<Tensor<1>>,
    half: bool,
}

impl<'a> Gradients<'a> {
    fn of<M: Module>(update: &'a GradientsParams, model: &M, number: Number) -> Self {
        let mut gradients = Self {
            update,
            number,
            path: Vec::new(),
            paths: Vec::new(),
            numbers: Vec::new(),
            half: false,
        };
        model.visit(&mut gradients);
        gradients
    }
}

impl ModuleVisitor for Gradients<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.update.get::<D>(param.id) {
            self.half |= is_half(gradient.dtype());
            self.numbers.push(self.number.of(gradient));
            self.paths.push(self.path.join("."));
        }
    }

    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }
}
