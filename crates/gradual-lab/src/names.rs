//! Names that become folders.

use anyhow::bail;

/// Longer ones are refused by file systems.
const LONGEST: usize = 100;

/// What the folder of an experiment holds beside its arms.
const TAKEN: [&str; 4] = ["report", "experiment.json", "tensorboard", "names.toml"];

/// Whether a name stands for several: it holds a `*`.
pub(crate) fn is_pattern(name: &str) -> bool {
    name.contains('*')
}

/// Whether what is asked for is `name`, or a pattern as which it begins and ends around the one `*`.
pub(crate) fn stands_for(asked: &str, name: &str) -> bool {
    match asked.split_once('*') {
        None => asked == name,
        Some((begin, end)) => {
            let rest = name.strip_prefix(begin);
            rest.is_some_and(|rest| rest.ends_with(end))
        }
    }
}

/// Refuses a `name` of a `what` that can't be a folder, or would be one elsewhere.
pub(crate) fn check(what: &str, name: &str) -> anyhow::Result<()> {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    if name.is_empty()
        || name.len() > LONGEST
        || name.starts_with('.')
        || !name.chars().all(allowed)
    {
        bail!(
            "{what} {name:?}: the name becomes that of a folder, up to {LONGEST} letters, digits, '-', '_' and '.', and \
             does not begin with '.'"
        );
    }
    // Some file systems take upper and lower case for one.
    if TAKEN.contains(&name.to_lowercase().as_str()) {
        bail!(
            "{what} {name:?}: this name is taken by what else is in the folder; take another one"
        );
    }
    Ok(())
}
