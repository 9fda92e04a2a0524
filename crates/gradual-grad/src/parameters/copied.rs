//! The copy of a model that a trace runs.

use std::any::Any;
use std::collections::{HashMap, HashSet};

use burn::module::{Flag, Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::{Device, Gradients, Tensor};

/// What is known of the copy of a model that a trace runs in its place. Its parameters have identities of their own, so that
/// no other module's can be taken for them.
pub(crate) struct Copied {
    /// From the model's identities to those of the copy.
    pub(crate) renamed: HashMap<ParamId, ParamId>,
    /// A device with the autodiff context of the model, if it has one.
    pub(crate) context: Option<Device>,
    tracked: Tracked,
}

/// The leaves of a copy, by its identities. Those of one identity may be several.
type Tracked = HashMap<ParamId, Vec<Box<dyn Leaf>>>;

/// A copy of `model`, and what is known of it.
///
/// The parameters in `wanted` are tracked, on any device, so that a gradient shows where they were used without a
/// tap; all others are constants. A model that is on no autodiff device is copied without its training behaviour
/// (dropout), which it has not there either.
pub(crate) fn copied<M: Module>(model: &M, wanted: &HashSet<ParamId>) -> (M, Copied) {
    let mut find = Context(None);
    model.visit(&mut find);
    let mut rename = Rename {
        wanted,
        renamed: HashMap::new(),
        tracked: Tracked::new(),
        trains: find.0.is_some(),
    };
    let model = model.clone().map(&mut rename);
    let copied = Copied {
        renamed: rename.renamed,
        context: find.0,
        tracked: rename.tracked,
    };
    (model, copied)
}

impl Copied {
    /// Gradients that have reached the parameters themselves, flattened, by the identities of the copy.
    pub(crate) fn reached(&self, gradients: &Gradients) -> HashMap<ParamId, Tensor<1>> {
        let of = |leaves: &Vec<Box<dyn Leaf>>| {
            let mut leaves = leaves.iter().rev();
            leaves.find_map(|leaf| leaf.gradient(gradients))
        };
        let tracked = self.tracked.iter();
        tracked
            .filter_map(|(&id, leaves)| Some((id, of(leaves)?)))
            .collect()
    }
}

/// A tracked parameter of some number of axes.
trait Leaf: Any {
    /// Its gradient, flattened, where one has arrived.
    fn gradient(&self, gradients: &Gradients) -> Option<Tensor<1>>;
}

impl<const D: usize> Leaf for Tensor<D> {
    fn gradient(&self, gradients: &Gradients) -> Option<Tensor<1>> {
        let gradient = self.grad(gradients)?;
        let size = gradient.shape().num_elements();
        Some(gradient.reshape([size]))
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
    tracked: Tracked,
    trains: bool,
}

impl Rename<'_> {
    fn track<const D: usize>(&mut self, id: ParamId, tensor: Tensor<D>) -> Tensor<D> {
        let leaves = self.tracked.entry(id).or_default();
        let known = leaves.first().map(|leaf| &**leaf as &dyn Any);
        let leaf = match known.and_then(|leaf| leaf.downcast_ref::<Tensor<D>>()) {
            // As a tensor of the model itself where that is tracked: a use of either shows.
            _ if tensor.is_require_grad() => tensor,
            // Clones of a layer share what is made here.
            Some(leaf) => return leaf.clone(),
            None => tensor.autodiff().require_grad(),
        };
        leaves.push(Box::new(leaf.clone()));
        leaf
    }
}

impl ModuleMapper for Rename<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let id = *self.renamed.entry(param.id).or_default();
        let (before, tensor, mapper) = param.consume();
        let tensor = match self.wanted.contains(&before) {
            true => self.track(id, tensor),
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
