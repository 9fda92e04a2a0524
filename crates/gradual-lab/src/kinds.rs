//! The kinds of tasks that an experiment's file can name, each with its settings and flags.

mod addition;
mod biographies;
mod composition;
mod digits;
mod images;
mod in_context;
mod kind;
mod modular;
mod parity;
mod skills;
mod subpopulations;
mod table;
mod text;

pub(crate) use kind::Kind;

use anyhow::Context as _;

use crate::meant::meant;

/// All kinds.
pub(crate) static KINDS: [&dyn Kind; 12] = [
    &parity::SparseParity,
    &composition::Composition,
    &modular::Modular,
    &addition::Addition,
    &biographies::Biographies,
    &digits::Digits,
    &subpopulations::Subpopulations,
    &in_context::InContext,
    &skills::Skills,
    &table::Table,
    &images::Images,
    &text::Text,
];

/// The kind called `name`.
pub(crate) fn find(name: &str) -> anyhow::Result<&'static dyn Kind> {
    let names = || KINDS.iter().map(|kind| kind.name());
    let found = KINDS.iter().find(|kind| kind.name() == name);
    found.copied().with_context(|| {
        let near = meant(name, names());
        format!(
            "there is no task '{name}'{near}; there are {}",
            names().collect::<Vec<_>>().join(", ")
        )
    })
}

#[cfg(test)]
mod tests {
    use gradual_tasks::{
        AdditionConfig, BiographiesConfig, CompositionConfig, DigitsConfig, ImagesConfig,
        InContextConfig, ModularConfig, SkillsConfig, SparseParityConfig, SubpopulationsConfig,
    };
    use serde_json::json;
    use toml::Value;

    use super::*;

    /// The numbers that a kind's settings hold, all of them.
    fn numbers(name: &str) -> Vec<String> {
        let config = match name {
            "sparse-parity" => json!(SparseParityConfig {
                aliases: 2,
                controls: 2,
                depth: 2,
                ..SparseParityConfig::default()
            }),
            "composition" => json!(CompositionConfig::default()),
            "modular" => json!(ModularConfig::default()),
            "addition" => json!(AdditionConfig::default()),
            "biographies" => json!(BiographiesConfig::default()),
            "digits" => json!(DigitsConfig::default()),
            "subpopulations" => json!(SubpopulationsConfig::default()),
            "in-context" => json!(InContextConfig::default()),
            "skills" => json!(SkillsConfig::default()),
            "images" => json!(ImagesConfig::default()),
            _ => json!({}),
        };
        let fields = config.as_object().unwrap().iter();
        let numbers = fields.filter(|(_, value)| value.is_number());
        numbers.map(|(name, _)| name.clone()).collect()
    }

    /// A setting alone is refused by its name, or makes a task that fits.
    #[test]
    fn every_number_of_a_task_has_bounds() {
        let mut tried = 0;
        for kind in KINDS {
            for field in numbers(kind.name()) {
                for value in [
                    Value::Integer(0),
                    Value::Integer(1),
                    Value::Integer(-1),
                    Value::Integer(100_000),
                    Value::Integer(1 << 31),
                    Value::Integer(i64::MAX),
                    Value::Integer(i64::MIN),
                    Value::Float(0.5),
                    Value::Float(-1.0),
                    Value::Float(1e9),
                    Value::Float(1e300),
                    Value::Float(f64::NAN),
                    Value::Float(f64::INFINITY),
                    Value::Float(f64::NEG_INFINITY),
                    Value::String(String::from("2")),
                ] {
                    let settings = toml::Table::from_iter([(field.clone(), value.clone())]);
                    let what = format!("{}.{field} = {value}", kind.name());
                    match kind.open(settings, None) {
                        Ok(task) => assert!(!task.capabilities().unwrap().is_empty(), "{what}"),
                        Err(error) => {
                            let error = format!("{error:#}");
                            assert!(error.contains(&field), "{what}: {error}");
                        }
                    }
                    tried += 1;
                }
            }
        }
        assert_eq!(tried, (10 + 9 + 6 + 12 + 6 + 4 + 5 + 12 + 6 + 2) * 15);
    }

    #[test]
    fn settings_that_make_no_sense_are_named() {
        let refused = |name: &str, text: &str| {
            let kind = find(name).unwrap();
            let opened = kind.open(text.parse().unwrap(), None);
            format!("{:#}", opened.map(drop).unwrap_err())
        };
        for (kind, text, message) in [
            (
                "text",
                "context = 1",
                "context = 1, but it is a whole number from 2 to 8192",
            ),
            (
                "skills",
                "layers = 100000",
                "layers = 100000, but it is a whole number from 1 to 64",
            ),
            (
                "skills",
                "layers = 0",
                "layers = 0, but it is a whole number from 1 to 64",
            ),
            (
                "skills",
                "held_out = 0",
                "held_out = 0, but it is a whole number from 1 to 10000",
            ),
            (
                "skills",
                "held_out = 9223372036854775807",
                "held_out = 9223372036854775807, but it is a whole number from 1 to 10000",
            ),
            (
                "skills",
                "exponent = -1",
                "exponent = -1, but it is a number from 0 to 50",
            ),
            (
                "skills",
                "heads = 3",
                "heads = 3, but it has to divide width = 64",
            ),
            (
                "skills",
                "layers = 64\nwidth = 4096",
                "width = 4096, but with layers = 64 and hidden = 256 the model then has 4431892480 parameters; 50000000 is the most",
            ),
            (
                "skills",
                "held_out = 10000\nhidden = 65536",
                "held_out = 10000, but with width = 64, heads = 4 and hidden = 65536 a layer then has 20316160000 numbers in an evaluation; \
                 200000000 is the most",
            ),
            (
                "sparse-parity",
                "hidden = 1000000\ndepth = 2",
                "hidden = 1000000, but with depth = 2, tasks = 20, bits = 50 and aliases = 1 the model then has 1000073000001 parameters; 50000000 is \
                 the most",
            ),
            (
                "sparse-parity",
                "held_out = 1000000",
                "held_out = 1000000, but with hidden = 256, tasks = 20, bits = 50 and aliases = 1 a layer then has 5120000000 numbers in an evaluation; \
                 200000000 is the most",
            ),
            (
                "in-context",
                "dimensions = 1024\nheld_out = 10000",
                "held_out = 10000, but with pairs = 8, dimensions = 1024 and groups = 8 a layer then has 2036430000 numbers in an evaluation; \
                 200000000 is the most",
            ),
            (
                "composition",
                "bits = 12\nsubset = 7",
                "subset = 7, but twice as many are at most bits = 12",
            ),
            (
                "composition",
                "bits = 6\nsubset = 3\ntriples = 1",
                "triples = 1, but among 6 bits there are not enough sets of 3 and 6 bits for as many controls; take more bits or \
                 fewer triples",
            ),
            (
                "sparse-parity",
                "bits = 4\nsubset = 4",
                "tasks = 20, but 4 bits have only 1 subset of 4 bits",
            ),
        ] {
            assert_eq!(refused(kind, text), format!("task.{kind}.{message}"));
        }
        assert_eq!(
            refused("sparse-parity", "code = 1e300"),
            "settings of the task sparse-parity: code = 1e300, but it is a number from 0 to 1000000\nin `code`\n"
        );
        // As many tasks as there are subsets.
        let all = "tasks = 120\nbits = 10\nsubset = 3\nhidden = 8\nheld_out = 1";
        assert!(
            find("sparse-parity")
                .unwrap()
                .open(all.parse().unwrap(), None)
                .is_ok()
        );
    }
}
