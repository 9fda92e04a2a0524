//! The parameters of a module: identity, path and shape, in visiting order.

pub(crate) mod copied;
pub(crate) mod frozen;
pub(crate) mod globs;

use std::collections::HashMap;

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::tensor::{DType, Tensor};

use crate::error::GradError;
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

/// Lists the float parameters of `module`, each once, and initialises those that are still lazy.
///
/// # Errors
///
/// [`GradError::Identity`] when two places have one identity and are not one parameter; [`GradError::NoLeaf`] for a
/// parameter that was computed from another tensor.
pub(crate) fn parameters<M: Module>(module: &M) -> Result<Vec<Parameter>, GradError> {
    let lister = Lister::of(module);
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

/// Paths of the float parameters of a model, all of which are there: see [`draw_parameters`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DrawnParameters {
    /// Those that are trained.
    pub trainable: Vec<String>,
    /// Those that are frozen, running statistics among them.
    pub frozen: Vec<String>,
}

/// Draws the parameters of `model` that are still lazy, and says which there are.
///
/// Copies of a module share lazy parameters and their settings: on a model that is not initialised yet,
/// `model.clone().no_grad()` switches off the gradients of the model itself, for ever.
///
/// # Errors
///
/// [`GradError::NoLeaf`] for a parameter that was computed from another tensor on an autodiff device; the others are
/// drawn even so.
pub fn draw_parameters<M: Module>(model: &M) -> Result<DrawnParameters, GradError> {
    let lister = Lister::of(model);
    if let Some(path) = lister.no_leaf {
        return Err(GradError::NoLeaf { path });
    }
    let mut drawn = DrawnParameters::default();
    for parameter in lister.found {
        match parameter.trainable {
            true => drawn.trainable.push(parameter.path),
            false => drawn.frozen.push(parameter.path),
        }
    }
    Ok(drawn)
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

impl Lister {
    fn of<M: Module>(module: &M) -> Self {
        let mut lister = Self::default();
        module.visit(&mut lister);
        lister
    }
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
