//! The parameters of a module: identity, path and shape, in visiting order; and the copy of it that a trace runs.

use std::any::Any;
use std::collections::{HashMap, HashSet};

use burn::module::{Flag, Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::{DType, Device, Gradients, Tensor};
use globset::{Glob, GlobMatcher};

use crate::GradError;
use crate::host::read_together;

/// One float parameter of a module.
#[derive(Debug, Clone)]
pub(crate) struct Parameter {
    pub(crate) id: ParamId,
    pub(crate) path: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) trainable: bool,
    /// Further paths under which the same parameter stands: clones of a layer.
    pub(crate) shared: Vec<String>,
    pub(crate) dtype: DType,
}

/// Lists the float parameters of `module`, each once, and draws those that were still lazy.
///
/// # Errors
///
/// [`GradError::Identity`] when two places have one identity and are not one parameter; [`GradError::NoLeaf`] for a
/// parameter that was computed from another tensor.
pub(crate) fn parameters<M: Module>(module: &M) -> Result<Vec<Parameter>, GradError> {
    let mut lister = Lister::default();
    module.visit(&mut lister);
    if let Some(path) = lister.no_leaf {
        return Err(GradError::NoLeaf { path });
    }
    if let Some([one, other]) = lister.at_odds {
        let problem = "one is trained and the other is not";
        return Err(GradError::Identity {
            one,
            other,
            problem,
        });
    }
    same_values(module, &lister.found)?;
    Ok(lister.found)
}

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
    struct Draw;
    impl ModuleVisitor for Draw {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let _ = param.base();
        }
    }
    struct Own(HashMap<ParamId, ParamId>);
    impl ModuleMapper for Own {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let id = *self.0.entry(param.id).or_default();
            let (_, tensor, mapper) = param.set_require_grad(false).consume();
            Param::from_mapped_value(id, tensor, mapper)
        }
    }
    // A lazy parameter shares what is asked of it with all of its clones.
    model.visit(&mut Draw);
    model.valid().map(&mut Own(HashMap::new()))
}

/// A glob over parameter paths; `*` matches any characters, dots too.
pub(crate) fn glob(pattern: &str) -> Result<GlobMatcher, GradError> {
    let glob = Glob::new(pattern).map_err(|error| GradError::Glob {
        pattern: pattern.to_owned(),
        problem: error.kind().to_string(),
    })?;
    Ok(glob.compile_matcher())
}

#[derive(Default)]
struct Lister {
    path: Vec<String>,
    found: Vec<Parameter>,
    /// Two paths of one identity, of which one is trainable.
    at_odds: Option<[String; 2]>,
    /// The first parameter that was computed from another tensor.
    no_leaf: Option<String>,
}

impl ModuleVisitor for Lister {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let path = self.path.join(".");
        let value = param.val();
        if value.is_tracked() && !value.is_require_grad() {
            self.no_leaf.get_or_insert(path);
            return;
        }
        // Off an autodiff device nothing is tracked: ask for what training would track.
        let trainable = param.clone().train().is_require_grad();
        let Some(known) = self.found.iter_mut().find(|known| known.id == param.id) else {
            self.found.push(Parameter {
                id: param.id,
                path,
                shape: value.dims().to_vec(),
                trainable,
                shared: Vec::new(),
                dtype: value.dtype(),
            });
            return;
        };
        if known.trainable != trainable {
            self.at_odds.get_or_insert([known.path.clone(), path]);
        } else {
            known.shared.push(path);
        }
    }

    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }
}

/// Whether all trainable places of one identity hold the same numbers. Reads from the device only where there are
/// several.
fn same_values<M: Module>(module: &M, found: &[Parameter]) -> Result<(), GradError> {
    struct Values(HashMap<ParamId, Vec<(Vec<usize>, Tensor<1>)>>);
    impl ModuleVisitor for Values {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(values) = self.0.get_mut(&param.id) {
                let value = param.val().inner();
                let size = value.shape().num_elements();
                values.push((value.dims().to_vec(), value.reshape([size])));
            }
        }
    }
    let several = |each: &&Parameter| each.trainable && !each.shared.is_empty();
    let shared: Vec<&Parameter> = found.iter().filter(several).collect();
    if shared.is_empty() {
        return Ok(());
    }
    let mut values = Values(shared.iter().map(|each| (each.id, Vec::new())).collect());
    module.visit(&mut values);
    for each in shared {
        let places = &values.0[&each.id];
        let (shape, first) = &places[0];
        for ((other_shape, other), path) in places[1..].iter().zip(&each.shared) {
            let same = shape == other_shape
                && equal(first, other).map_err(|problem| {
                    let operation = "trace";
                    GradError::Read { operation, problem }
                })?;
            if !same {
                return Err(GradError::Identity {
                    one: each.path.clone(),
                    other: path.clone(),
                    problem: "their values differ",
                });
            }
        }
    }
    Ok(())
}

/// Equal number by number, without a rounding.
fn equal(one: &Tensor<1>, other: &Tensor<1>) -> Result<bool, String> {
    let differs = one
        .clone()
        .not_equal(other.clone().to_device(&one.device()));
    let [count] = read_together::<f64, 1>([differs.float().max()])?;
    Ok(count.iter().all(|&count| count == 0.0))
}

/// What a trace runs in the place of a model: a copy whose parameters have identities of their own, so that no other
/// module's can be taken for them.
pub(crate) struct Copied<M> {
    pub(crate) model: M,
    /// From the model's identities to those of the copy.
    pub(crate) renamed: HashMap<ParamId, ParamId>,
    /// A device with the autodiff context of the model, if it has one.
    pub(crate) context: Option<Device>,
}

impl<M: Module> Copied<M> {
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
