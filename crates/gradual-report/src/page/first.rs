//! The first picture of a report: what its first claim is about.

use crate::figures::Figure;
use crate::folder::{Arm, Folder};
use crate::text::escape;

/// The figure of capability curves.
pub(super) const CURVES: &str = "curves";

/// The capability curves of the baseline and of one arm side by side.
///
/// The arm is that of the first claim whose arm has runs, and without such a claim the first in the order of the experiment,
/// so that nothing is chosen by how it came out.
pub(super) fn html(folder: &Folder, figures: &[Figure], pointed: usize) -> String {
    let curves = figures.iter().find(|figure| figure.data.name == CURVES);
    let Some(curves) = curves else {
        return String::new();
    };
    let (arm, chosen) = chosen(folder);
    let baseline = arm.map_or(&folder.baseline, |arm| &arm.baseline);
    let baseline = folder.arm(baseline);
    let panel = |arm: &Arm| {
        let panel = curves.panels.iter().find(|panel| panel.arm == arm.label)?;
        Some(format!(
            "<div class=\"panel\">{}</div>\n",
            panel.inline(pointed)
        ))
    };
    let panels: Vec<String> = baseline.into_iter().chain(arm).filter_map(panel).collect();
    if panels.is_empty() {
        return String::new();
    }
    let named = |arm: &Arm| format!("<code>{}</code>", escape(&arm.label));
    let who = match (baseline, arm) {
        (Some(baseline), Some(arm)) => format!(
            "the baseline {} and {}, {chosen}",
            named(baseline),
            named(arm)
        ),
        (Some(baseline), None) => format!("the baseline {}", named(baseline)),
        (None, Some(arm)) => format!("{}, {chosen}", named(arm)),
        (None, None) => return String::new(),
    };
    format!(
        "<figure class=\"first\">\n<div class=\"panels pair\">\n{}</div>\n<figcaption>Skill (accuracy above chance, 1 is perfect) against \
         optimizer steps, mean over seeds: {who}. One line per capability; the thick line is their \
         mean.</figcaption>\n</figure>\n",
        panels.concat()
    )
}

/// An arm that is compared with the baseline, and by what rule it was chosen.
fn chosen(folder: &Folder) -> (Option<&Arm>, &'static str) {
    let with_runs = |arm: &&Arm| !arm.runs.is_empty() && arm.name != arm.baseline;
    let claimed = folder.stated.iter().map(|stated| &stated.claim.arm);
    let claimed = claimed.enumerate().find_map(|(index, name)| {
        let arm = folder.arm(name).filter(with_runs)?;
        Some((index, arm))
    });
    match claimed {
        Some((0, arm)) => return (Some(arm), "the arm of the first claim"),
        Some((_, arm)) => return (Some(arm), "the arm of the first claim that has runs"),
        None => {}
    }
    let first = folder.arms.iter().find(with_runs);
    (first, "the first arm of the experiment beside it")
}
