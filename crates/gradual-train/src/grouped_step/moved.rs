//! Whether a model has moved from one call to the next.

use std::thread::{self, ThreadId};

use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use gradual_grad::host::read;

use crate::error::TrainError;

/// A model as one call saw it, represented by the tensor of one of its parameters.
///
/// An optimizer makes a new tensor of every parameter that it has a gradient for, whatever the learning rate and the
/// gradient; a copy of a model shares those that it was made with.
pub(crate) struct SeenModel {
    /// Its one parameter.
    id: ParamId,
    value: GradientsParams,
    device: Device,
    thread: ThreadId,
}

/// What became of a model since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Moved,
    Unmoved,
    /// It is another copy with the same numbers, or on another device.
    Copied,
}

impl SeenModel {
    /// The model by its smallest trainable parameter: of those that `update` has a gradient for, where there is one.
    pub(crate) fn of<M: Module>(model: &M, update: Option<&GradientsParams>) -> Option<Self> {
        let mut smallest = Smallest {
            update: update.filter(|update| !update.is_empty()),
            found: None,
        };
        model.visit(&mut smallest);
        let (_, seen) = smallest.found?;
        Some(seen)
    }

    /// What became of the model. Waits for the device when the call comes from another thread, to compare numbers.
    pub(crate) fn since<M: Module>(&self, model: &M) -> Result<Change, TrainError> {
        let mut comparison = Comparison {
            seen: self,
            same_thread: thread::current().id() == self.thread,
            found: Ok(Change::Moved),
        };
        model.visit(&mut comparison);
        comparison.found
    }
}

struct Smallest<'a> {
    update: Option<&'a GradientsParams>,
    found: Option<(usize, SeenModel)>,
}

impl ModuleVisitor for Smallest<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = param.val();
        let size = value.shape().num_elements();
        let smaller = self.found.as_ref().is_none_or(|(least, _)| size < *least);
        let updated = |update: &GradientsParams| update.get::<D>(param.id).is_some();
        if !smaller || !value.is_require_grad() || !self.update.is_none_or(updated) {
            return;
        }
        let device = value.device();
        let mut held = GradientsParams::new();
        held.register(param.id, value);
        let seen = SeenModel {
            id: param.id,
            value: held,
            device,
            thread: thread::current().id(),
        };
        self.found = Some((size, seen));
    }
}

struct Comparison<'a> {
    seen: &'a SeenModel,
    same_thread: bool,
    found: Result<Change, TrainError>,
}

impl ModuleVisitor for Comparison<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if param.id != self.seen.id {
            return;
        }
        let (Some(before), now) = (self.seen.value.get::<D>(param.id), param.val()) else {
            return;
        };
        if now.device() != self.seen.device {
            self.found = Ok(Change::Copied);
            return;
        }
        // The same leaf of a graph, and no other, has the gradient of what is computed from it.
        let is_leaf = now.is_require_grad();
        if is_leaf && before.grad(&now.clone().sum().backward()).is_some() {
            self.found = Ok(Change::Unmoved);
            return;
        }
        if self.same_thread || now.dims() != before.dims() {
            return;
        }
        let difference = (now.inner() - before.inner()).abs().max();
        let difference = read::<f32, 1>(difference).map_err(|problem| TrainError::Read {
            operation: "grouped step",
            problem,
        });
        self.found = difference.map(|difference| match difference.first() {
            Some(0.0) => Change::Copied,
            _ => Change::Moved,
        });
    }
}
