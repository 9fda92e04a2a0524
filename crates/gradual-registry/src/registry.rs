//! All things of one kind.

use std::fmt::Write;

use crate::{Entry, RegistryError, Spec, nearest};

/// A list of entries of one kind.
#[derive(Debug)]
pub struct Registry<C: 'static, T: 'static> {
    kind: &'static str,
    entries: &'static [&'static Entry<C, T>],
}

impl<C, T> Registry<C, T> {
    /// `entries`, each of which is a `kind`: a noun for messages, such as `grouping`.
    #[must_use]
    pub const fn new(kind: &'static str, entries: &'static [&'static Entry<C, T>]) -> Self {
        Self { kind, entries }
    }

    /// What its entries are.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        self.kind
    }

    /// All entries, in the order of the list.
    pub fn iter(&self) -> impl Iterator<Item = &'static Entry<C, T>> + use<C, T> {
        self.entries.iter().copied()
    }

    /// All names.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + use<C, T> {
        self.iter().map(|entry| entry.name)
    }

    /// Whether there is something of this name.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.names().any(|other| other == name)
    }

    /// The entry called `name`.
    ///
    /// # Errors
    ///
    /// [`RegistryError::Unknown`], with the name that is most alike.
    pub fn find(&self, name: &str) -> Result<&'static Entry<C, T>, RegistryError> {
        self.iter()
            .find(|entry| entry.name == name)
            .ok_or_else(|| RegistryError::Unknown {
                kind: self.kind,
                name: name.to_owned(),
                nearest: nearest(name, self.names()).map(str::to_owned),
                known: self.names().map(str::to_owned).collect(),
            })
    }

    /// `spec` with all parameters, those that were not given at their defaults.
    ///
    /// # Errors
    ///
    /// [`RegistryError`] for a name or a parameter that is not known, a value that a parameter does not take, and a
    /// parameter without a default that is missing.
    pub fn resolve(&self, spec: &Spec) -> Result<Spec, RegistryError> {
        self.find(&spec.name)?.complete(self.kind, spec)
    }

    /// What `spec` says, in the given context.
    ///
    /// # Errors
    ///
    /// Those of [`resolve`](Self::resolve), and [`RegistryError::Build`] with the constructor's own.
    pub fn build(&self, spec: &Spec, context: C) -> Result<T, RegistryError> {
        let entry = self.find(&spec.name)?;
        entry.construct(self.kind, entry.complete(self.kind, spec)?, context)
    }

    /// A Markdown table of all entries with their [facts](Entry::facts), for the documentation of the code.
    #[must_use]
    pub fn overview(&self) -> String {
        let columns = self.entries.first().map_or(&[][..], |entry| entry.facts);
        let columns: Vec<&str> = columns.iter().map(|(column, _)| *column).collect();
        let row = |cells: Vec<&str>| format!("| {} |\n", cells.join(" | "));
        let mut table = row([&["name"], columns.as_slice()].concat());
        table += &format!("|{}\n", "---|".repeat(1 + columns.len()));
        for entry in self.iter() {
            let name = format!("`{}`", entry.name);
            let cells = entry.facts.iter().map(|(_, cell)| *cell);
            table += &row(std::iter::once(name.as_str()).chain(cells).collect());
        }
        table
    }

    /// A Markdown table of all entries with their parameters, for people who write recipes.
    #[must_use]
    pub fn table(&self) -> String {
        let mut table = format!(
            "| {} | what it is | parameters |\n|---|---|---|\n",
            self.kind
        );
        for entry in self.iter() {
            let parameters = entry.parameters.iter().map(ToString::to_string);
            let parameters = parameters
                .collect::<Vec<_>>()
                .join("<br>")
                .replace('|', "\\|");
            let about = entry.about.replace('|', "\\|");
            // Writing to a string does not fail.
            let _ = writeln!(table, "| `{}` | {about} | {parameters} |", entry.name);
        }
        table
    }
}
