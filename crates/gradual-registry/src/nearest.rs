//! What somebody may have meant.

/// The least similarity (Jaro & Winkler 1990, 0 to 1) of a name that is offered.
const ALIKE: f64 = 0.75;

/// The name that is most like `given`, if any is like it at all.
pub fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let given = given.to_lowercase();
    known
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&given, name), name))
        .filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}
