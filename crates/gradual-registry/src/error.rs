//! What can be wrong with a spec.

use crate::{BuildError, Value, excerpt};

/// Most characters of a name or a value in a message.
const LONG: usize = 80;

/// Why a [`Spec`](crate::Spec) can't be read or built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// There is no such name.
    #[error("there is no {kind} '{}'{}", excerpt(name, LONG), are(nearest.as_deref(), known))]
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
    #[error("{kind} {name} has no parameter '{}'{}", excerpt(parameter, LONG), has(nearest.as_deref(), known))]
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
    #[error("{kind} {name}: {parameter} = {}, but it is {expected}", shown(got))]
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
    /// A parameter makes no difference beside what another one is.
    #[error("{kind} {name}: {parameter} {problem}, or leave {parameter} out")]
    NoDifference {
        /// The registry's kind.
        kind: &'static str,
        /// The entry.
        name: &'static str,
        /// Its parameter.
        parameter: &'static str,
        /// What it was given, what the other one is, and what that would have to be.
        problem: String,
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
    #[error("'{}' is not of the form name or name(parameter = value, …): {}", excerpt(text, LONG), excerpt(problem, 2 * LONG))]
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
    #[error("{kind} {name}: {}", without(kind, name, source))]
    Build {
        /// The registry's kind.
        kind: &'static str,
        /// The entry.
        name: &'static str,
        /// Why.
        source: BuildError,
    },
}

/// A value as it was written; of a text it is said that it is one, where it could be taken for something else.
fn shown(value: &Value) -> String {
    match value {
        Value::Word(word) => {
            let other = word.parse::<f64>().is_ok() || word.parse::<bool>().is_ok();
            let text = if other { " (text)" } else { "" };
            format!("'{}'{text}", excerpt(word, LONG))
        }
        other => excerpt(&other.to_string(), LONG),
    }
}

/// What a constructor says, without the name that it may begin with.
fn without(kind: &str, name: &str, source: &BuildError) -> String {
    let said = source.to_string();
    let name = format!("{name}: ");
    let rest = said
        .strip_prefix(&format!("{kind} {name}"))
        .or_else(|| said.strip_prefix(&name));
    rest.map_or_else(|| said.clone(), str::to_owned)
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
