//! The groups of a file, those of a single line put together.

use crate::finite::groups::tell_apart;

/// Groups of two lines at least, of two lines or more in all. Of those with one line alone nothing would be left to be
/// measured on, so that they are one group together, whose name says so; if there is one such line alone, it is of the
/// smallest of the others.
pub(super) fn measurable(groups: Vec<(String, Vec<u32>)>) -> Vec<(String, Vec<u32>)> {
    let (mut kept, single): (Vec<_>, Vec<_>) =
        groups.into_iter().partition(|(_, lines)| lines.len() > 1);
    let mut lines: Vec<u32> = single
        .iter()
        .flat_map(|(_, lines)| lines)
        .copied()
        .collect();
    lines.sort_unstable();
    let smallest = kept.iter_mut().min_by_key(|(_, lines)| lines.len());
    match (single.as_slice(), smallest) {
        ([], _) => {}
        ([(name, _)], Some(smallest)) => {
            smallest.0 += &format!(" (and {name}, a single line)");
            smallest.1.extend(lines);
            smallest.1.sort_unstable();
        }
        (several, _) => {
            let name = format!("other ({} groups of a single line)", several.len());
            kept.push((name, lines));
        }
    }
    let mut names: Vec<String> = kept.iter().map(|(name, _)| name.clone()).collect();
    tell_apart(&mut names);
    for ((name, _), told) in kept.iter_mut().zip(names) {
        *name = told;
    }
    kept
}
