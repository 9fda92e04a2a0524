//! Whoever wants to hear the notes of a report.

use std::fmt;
use std::sync::Arc;

/// Notes that are told one by one.
const MOST: usize = 10;

/// What is told a note.
type Listener = dyn Fn(&str) + Send + Sync;

/// A listener; nobody, by default.
#[derive(Clone, Default)]
pub(crate) struct Heard(Option<Arc<Listener>>);

impl Heard {
    pub(crate) fn by(listener: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(listener)))
    }

    /// Tells the first of these notes, and how many more there are.
    pub(crate) fn tell(&self, notes: &[String]) {
        let Some(listener) = &self.0 else {
            return;
        };
        notes.iter().take(MOST).for_each(|note| listener(note));
        match notes.len().saturating_sub(MOST) {
            0 => {}
            1 => listener("The report has one more note."),
            more => listener(&format!("The report has {more} more notes.")),
        }
    }
}

impl fmt::Debug for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Heard").field(&self.0.is_some()).finish()
    }
}
