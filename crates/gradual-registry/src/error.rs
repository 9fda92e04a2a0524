//! What can be wrong with a spec.

use crate::{BuildError, Value};

/// Why a [`Spec`](crate::Spec) can't be read or built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// There is no such name.
    #[error("there is no {kind} '{name}'{}", are(nearest.as_deref(), known))]
    Unknown {
        /// What was looked for.
        kind: &'static str,
        /// Its name.
        name: String,
        /// The known name that is most alike, if any is.
        nearest: Option<String>,
        /// All names.
        known: Vec<String>,
    },
    /// There is no such parameter.
    #[error("{kind} {name} has no parameter '{parameter}'{}", has(nearest.as_deref(), known))]
    UnknownParameter {
        /// The registry's kind.
        kind: &'static str,
        /// The entry.
        name: &'static str,
        /// What was given.
        parameter: String,
        /// The known parameter that is most alike, if any is.
        nearest: Option<String>,
        /// All parameters.
        known: Vec<String>,
    },
    /// A parameter does not take this value.
    #[error("{kind} {name}: {parameter} = {got}, but it is {expected}")]
    Value {
        /// The registry's kind.
        kind: &'static str,
        /// The entry.
        name: &'static str,
        /// Its parameter.
        parameter: &'static str,
        /// What the parameter takes.
        expected: String,
        /// What was given.
        got: Value,
    },
    /// A parameter without a default was not given.
    #[error("{kind} {name} needs the parameter {parameter}, {expected}: {name}({parameter} = …)")]
    Missing {
        /// The registry's kind.
        kind: &'static str,
        /// The entry.
        name: &'static str,
        /// Its parameter.
        parameter: &'static str,
        /// What the parameter takes.
        expected: String,
    },
    /// The text is no spec.
    #[error("'{text}' is not of the form name or name(parameter = value, …): {problem}")]
    Syntax {
        /// What was given.
        text: String,
        /// Where reading it failed.
        problem: String,
    },
    /// A constructor asks for a parameter that its entry does not declare.
    #[error("{name} declares no {expected} '{parameter}'")]
    Undeclared {
        /// The entry.
        name: &'static str,
        /// The parameter.
        parameter: String,
        /// The kind of value that was asked for.
        expected: &'static str,
    },
    /// The constructor refused.
    #[error("{kind} {name}: {source}")]
    Build {
        /// The registry's kind.
        kind: &'static str,
        /// The entry.
        name: &'static str,
        /// Why.
        source: BuildError,
    },
}

fn are(nearest: Option<&str>, known: &[String]) -> String {
    let known = known.join(", ");
    match nearest {
        Some(nearest) => format!("; did you mean '{nearest}'? There are: {known}"),
        None => format!("; there are: {known}"),
    }
}

fn has(nearest: Option<&str>, known: &[String]) -> String {
    match (nearest, known) {
        (_, []) => String::from("; it has none"),
        (Some(nearest), known) => {
            format!("; did you mean '{nearest}'? It has: {}", known.join(", "))
        }
        (None, known) => format!("; it has: {}", known.join(", ")),
    }
}
