//! What the taps of a running trace have seen, on this thread.

use std::cell::RefCell;
use std::collections::HashSet;

use burn::module::ParamId;
use burn::tensor::{Device, Tensor};

use super::strategy;
use crate::error::GradError;
use crate::faults::BurnFault;
use crate::gradients::factor::Factor;

/// From the gradient of a leaf to the gradients of parameters.
pub(crate) type Resolve = Box<dyn FnOnce(Tensor<2>) -> Vec<(ParamId, Factor)>>;

/// One use of a layer.
pub(crate) struct Use {
    /// Kind of layer, for the coverage report.
    pub(crate) layer: &'static str,
    /// First axis of the layer's input.
    pub(crate) examples: usize,
    /// Parameters that the use covers, the first naming it.
    pub(crate) parameters: Vec<ParamId>,
    /// A weight and the bias that has the same output-gradients.
    pub(crate) pair: Option<(ParamId, ParamId)>,
    /// The leaf added to the layer's output.
    pub(crate) leaf: Tensor<2>,
    /// Makes factors of the leaf's gradient.
    pub(crate) resolve: Resolve,
}

/// A use that a tap could not record.
pub(crate) struct Refusal {
    pub(crate) parameter: ParamId,
    pub(crate) problem: String,
}

/// What a trace is after, and what its taps have seen so far.
#[derive(Default)]
pub(crate) struct Tape {
    /// Parameters whose gradients are wanted, by the identities of the traced copy.
    pub(crate) wanted: HashSet<ParamId>,
    /// Their identities in the model that was copied.
    pub(crate) originals: HashSet<ParamId>,
    /// A device with the autodiff context of the model, if it has one.
    pub(crate) context: Option<Device>,
    pub(crate) uses: Vec<Use>,
    pub(crate) refusals: Vec<Refusal>,
    /// Weights whose gradient Burn's own backward pass gets wrong in a use that a tap saw.
    pub(crate) faults: Vec<(ParamId, BurnFault)>,
    /// Whether a tap met a trainable parameter of the model itself instead of the copy's.
    pub(crate) bypassed: bool,
    /// Parameters of the model itself, or of a clone, that taps met. Without autodiff nothing tells which.
    pub(crate) met: HashSet<ParamId>,
}

thread_local! {
    static TAPE: RefCell<Option<Tape>> = const { RefCell::new(None) };
}

/// Whether a trace is running on this thread.
pub(crate) fn running() -> bool {
    TAPE.with_borrow(Option::is_some)
}

/// Whether a trace is running on this thread that wants the gradients of the parameter `id`, which is `trainable`.
pub(crate) fn wants(id: ParamId, trainable: impl FnOnce() -> bool) -> bool {
    TAPE.with_borrow_mut(|tape| {
        let Some(tape) = tape else { return false };
        if tape.wanted.contains(&id) {
            return trainable();
        }
        if tape.originals.contains(&id) {
            tape.met.insert(id);
            tape.bypassed |= trainable();
        }
        false
    })
}

/// The device whose autodiff context a leaf has to be given, if not the default.
pub(crate) fn context() -> Option<Device> {
    let context = TAPE.with_borrow(|tape| tape.as_ref().and_then(|tape| tape.context.clone()));
    context.filter(|device| strategy::of(device).is_some_and(|own| own != Default::default()))
}

/// Stops the closure that is traced unless an input on `device` can meet the model.
pub(crate) fn meet(device: &Device) {
    let context = TAPE.with_borrow(|tape| tape.as_ref().map(|tape| tape.context.clone()));
    if let Some(context) = context {
        strategy::meet(context.as_ref(), device);
    }
}

pub(crate) fn record(seen: Use) {
    TAPE.with_borrow_mut(|tape| {
        if let Some(tape) = tape {
            tape.uses.push(seen);
        }
    });
}

pub(crate) fn refuse(parameter: ParamId, problem: String) {
    TAPE.with_borrow_mut(|tape| {
        if let Some(tape) = tape {
            tape.refusals.push(Refusal { parameter, problem });
        }
    });
}

/// Notes that Burn's own backward pass gets the gradient of `parameter` wrong here.
pub(crate) fn fault(parameter: ParamId, fault: BurnFault) {
    TAPE.with_borrow_mut(|tape| {
        if let Some(tape) = tape {
            tape.faults.push((parameter, fault));
        }
    });
}

/// Runs `f` with this tape, and hands the tape back. The tape is put away even if `f` panics.
pub(crate) fn with_tape<O>(tape: Tape, f: impl FnOnce() -> O) -> Result<(O, Tape), GradError> {
    struct PutAway;
    impl Drop for PutAway {
        fn drop(&mut self) {
            TAPE.with_borrow_mut(Option::take);
        }
    }

    if running() {
        return Err(GradError::Nested);
    }
    TAPE.set(Some(tape));
    let guard = PutAway;
    let output = f();
    let tape = TAPE.take().unwrap_or_default();
    drop(guard);
    Ok((output, tape))
}
