//! The reference: one ordinary backward pass per example.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{DType, Gradients, Tensor};

use crate::precision::widest_of;

/// The gradients G `[n, p]`, example by example: n forward and n backward passes.
///
/// The plain twin of [`trace`](crate::trace()) for tests and for checking a new model: parameters
/// stand in visiting order, each flattened in row-major order, as in
/// [`ExampleGradients::rows`](crate::ExampleGradients::rows). A parameter that a loss does not
/// depend on has a zero gradient. Parameters of several precisions meet in the widest. `model` must be on an autodiff
/// device.
pub fn naive_rows<M: Module>(model: &M, losses: impl Fn(&M) -> Tensor<1>) -> Tensor<2> {
    let n = losses(model).dims()[0];
    let rows = (0..n).map(|example| {
        let loss = losses(model).narrow(0, example, 1);
        let mut row = Row {
            gradients: loss.backward(),
            parts: Vec::new(),
            seen: Vec::new(),
        };
        model.visit(&mut row);
        let wide = widest_of(&row.parts).unwrap_or(DType::F32);
        let parts = row.parts.into_iter().map(|part| part.cast(wide));
        Tensor::cat(parts.collect(), 0).unsqueeze::<2>()
    });
    Tensor::cat(rows.collect(), 0)
}

struct Row {
    gradients: Gradients,
    parts: Vec<Tensor<1>>,
    seen: Vec<burn::module::ParamId>,
}

impl ModuleVisitor for Row {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if !param.is_require_grad() || self.seen.contains(&param.id) {
            return;
        }
        self.seen.push(param.id);
        let value = param.val();
        let gradient = value.grad(&self.gradients);
        let gradient = gradient.unwrap_or_else(|| value.inner().zeros_like());
        let size = gradient.shape().num_elements();
        self.parts.push(gradient.reshape([size]));
    }
}
