//! What there is.

use gradual::grad::registry::METRICS;
use gradual::group::registry::{GROUPINGS, WRAPPERS};
use gradual::loss::registry::{COMPOSITIONS, RULES, SCALES, WRAPPERS as COMPOSITION_WRAPPERS};
use gradual::train::registry::{LENSES, OPTIMIZERS, SAMPLERS};
use gradual_registry::{Parameter, Registry};
use serde_json::{Value, json};

use crate::arm::Arm;
use crate::experiment::{self, Listed};

/// The experiments, their arms, and what recipes can be made of, for people.
pub(super) fn text() -> anyhow::Result<String> {
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
    for part in parts() {
        text += &part.text();
    }
    Ok(text)
}

/// The same for scripts.
pub(super) fn json() -> anyhow::Result<Value> {
    let experiments: Vec<Value> = experiment::list()?.into_iter().map(described).collect();
    let parts: Vec<Value> = parts().iter().map(Part::json).collect();
    Ok(json!({ "experiments": experiments, "parts": parts }))
}

fn described(listed: Listed) -> Value {
    let arm = |(arm, usual): (Arm, bool)| {
        json!({
            "name": arm.name,
            "about": arm.about,
            "control_for": arm.control_for,
            "series": arm.series,
            "seeds": arm.seeds,
            "default": usual,
        })
    };
    let arms: Vec<Value> = listed.arms.into_iter().map(arm).collect();
    json!({ "name": listed.name, "about": listed.about, "in_all": listed.in_all, "arms": arms })
}

/// The key of a recipe, and what may stand there.
struct Part {
    key: &'static str,
    kind: &'static str,
    entries: Vec<Entry>,
}

struct Entry {
    name: &'static str,
    about: &'static str,
    parameters: &'static [Parameter],
}

fn parts() -> [Part; 10] {
    [
        part("grouping", &GROUPINGS),
        part("wrappers", &WRAPPERS),
        part("metric", &METRICS),
        part("lens", &LENSES),
        part("composition", &COMPOSITIONS),
        part("composition_wrappers", &COMPOSITION_WRAPPERS),
        part("composition", &RULES),
        part("scale", &SCALES),
        part("sampler", &SAMPLERS),
        part("optimizer", &OPTIMIZERS),
    ]
}

fn part<C, T>(key: &'static str, registry: &Registry<C, T>) -> Part {
    let entries = registry.iter().map(|entry| Entry {
        name: entry.name,
        about: entry.about,
        parameters: entry.parameters,
    });
    Part {
        key,
        kind: registry.kind(),
        entries: entries.collect(),
    }
}

impl Part {
    fn text(&self) -> String {
        let mut text = format!("\n{}s\n", self.kind);
        for entry in &self.entries {
            text += &format!("  {:22} {}\n", entry.name, entry.about);
            for parameter in entry.parameters {
                text += &format!("    {parameter}\n");
            }
        }
        text
    }

    fn json(&self) -> Value {
        let parameter = |parameter: &Parameter| {
            json!({
                "name": parameter.name,
                "about": parameter.about,
                "default": parameter.default(),
                "values": parameter.expected(),
            })
        };
        let entry = |entry: &Entry| {
            let parameters: Vec<Value> = entry.parameters.iter().map(parameter).collect();
            json!({ "name": entry.name, "about": entry.about, "parameters": parameters })
        };
        let entries: Vec<Value> = self.entries.iter().map(entry).collect();
        json!({ "key": self.key, "kind": self.kind, "entries": entries })
    }
}
