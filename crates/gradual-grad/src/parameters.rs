//! The parameters of a module: identity, path and shape, in visiting order.

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::tensor::{DType, Tensor};
use globset::{Glob, GlobMatcher};

use crate::GradError;

/// One float parameter of a module.
#[derive(Debug, Clone)]
pub(crate) struct Parameter {
    pub(crate) id: ParamId,
    pub(crate) path: String,
    pub(crate) shape: Vec<usize>,
    pub(crate) trainable: bool,
    pub(crate) dtype: DType,
}

/// Lists the float parameters of `module`, each once, and draws those that were still lazy.
pub(crate) fn parameters<M: Module>(module: &M) -> Vec<Parameter> {
    let mut lister = Lister::default();
    module.visit(&mut lister);
    lister.found
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
}

impl ModuleVisitor for Lister {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if self.found.iter().any(|known| known.id == param.id) {
            return;
        }
        let value = param.val();
        self.found.push(Parameter {
            id: param.id,
            path: self.path.join("."),
            shape: value.dims().to_vec(),
            // Off an autodiff device nothing is tracked: ask for what training would track.
            trainable: param.clone().train().is_require_grad(),
            dtype: value.dtype(),
        });
    }

    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }
}
