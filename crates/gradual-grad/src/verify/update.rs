//! The traced update beside Burn's own, parameter by parameter.

use std::collections::HashMap;

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Tensor};

use super::read::host;
use super::rounding::Rounding;
use crate::error::GradError;
use crate::trace::pass::Wanted;
use crate::trace::traced::Traced;

/// The updates of one parameter from a trace and from Burn's own backward pass.
pub(super) struct Update {
    pub(super) path: String,
    /// Largest entry of the traced update.
    pub(super) traced: f64,
    /// Largest entry of Burn's own, and of the difference.
    own: f64,
    difference: f64,
    layers: String,
}

impl Update {
    /// Of all parameters; all numbers are read together.
    pub(super) fn all(
        wanted: &Wanted,
        reached: &HashMap<ParamId, Tensor<1>>,
        update: &HashMap<ParamId, Tensor<1>>,
        layers: &HashMap<String, String>,
    ) -> Result<Vec<Self>, GradError> {
        let largest = |values: Tensor<1>| values.abs().max().cast(DType::F32);
        let (mut numbers, mut known) = (Vec::new(), Vec::new());
        for parameter in &wanted.chosen.parameters {
            let traced = update.get(&parameter.id).cloned();
            let own = reached.get(&wanted.copied.renamed[&parameter.id]);
            let own = own.map(|own| own.clone().inner());
            let like = traced.clone().or_else(|| own.clone());
            known.push(like.is_some());
            let Some(like) = like else { continue };
            let wide = match like.dtype() {
                DType::F16 | DType::BF16 => DType::F32,
                dtype => dtype,
            };
            let [traced, own] = [traced, own].map(|each| {
                let each = each.unwrap_or_else(|| like.clone().zeros_like());
                each.cast(wide)
            });
            let difference = own.clone() - traced.clone();
            numbers.push(Tensor::cat(
                vec![largest(traced), largest(own), largest(difference)],
                0,
            ));
        }
        let numbers = match numbers.is_empty() {
            true => Vec::new(),
            false => host(Tensor::cat(numbers, 0))?,
        };
        let mut numbers = numbers.chunks(3);
        let each = wanted.chosen.parameters.iter().zip(known);
        Ok(each
            .map(|(parameter, known)| {
                // What no gradient has reached is zero.
                let numbers = known.then(|| numbers.next()).flatten().unwrap_or(&[0.0; 3]);
                Self {
                    path: parameter.path.clone(),
                    traced: numbers[0],
                    own: numbers[1],
                    difference: numbers[2],
                    layers: layers.get(&parameter.path).cloned().unwrap_or_default(),
                }
            })
            .collect())
    }
}

/// Differences as shares of the largest entries, none larger than rounding explains.
pub(super) fn compared(
    found: &[Update],
    rounding: &Rounding,
) -> Result<Vec<(String, f64)>, GradError> {
    let overall = found.iter().map(|each| each.own.max(each.traced));
    let overall = overall.fold(0.0, f64::max);
    let allowed = rounding.allowed();
    let ratio = |each: &Update| {
        // Gradients that cancel over the draw (of an attention's key bias) are nothing but rounding of the others'.
        let size = each.own.max(each.traced);
        let size = size.max(rounding.cancelled() / allowed * overall);
        if size > 0.0 {
            (each.difference - rounding.underflow()).max(0.0) / size
        } else {
            0.0
        }
    };
    let worst = found.iter().max_by(|a, b| ratio(a).total_cmp(&ratio(b)));
    match worst {
        Some(each) if ratio(each) > allowed => Err(GradError::Disagrees {
            path: each.path.clone(),
            ratio: ratio(each),
            allowed,
            layers: each.layers.clone(),
        }),
        _ => {
            let each = found.iter().map(|each| (each.path.clone(), ratio(each)));
            Ok(each.collect())
        }
    }
}

/// The gradients of a model's parameters, flattened.
pub(super) fn flattened<M: Module>(
    model: &M,
    gradients: &GradientsParams,
) -> HashMap<ParamId, Tensor<1>> {
    struct Collect<'a>(&'a GradientsParams, HashMap<ParamId, Tensor<1>>);
    impl ModuleVisitor for Collect<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(gradient) = self.0.get::<D>(param.id) {
                let size = gradient.shape().num_elements();
                self.1.insert(param.id, gradient.reshape([size]));
            }
        }
    }
    let mut collect = Collect(gradients, HashMap::new());
    model.visit(&mut collect);
    collect.1
}

/// The layers that use each parameter.
pub(super) fn layers_of(traced: &Traced) -> HashMap<String, String> {
    let coverage = traced.gradients.coverage();
    let covered = coverage.covered().iter();
    covered
        .map(|each| (each.path.clone(), each.uses.join(", ")))
        .collect()
}
