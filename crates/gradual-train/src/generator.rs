//! The random numbers of a device, of which a process has one generator for all of its runs.
//!
//! Burn's own `init(device)` and dropout draw from it. Whoever has to get the same numbers again seeds it first, and no step of
//! another run may seed it or draw from it until the numbers are drawn. Steps of different runs do go on together: what they
//! draw is a mask of dropout at most. Whoever draws outside of steps (evaluations, looks for a lens, the program itself) is not
//! kept out, so what has to be the same is compared, too.

use std::cell::Cell;
use std::sync::{PoisonError, RwLock};

static GENERATOR: RwLock<()> = RwLock::new(());

thread_local! {
    /// Whether this thread has a turn already: a task may well train one model to make another.
    static HAS_TURN: Cell<bool> = const { Cell::new(false) };
}

/// Runs `draw` while nothing else of this crate seeds a device or draws from it.
pub(crate) fn alone<R>(draw: impl FnOnce() -> R) -> R {
    let Some(_turn) = Turn::begin() else {
        return draw();
    };
    let _lock = GENERATOR.write().unwrap_or_else(PoisonError::into_inner);
    draw()
}

/// Runs `draw` beside others like it, but beside nothing that has to be [alone].
pub(crate) fn together<R>(draw: impl FnOnce() -> R) -> R {
    let Some(_turn) = Turn::begin() else {
        return draw();
    };
    let _lock = GENERATOR.read().unwrap_or_else(PoisonError::into_inner);
    draw()
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
