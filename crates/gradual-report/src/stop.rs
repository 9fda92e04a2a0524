//! A report that may be asked to stop.

use std::fmt;
use std::sync::Arc;

use crate::ReportError;

/// What tells whether to stop; never, by default.
#[derive(Clone, Default)]
pub(crate) struct Stop(Option<Arc<dyn Fn() -> bool + Send + Sync>>);

impl Stop {
    pub(crate) fn when(asked: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(asked)))
    }

    /// [`ReportError::Interrupted`] once it was asked to.
    pub(crate) fn check(&self) -> Result<(), ReportError> {
        match &self.0 {
            Some(asked) if asked() => Err(ReportError::Interrupted),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Stop").field(&self.0.is_some()).finish()
    }
}
