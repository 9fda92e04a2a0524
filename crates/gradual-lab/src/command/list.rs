//! What there is.

use gradual::grad::registry::METRICS;
use gradual::group::registry::{GROUPINGS, WRAPPERS};
use gradual::loss::registry::{COMPOSITIONS, RULES, SCALES, WRAPPERS as COMPOSITION_WRAPPERS};
use gradual::train::registry::{OPTIMIZERS, SAMPLERS};
use gradual_registry::Registry;

use crate::experiment;

/// Prints the experiments, their arms, and what recipes can be made of.
pub(super) fn list() -> anyhow::Result<()> {
    for listed in experiment::list()? {
        println!("{:24} {}", listed.name, listed.about);
        for (arm, usual) in listed.arms {
            let when = if usual {
                ""
            } else {
                " (only when named in --arms)"
            };
            println!("  {:22} {}{when}", arm.name, arm.about);
        }
    }
    println!("\nRecipes, for --arm and for arms in files, are made of:");
    print(&GROUPINGS);
    print(&WRAPPERS);
    print(&METRICS);
    print(&COMPOSITIONS);
    print(&COMPOSITION_WRAPPERS);
    print(&RULES);
    print(&SCALES);
    print(&SAMPLERS);
    print(&OPTIMIZERS);
    Ok(())
}

fn print<C, T>(registry: &Registry<C, T>) {
    println!("\n{}s", registry.kind());
    for entry in registry.iter() {
        println!("  {:22} {}", entry.name, entry.about);
        for parameter in entry.parameters {
            println!("    {parameter}");
        }
    }
}
