//! What somebody may have meant.

/// The least similarity (Jaro & Winkler 1990, 0 to 1) of a name that is offered.
const ALIKE: f64 = 0.75;
/// Characters of a name that are compared: time grows with their square.
const COMPARED: usize = 64;
/// Similarity of a name that is one slip away. Short words with two letters swapped have little in common otherwise.
const ONE_SLIP: f64 = 0.9;

/// The name that is most like `given`, if any is like it at all; capitals are no difference.
pub fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |name: &str| {
        let letters = name.chars().take(COMPARED);
        letters.flat_map(char::to_lowercase).collect::<String>()
    };
    let given = plain(given);
    known
        .into_iter()
        .map(|name| (similarity(&given, &plain(name)), name))
        .filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

fn similarity(given: &str, name: &str) -> f64 {
    let alike = strsim::jaro_winkler(given, name);
    let long_enough = given.chars().count() > 2;
    match long_enough && strsim::osa_distance(given, name) == 1 {
        true => alike.max(ONE_SLIP),
        false => alike,
    }
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn slips_are_recognised_and_strangers_are_not() {
        let known = ["erm", "grouped", "svd", "k"];
        for (given, expected) in [
            ("emr", Some("erm")),
            ("sdv", Some("svd")),
            ("Groupd", Some("grouped")),
            ("x", None),
            ("spectral", None),
            ("", None),
        ] {
            assert_eq!(nearest(given, known), expected, "{given}");
        }
    }
}
