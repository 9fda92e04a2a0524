//! Examples that no group holds.

use burn::tensor::DType;
use gradual::group::Groups;

use super::Loaded;
use crate::numbers::numbers;

/// How many examples lie in no group, and how many of these because their gradients are nearly zero; none where all lie in
/// one.
pub(super) fn note(loaded: &Loaded, groups: &Groups) -> anyhow::Result<Option<String>> {
    let outside = outside(groups)?;
    if outside.is_empty() {
        return Ok(None);
    }
    let examples = |count: usize| match count {
        1 => String::from("1 example"),
        many => format!("{many} examples"),
    };
    let mut note = format!(
        "of {}, {} in no group",
        examples(loaded.n),
        match outside.len() {
            1 => String::from("1 lies"),
            many => format!("{many} lie"),
        }
    );
    if let Some(norms) = loaded.norms() {
        // Below it, squares are zero.
        let least = match norms.dtype() {
            DType::F64 => f64::MIN_POSITIVE.sqrt(),
            _ => f64::from(f32::MIN_POSITIVE.sqrt()),
        };
        let norms = numbers(&norms)?;
        let still = outside.iter().filter(|&&example| norms[example] < least);
        match still.count() {
            0 => {}
            still => note.push_str(&format!(
                "; the gradients of {} are zero or shorter than {least:.0e}, and so have no direction",
                examples(still)
            )),
        }
    }
    Ok(Some(note))
}

/// The examples without a group of their own, or without a membership that is not zero.
fn outside(groups: &Groups) -> anyhow::Result<Vec<usize>> {
    let n = groups.num_examples();
    if let Some(assignment) = groups.assignment() {
        let none = (0..n).filter(|&example| assignment[example].is_none());
        return Ok(none.collect());
    }
    let memberships = numbers(groups.membership())?;
    let none = (0..n).filter(|example| {
        let mut own = memberships.iter().skip(*example).step_by(n);
        own.all(|&membership| membership == 0.0)
    });
    Ok(none.collect())
}
