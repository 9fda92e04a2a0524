//! What capabilities are composed of.

use std::collections::BTreeMap;

/// Capabilities each of which is composed of the next, and the last of the first, which no sound capabilities are: their
/// names, the first one at both ends; `None` where there is no such cycle.
///
/// Each capability comes with the names of its parts. Parts that are not among the capabilities are passed over. Takes
/// time in proportion to the number of parts, and some more to find names.
///
/// ```
/// use gradual_measure::cycle_of_parts;
///
/// let parts = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
/// let (none, of_sum, of_both) = (parts(&[]), parts(&["sum"]), parts(&["copy", "twice"]));
/// assert_eq!(cycle_of_parts([("copy", &none[..]), ("sum", &none), ("twice", &of_sum)]), None);
/// let cycle = cycle_of_parts([("copy", &none[..]), ("sum", &of_both), ("twice", &of_sum)]);
/// assert_eq!(cycle.unwrap(), ["sum", "twice", "sum"]);
/// ```
#[must_use]
pub fn cycle_of_parts<'a>(
    capabilities: impl IntoIterator<Item = (&'a str, &'a [String])>,
) -> Option<Vec<&'a str>> {
    let parts: BTreeMap<&str, &[String]> = capabilities.into_iter().collect();
    let known = |name: &&str| parts.contains_key(name);
    let known_parts = |name: &str| {
        let all = parts.get(name).copied().unwrap_or_default();
        all.iter().map(String::as_str).filter(known)
    };
    // Who is composed of nothing that is left is taken away, as long as there is somebody: cycles stay.
    let mut left: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wholes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for &name in parts.keys() {
        left.insert(name, known_parts(name).count());
        for part in known_parts(name) {
            wholes.entry(part).or_default().push(name);
        }
    }
    let simple = left.iter().filter(|&(_, &parts)| parts == 0);
    let mut simple: Vec<&str> = simple.map(|(&name, _)| name).collect();
    while let Some(name) = simple.pop() {
        left.remove(name);
        for whole in wholes.get(name).into_iter().flatten() {
            if let Some(parts) = left.get_mut(whole) {
                *parts -= 1;
                if *parts == 0 {
                    simple.push(whole);
                }
            }
        }
    }
    // Each that is left has a part that is left.
    let mut way: Vec<&str> = Vec::new();
    let mut places: BTreeMap<&str, usize> = BTreeMap::new();
    let mut next = left.keys().next().copied();
    while let Some(name) = next {
        let before = places.insert(name, way.len());
        way.push(name);
        if let Some(begin) = before {
            return Some(way.split_off(begin));
        }
        next = known_parts(name).find(|part| left.contains_key(part));
    }
    None
}
