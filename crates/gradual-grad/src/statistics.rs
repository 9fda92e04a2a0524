//! Passes that leave running statistics as they were.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

/// The running statistics of a model (those of a batch norm) at one time.
///
/// Burn shares them between all copies of a module, so a forward pass that only looks moves them as one that trains
/// does. They are the float values of a module that have no gradients; frozen parameters are as well, and are put back
/// as what they are.
pub struct RunningStatistics {
    values: GradientsParams,
}

impl std::fmt::Debug for RunningStatistics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunningStatistics").finish_non_exhaustive()
    }
}

impl RunningStatistics {
    /// Those of `model` now. Draws parameters that are still lazy.
    pub fn of<M: Module>(model: &M) -> Self {
        let mut values = Values(GradientsParams::new());
        model.visit(&mut values);
        if !values.0.is_empty() {
            sync(model);
            model.visit(&mut values);
        }
        Self { values: values.0 }
    }

    /// Puts them back into `model`, and into all of its copies.
    pub fn put_back<M: Module>(&self, model: &M) {
        if !self.values.is_empty() {
            sync(model);
            // A copy: it shares the statistics, and nothing else of it is kept.
            let _ = model.clone().map(&mut PutBack(&self.values));
        }
    }

    /// Runs `pass`, which may look at `model`, and leaves its running statistics as they were.
    pub fn kept<M: Module, O>(model: &M, pass: impl FnOnce() -> O) -> O {
        let before = Self::of(model);
        let output = pass();
        before.put_back(model);
        output
    }
}

/// Takes up updates that a forward pass left pending: Burn does so whenever it makes a validation copy.
fn sync<M: Module>(model: &M) {
    let _ = model.valid();
}

struct Values(GradientsParams);

impl ModuleVisitor for Values {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = param.val();
        if !value.is_require_grad() {
            self.0.register(param.id, value);
        }
    }
}

struct PutBack<'a>(&'a GradientsParams);

impl ModuleMapper for PutBack<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let id: ParamId = param.id;
        match self.0.get::<D>(id) {
            Some(value) => param.map(|_| value),
            None => param,
        }
    }
}
