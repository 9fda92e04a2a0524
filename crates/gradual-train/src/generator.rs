//! The random numbers of a device, of which a process has one generator for all of its runs.
//!
//! Burn's own `init(device)` and dropout draw from it. Whoever has to get the same numbers again seeds it first, and nobody else
//! may seed it or draw from it until the numbers are drawn: fresh weights, and the steps of models that draw. Models that do
//! not, most of them, leave the generator alone, and their steps go on beside all others. Whoever draws outside of this
//! crate (the program itself) is not kept out, so what has to be the same is compared, too.

use std::cell::Cell;
use std::sync::{Mutex, PoisonError};

use burn::module::{Flag, Module, ModuleVisitor, Param};
use burn::tensor::Device;

static GENERATOR: Mutex<()> = Mutex::new(());

thread_local! {
    /// Whether this thread has a turn already: a task may well train one model to make another.
    static HAS_TURN: Cell<bool> = const { Cell::new(false) };
}

/// Runs `draw` while nothing else of this crate seeds a device or draws from it.
pub(crate) fn alone<R>(draw: impl FnOnce() -> R) -> R {
    let Some(_turn) = Turn::begin() else {
        return draw();
    };
    let _lock = GENERATOR.lock().unwrap_or_else(PoisonError::into_inner);
    draw()
}

/// Runs a part of a step. One that draws from the device is [alone], and the device is seeded first.
pub(crate) fn seeded<R>(draws: bool, device: &Device, seed: u64, part: impl FnOnce() -> R) -> R {
    if !draws {
        return part();
    }
    alone(|| {
        device.seed(seed);
        let done = part();
        // What a backend has only queued is not drawn yet. A device that fails says so when it is read.
        let _ = device.sync();
        done
    })
}

/// Whether a model has layers that draw while it learns, as dropout does.
pub(crate) fn is_drawn_from<M: Module>(model: &M) -> bool {
    struct Enabled(bool);
    impl ModuleVisitor for Enabled {
        fn visit_flag(&mut self, flag: &Param<Flag>) {
            self.0 |= flag.is_enabled();
        }
    }
    let mut enabled = Enabled(false);
    model.visit(&mut enabled);
    enabled.0
}

/// The turn of this thread, which ends when it is dropped.
struct Turn;

impl Turn {
    /// None where this thread has a turn.
    fn begin() -> Option<Self> {
        // Not made where it is not wanted: its end would be that of the turn that there is.
        (!HAS_TURN.replace(true)).then(|| Self)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        HAS_TURN.set(false);
    }
}
