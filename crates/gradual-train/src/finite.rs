//! Numbers that are numbers: what a step checks before it hands anything on.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use gradual_grad::host::read;

use crate::TrainError;

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

pub(crate) fn host(operation: &'static str, vector: &Tensor<1>) -> Result<Vec<f32>, TrainError> {
    read(vector.clone()).map_err(|problem| TrainError::Read { operation, problem })
}

/// The sum of every parameter's gradient in `update`, `[parameters]` in single precision, and the parameters' paths.
///
/// A sum is NaN or infinite if one of its terms is, so one number each tells of them all.
pub(crate) fn sums<M: Module>(
    update: &GradientsParams,
    model: &M,
    device: &Device,
) -> (Tensor<1>, Vec<String>) {
    let mut sums = Sums {
        update,
        path: Vec::new(),
        paths: Vec::new(),
        sums: Vec::new(),
    };
    model.visit(&mut sums);
    let all = match sums.sums.is_empty() {
        true => Tensor::zeros([0], device),
        false => Tensor::cat(sums.sums, 0),
    };
    (all, sums.paths)
}

struct Sums<'a> {
    update: &'a GradientsParams,
    path: Vec<String>,
    paths: Vec<String>,
    sums: Vec<Tensor<1>>,
}

impl ModuleVisitor for Sums<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.update.get::<D>(param.id) {
            // In single precision at least, whatever the parameters are held in.
            self.sums
                .push(gradient.sum().cast(burn::tensor::DType::F32));
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
