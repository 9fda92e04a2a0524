//! What there is, from the registries.

use std::fmt::Write as _;

use gradual::group::registry::{GROUPINGS, WRAPPERS};
use gradual::loss::registry::{COMPOSITIONS, RULES, SCALES, WRAPPERS as COMPOSITION_WRAPPERS};
use gradual_registry::Registry;

/// Every name with its parameters.
pub(crate) fn list() -> String {
    let mut text = String::new();
    entries(&mut text, "--grouping", &GROUPINGS);
    entries(&mut text, "--wrapper", &WRAPPERS);
    entries(&mut text, "--composition", &COMPOSITIONS);
    entries(&mut text, "--composition", &RULES);
    entries(&mut text, "--composition-wrapper", &COMPOSITION_WRAPPERS);
    entries(&mut text, "--scale", &SCALES);
    text
}

fn entries<C, T>(text: &mut String, flag: &str, registry: &Registry<C, T>) {
    // Writing to a string does not fail.
    let _ = writeln!(text, "{}s, for {flag}", registry.kind());
    for entry in registry.iter() {
        let _ = writeln!(text, "  {:22} {}", entry.name, entry.about);
        for parameter in entry.parameters {
            let _ = writeln!(text, "    {parameter}");
        }
    }
    text.push('\n');
}
