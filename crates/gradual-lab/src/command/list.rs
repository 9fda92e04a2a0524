//! What there is.

use gradual::grad::registry::METRICS;
use gradual::group::registry::{GROUPINGS, WRAPPERS};
use gradual::loss::registry::{COMPOSITIONS, RULES, SCALES, WRAPPERS as COMPOSITION_WRAPPERS};
use gradual::train::registry::{OPTIMIZERS, SAMPLERS};
use gradual_registry::Registry;

use crate::experiment;

/// The experiments, their arms, and what recipes can be made of.
pub(super) fn list() -> anyhow::Result<String> {
    let mut text = String::new();
    for listed in experiment::list()? {
        text += &format!("{:24} {}\n", listed.name, listed.about);
        for (arm, usual) in listed.arms {
            let when = match usual {
                true => "",
                false => " (only when named in --arms)",
            };
            text += &format!("  {:22} {}{when}\n", arm.name, arm.about);
        }
    }
    text += "\nRecipes, for --arm and for arms in files, are made of:\n";
    text += &entries(&GROUPINGS);
    text += &entries(&WRAPPERS);
    text += &entries(&METRICS);
    text += &entries(&COMPOSITIONS);
    text += &entries(&COMPOSITION_WRAPPERS);
    text += &entries(&RULES);
    text += &entries(&SCALES);
    text += &entries(&SAMPLERS);
    text += &entries(&OPTIMIZERS);
    Ok(text)
}

fn entries<C, T>(registry: &Registry<C, T>) -> String {
    let mut text = format!("\n{}s\n", registry.kind());
    for entry in registry.iter() {
        text += &format!("  {:22} {}\n", entry.name, entry.about);
        for parameter in entry.parameters {
            text += &format!("    {parameter}\n");
        }
    }
    text
}
