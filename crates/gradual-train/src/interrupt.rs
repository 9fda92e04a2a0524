use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A request to stop runs, which may come from another thread or a signal handler.
///
/// A run that sees it finishes its step, keeps a checkpoint and ends as
/// [`End::Interrupted`](crate::End::Interrupted). Clones share the request.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Asks to stop.
    pub fn ask(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether a stop was requested.
    pub fn asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
