//! Numbers that are numbers: what a step checks before it hands anything on.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use crate::TrainError;

/// The values of a vector, all finite.
pub(crate) fn finite(what: &'static str, vector: &Tensor<1>) -> Result<Vec<f32>, TrainError> {
    let values = host(what, vector)?;
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
    let data = vector.clone().into_data().convert::<f32>();
    data.try_to_vec().map_err(|problem| TrainError::Read {
        operation,
        problem: format!("{problem:?}"),
    })
}

/// Path of the first parameter whose gradient in `update` is not finite.
///
/// A sum is NaN or infinite if one of its terms is: one number for each parameter, read together.
pub(crate) fn infinite_parameter<M: Module>(
    update: &GradientsParams,
    model: &M,
) -> Result<Option<String>, TrainError> {
    let mut sums = Sums {
        update,
        path: Vec::new(),
        paths: Vec::new(),
        sums: Vec::new(),
    };
    model.visit(&mut sums);
    if sums.sums.is_empty() {
        return Ok(None);
    }
    let read = host("update", &Tensor::cat(sums.sums, 0))?;
    let wrong = read.iter().position(|sum| !sum.is_finite());
    Ok(wrong.and_then(|at| sums.paths.into_iter().nth(at)))
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
