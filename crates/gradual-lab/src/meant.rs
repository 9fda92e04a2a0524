//! What somebody may have meant.

use gradual_registry::nearest;

/// The known name that is most like `given`, as the end of a message; nothing if none is.
pub(crate) fn meant<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let near = nearest(given, known);
    near.map_or_else(String::new, |near| format!(", did you mean '{near}'?"))
}
