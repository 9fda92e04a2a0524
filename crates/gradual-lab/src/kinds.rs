//! The kinds of tasks that an experiment's file can name, each with its settings and flags.

mod kind;
mod parity;
mod skills;
mod table;

pub(crate) use kind::Kind;

use anyhow::Context as _;

use crate::meant::meant;

/// All kinds.
pub(crate) static KINDS: [&dyn Kind; 3] = [&parity::SparseParity, &skills::Skills, &table::Table];

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
