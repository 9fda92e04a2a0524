//! Copies of a model for comparison.

use std::collections::HashMap;

use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::tensor::Tensor;

use super::draw_parameters;

/// A copy of `model` for comparison: a teacher, a reference, a snapshot that decides groups.
///
/// Its parameters hold the same numbers on the device without autodiff, are never trained, and have identities of
/// their own, so that it may be a part of the very model that it was copied from; its training behaviour (dropout,
/// batch statistics) is off. `model.clone()` shares identities, which is why an optimizer and a trace could take one
/// for the other.
///
/// ```
/// use burn::nn::LinearConfig;
/// use burn::tensor::Device;
/// use gradual_grad::frozen_copy;
///
/// let layer = LinearConfig::new(3, 2).init(&Device::flex().autodiff());
/// let teacher = frozen_copy(&layer);
/// assert_ne!(teacher.weight.id, layer.weight.id);
/// assert!(!teacher.weight.is_require_grad());
/// ```
pub fn frozen_copy<M: Module>(model: &M) -> M {
    struct Own(HashMap<ParamId, ParamId>);
    impl ModuleMapper for Own {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let id = *self.0.entry(param.id).or_default();
            let (_, tensor, mapper) = param.set_require_grad(false).consume();
            Param::from_mapped_value(id, tensor, mapper)
        }
    }
    // A lazy parameter shares what is asked of it with all of its clones.
    let _ = draw_parameters(model);
    model.valid().map(&mut Own(HashMap::new()))
}
