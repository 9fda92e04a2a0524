//! One thing of a registry.

use std::collections::BTreeMap;

use crate::{Arguments, Parameter, RegistryError, Spec, nearest};

/// What a constructor fails with: the error of whichever crate it belongs to.
pub type BuildError = Box<dyn std::error::Error + Send + Sync>;

/// A name, and what it stands for: `T`, made of parameters and a context `C`.
pub struct Entry<C, T> {
    /// Its name: lower case, words joined by hyphens.
    pub name: &'static str,
    /// One sentence, without a full stop.
    pub about: &'static str,
    /// What else a reader wants to know before choosing it, as column and cell of a table: what it needs, costs, is
    /// for. All entries of a registry have the same columns.
    pub facts: &'static [(&'static str, &'static str)],
    /// Its parameters.
    pub parameters: &'static [Parameter],
    /// Its constructor. Every argument is there and within its parameter's bounds.
    pub build: fn(&Arguments, C) -> Result<T, BuildError>,
}

impl<C, T> std::fmt::Debug for Entry<C, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl<C, T> Entry<C, T> {
    /// All parameters: those that are given, checked, and the defaults of the rest.
    pub(crate) fn complete(&self, kind: &'static str, spec: &Spec) -> Result<Spec, RegistryError> {
        let known = || self.parameters.iter().map(|parameter| parameter.name);
        if let Some(unknown) = spec
            .parameters
            .keys()
            .find(|&name| known().all(|other| other != name))
        {
            return Err(RegistryError::UnknownParameter {
                kind,
                name: self.name,
                parameter: unknown.clone(),
                nearest: nearest(unknown, known()).map(str::to_owned),
                known: known().map(str::to_owned).collect(),
            });
        }
        let mut parameters = BTreeMap::new();
        for parameter in self.parameters {
            let value = match spec.parameters.get(parameter.name) {
                Some(given) => parameter
                    .accept(given)
                    .ok_or_else(|| RegistryError::Value {
                        kind,
                        name: self.name,
                        parameter: parameter.name,
                        expected: parameter.expected(),
                        got: given.clone(),
                    })?,
                None => parameter.default().ok_or_else(|| RegistryError::Missing {
                    kind,
                    name: self.name,
                    parameter: parameter.name,
                    expected: parameter.expected(),
                })?,
            };
            parameters.insert(parameter.name.to_owned(), value);
        }
        for parameter in self.parameters {
            let Some(condition) = parameter.condition() else {
                continue;
            };
            let given = parameters.get(parameter.name);
            let given = given.filter(|given| Some(*given) != parameter.default().as_ref());
            if let Some((got, is)) = given.zip(condition.broken_by(&parameters)) {
                return Err(RegistryError::NoDifference {
                    kind,
                    name: self.name,
                    parameter: parameter.name,
                    problem: format!(
                        "= {got} makes no difference while {} = {is}; give {condition}",
                        condition.other
                    ),
                });
            }
        }
        Ok(Spec {
            name: self.name.to_owned(),
            parameters,
        })
    }

    /// The thing itself, of a [complete](Self::complete) spec.
    pub(crate) fn construct(
        &self,
        kind: &'static str,
        spec: Spec,
        context: C,
    ) -> Result<T, RegistryError> {
        let arguments = Arguments::new(self.name, spec.parameters);
        (self.build)(&arguments, context).map_err(|source| RegistryError::Build {
            kind,
            name: self.name,
            source,
        })
    }
}
