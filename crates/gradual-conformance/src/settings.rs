//! Everything in a registry, with the settings that the suite computes it with.

use anyhow::Context;
use gradual_registry::{Registry, Spec};

/// Every entry of `registry` with those of the `settings` that name it, or with its defaults if none does. So whatever
/// is in the registry is computed, and what has to be given says so.
pub(crate) fn specs<C, T>(
    registry: &Registry<C, T>,
    settings: &[&str],
) -> anyhow::Result<Vec<Spec>> {
    let settings: Vec<Spec> = settings
        .iter()
        .map(|text| text.parse())
        .collect::<Result<_, _>>()?;
    for spec in &settings {
        registry.resolve(spec)?;
    }
    let mut specs = Vec::new();
    for name in registry.names() {
        let mut named: Vec<Spec> = settings
            .iter()
            .filter(|spec| spec.name == name)
            .cloned()
            .collect();
        if named.is_empty() {
            named.push(Spec::new(name));
        }
        for spec in named {
            registry.resolve(&spec).with_context(|| {
                format!(
                    "the suite has to set what a {} has no default for",
                    registry.kind()
                )
            })?;
            specs.push(spec);
        }
    }
    Ok(specs)
}

#[cfg(test)]
mod tests {
    use gradual_registry::{Entry, Parameter};

    use super::*;

    static PLAIN: Entry<(), f64> = Entry {
        name: "plain",
        about: "takes nothing",
        facts: &[],
        parameters: &[],
        build: |_, ()| Ok(0.0),
    };
    static SCALED: Entry<(), f64> = Entry {
        name: "scaled",
        about: "takes a number",
        facts: &[],
        parameters: &[Parameter::number("by", "a number", 1.0).required()],
        build: |arguments, ()| Ok(arguments.number("by")?),
    };
    static BOTH: Registry<(), f64> = Registry::new("number", &[&PLAIN, &SCALED]);

    #[test]
    fn every_entry_is_there_and_what_has_to_be_given_is_named() {
        let texts = |settings: &[&str]| {
            let specs = specs(&BOTH, settings)?;
            anyhow::Ok(specs.iter().map(Spec::to_string).collect::<Vec<_>>())
        };
        let two = ["scaled(by = 2)", "scaled(by = 3)"];
        assert_eq!(texts(&two).unwrap(), ["plain", two[0], two[1]]);
        let forgotten = format!("{:#}", texts(&[]).unwrap_err());
        assert!(
            forgotten.contains("scaled") && forgotten.contains("by"),
            "{forgotten}"
        );
        assert!(texts(&["scaled(by = 2)", "gone"]).is_err());
    }
}
