//! What somebody may have meant.

/// The least similarity (Jaro & Winkler 1990, 0 to 1) of a name that is offered.
const ALIKE: f64 = 0.75;
/// Characters of a name that are compared: time grows with their square.
const COMPARED: usize = 64;

/// The name that is most like `given`, if any is like it at all; capitals are no difference.
pub fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |name: &str| {
        let letters = name.chars().take(COMPARED);
        letters.flat_map(char::to_lowercase).collect::<String>()
    };
    let given = plain(given);
    known
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&given, &plain(name)), name))
        .filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}
