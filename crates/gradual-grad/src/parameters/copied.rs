//! The copy of a model that a trace runs.

use std::any::Any;
use std::collections::{HashMap, HashSet};

use burn::module::{Flag, Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::{Device, Gradients, Tensor};

/// What a trace runs instead of a model: a copy whose parameters have identities of their own, so that no other
/// module's can be taken for them.
pub(crate) struct ModelCopy<M> {
    pub(crate) model: M,
    /// From the model's identities to those of the copy.
    pub(crate) renamed: HashMap<ParamId, ParamId>,
    /// A device with the autodiff context of the model, if it has one.
    pub(crate) context: Option<Device>,
}

impl<M: Module> ModelCopy<M> {
    /// The parameters in `wanted` are tracked, on any device, so that a gradient shows where they were used without a
    /// tap; all others are constants. A model that is on no autodiff device is copied without its training behaviour
    /// (dropout), which it has not there either.
    pub(crate) fn of(model: &M, wanted: &HashSet<ParamId>) -> Self {
        let mut find = Context(None);
        model.visit(&mut find);
        let mut rename = Rename {
            wanted,
            renamed: HashMap::new(),
            tracked: HashMap::new(),
            trains: find.0.is_some(),
        };
        let model = model.clone().map(&mut rename);
        Self {
            model,
            renamed: rename.renamed,
            context: find.0,
        }
    }

    /// Gradients that have reached the parameters themselves, flattened, by the identities of the copy.
    pub(crate) fn reached(&self, gradients: &Gradients) -> HashMap<ParamId, Tensor<1>> {
        struct Reached<'a>(&'a Gradients, HashMap<ParamId, Tensor<1>>);
        impl ModuleVisitor for Reached<'_> {
            fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
                if !param.is_require_grad() {
                    return;
                }
                if let Some(gradient) = param.base().grad(self.0) {
                    let size = gradient.shape().num_elements();
                    self.1.insert(param.id, gradient.reshape([size]));
                }
            }
        }
        let mut reached = Reached(gradients, HashMap::new());
        self.model.visit(&mut reached);
        reached.1
    }
}

/// The first autodiff device of a module.
struct Context(Option<Device>);

impl ModuleVisitor for Context {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if self.0.is_none() {
            let device = param.base().device();
            self.0 = device.is_autodiff().then_some(device);
        }
    }
}

struct Rename<'a> {
    wanted: &'a HashSet<ParamId>,
    renamed: HashMap<ParamId, ParamId>,
    /// Leaves that were made here, so that clones of a layer share them.
    tracked: HashMap<ParamId, Box<dyn Any>>,
    trains: bool,
}

impl Rename<'_> {
    fn track<const D: usize>(&mut self, id: ParamId, tensor: Tensor<D>) -> Tensor<D> {
        let made = self.tracked.get(&id);
        if let Some(leaf) = made.and_then(|leaf| leaf.downcast_ref::<Tensor<D>>()) {
            return leaf.clone();
        }
        let leaf = tensor.autodiff().require_grad();
        self.tracked.insert(id, Box::new(leaf.clone()));
        leaf
    }
}

impl ModuleMapper for Rename<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let id = *self.renamed.entry(param.id).or_default();
        let (before, tensor, mapper) = param.consume();
        let tensor = match self.wanted.contains(&before) {
            // As a tensor of the model itself where that is tracked: a use of either shows.
            true if tensor.is_require_grad() => tensor,
            true => self.track(before, tensor),
            false => tensor.set_require_grad(false),
        };
        Param::from_mapped_value(id, tensor, mapper)
    }

    fn map_flag(&mut self, flag: Param<Flag>) -> Param<Flag> {
        match self.trains {
            true => flag,
            false => flag.with_value(false),
        }
    }
}
