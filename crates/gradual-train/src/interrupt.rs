use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A wish that runs come to a stop, which may be made from another thread or a signal handler.
///
/// A run that sees it finishes its step, keeps a checkpoint and ends as
/// [`End::Interrupted`](crate::End::Interrupted). Clones share the wish.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Asks to stop.
    pub fn ask(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether somebody asked.
    pub fn asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
