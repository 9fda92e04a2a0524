//! The parameters of a model before a step: all there, and some to be trained.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;

use crate::TrainError;

/// Draws the parameters of `model` that are still lazy.
///
/// Copies of a module share what is lazy, its settings included: of a model that was not drawn yet,
/// `model.clone().no_grad()` takes the gradients of the model itself away, for ever.
pub(crate) fn draw<M: Module>(model: &M) {
    model.visit(&mut Drawer::default());
}

/// The same, of a model that can be trained.
///
/// # Errors
///
/// [`TrainError::NothingTrained`] naming the parameters, when all are frozen or there are none;
/// [`TrainError::NoLeaf`] for one that a backward pass would leave without a gradient.
pub(crate) fn trainable<M: Module>(model: &M) -> Result<(), TrainError> {
    let mut drawer = Drawer::default();
    model.visit(&mut drawer);
    match (drawer.no_leaf, drawer.trainable) {
        (Some(parameter), _) => Err(TrainError::NoLeaf { parameter }),
        (None, true) => Ok(()),
        (None, false) => Err(TrainError::NothingTrained {
            parameters: drawer.paths,
        }),
    }
}

#[derive(Default)]
struct Drawer {
    path: Vec<String>,
    paths: Vec<String>,
    trainable: bool,
    /// The first parameter that was computed from another tensor.
    no_leaf: Option<String>,
}

impl ModuleVisitor for Drawer {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = param.val();
        match (value.is_require_grad(), value.is_tracked()) {
            (true, _) => self.trainable = true,
            (false, true) => {
                self.no_leaf.get_or_insert_with(|| self.path.join("."));
            }
            // Off an autodiff device nothing is tracked: ask for what training would track.
            (false, false) if !self.trainable => {
                self.trainable = param.clone().train().is_require_grad();
            }
            (false, false) => {}
        }
        if !self.trainable {
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
