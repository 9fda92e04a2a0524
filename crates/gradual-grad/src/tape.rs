//! What the taps of a running trace have seen, on this thread.

use std::cell::RefCell;

use burn::module::ParamId;
use burn::tensor::Tensor;

use crate::BurnFault;
use crate::GradError;
use crate::factor::Factor;

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

#[derive(Default)]
pub(crate) struct Tape {
    pub(crate) uses: Vec<Use>,
    pub(crate) refusals: Vec<Refusal>,
    /// Weights whose gradient Burn's own backward pass gets wrong in a use that a tap saw.
    pub(crate) faults: Vec<(ParamId, BurnFault)>,
}

thread_local! {
    static TAPE: RefCell<Option<Tape>> = const { RefCell::new(None) };
}

/// Whether a trace is running on this thread.
pub(crate) fn recording() -> bool {
    TAPE.with_borrow(Option::is_some)
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

/// Runs `f` with a fresh tape, and hands the tape back. The tape is put away even if `f` panics.
pub(crate) fn with_tape<O>(f: impl FnOnce() -> O) -> Result<(O, Tape), GradError> {
    struct PutAway;
    impl Drop for PutAway {
        fn drop(&mut self) {
            TAPE.with_borrow_mut(Option::take);
        }
    }

    if recording() {
        return Err(GradError::Nested);
    }
    TAPE.set(Some(Tape::default()));
    let guard = PutAway;
    let output = f();
    let tape = TAPE.take().unwrap_or_default();
    drop(guard);
    Ok((output, tape))
}
