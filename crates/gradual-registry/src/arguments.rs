//! What a constructor is called with.

use std::collections::BTreeMap;

use crate::{RegistryError, Value};

/// The values of all parameters of one entry, each within its bounds.
#[derive(Debug, Clone)]
pub struct Arguments {
    name: &'static str,
    values: BTreeMap<String, Value>,
}

impl Arguments {
    pub(crate) fn new(name: &'static str, values: BTreeMap<String, Value>) -> Self {
        Self { name, values }
    }

    fn get<'a, T>(
        &'a self,
        parameter: &str,
        expected: &'static str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<T, RegistryError> {
        let value = self.values.get(parameter).and_then(read);
        value.ok_or_else(|| RegistryError::Undeclared {
            name: self.name,
            parameter: parameter.to_owned(),
            expected,
        })
    }

    /// A finite number.
    ///
    /// # Errors
    ///
    /// Like the other ones here [`RegistryError::Undeclared`], where the entry declares no such parameter: a mistake in
    /// its code, which a test that builds every entry finds.
    pub fn number(&self, parameter: &str) -> Result<f64, RegistryError> {
        self.get(parameter, "number", |value| match value {
            &Value::Number(number) => Some(number),
            _ => None,
        })
    }

    /// A whole number.
    ///
    /// # Errors
    ///
    /// See [`number`](Self::number).
    pub fn count(&self, parameter: &str) -> Result<usize, RegistryError> {
        self.get(parameter, "count", |value| match value {
            &Value::Count(count) => usize::try_from(count).ok(),
            _ => None,
        })
    }

    /// Yes or no.
    ///
    /// # Errors
    ///
    /// See [`number`](Self::number).
    pub fn flag(&self, parameter: &str) -> Result<bool, RegistryError> {
        self.get(parameter, "flag", |value| match value {
            &Value::Flag(flag) => Some(flag),
            _ => None,
        })
    }

    /// A word.
    ///
    /// # Errors
    ///
    /// See [`number`](Self::number).
    pub fn word(&self, parameter: &str) -> Result<&str, RegistryError> {
        self.get(parameter, "word", |value| match value {
            Value::Word(word) => Some(word.as_str()),
            _ => None,
        })
    }

    /// A list of numbers.
    ///
    /// # Errors
    ///
    /// See [`number`](Self::number).
    pub fn numbers(&self, parameter: &str) -> Result<&[f64], RegistryError> {
        self.get(parameter, "list of numbers", |value| match value {
            Value::Numbers(numbers) => Some(numbers.as_slice()),
            _ => None,
        })
    }

    /// The value itself, for a parameter that may be a number or a word.
    ///
    /// # Errors
    ///
    /// See [`number`](Self::number).
    pub fn value(&self, parameter: &str) -> Result<&Value, RegistryError> {
        self.get(parameter, "value", Some)
    }
}
