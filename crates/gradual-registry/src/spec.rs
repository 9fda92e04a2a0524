//! A name with parameters, as a person writes it.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::de::{self, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{RegistryError, Value};

/// The key of the name in a map.
const NAME: &str = "name";

/// A name with some parameters: `spectral`, `spectral(k = 8, restarts = 2)`, or as a map
/// `{"name": "spectral", "k": 8, "restarts": 2}`, which is how it is written down.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// The entry's name.
    pub name: String,
    /// Values by name of the parameter.
    pub parameters: BTreeMap<String, Value>,
}

impl Spec {
    /// A name without parameters.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            parameters: BTreeMap::new(),
        }
    }

    /// The same with one parameter more.
    #[must_use]
    pub fn with(mut self, parameter: impl Into<String>, value: Value) -> Self {
        self.parameters.insert(parameter.into(), value);
        self
    }
}

impl fmt::Display for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if self.parameters.is_empty() {
            return Ok(());
        }
        let parameters = self
            .parameters
            .iter()
            .map(|(name, value)| format!("{name} = {value}"));
        write!(f, "({})", parameters.collect::<Vec<_>>().join(", "))
    }
}

impl FromStr for Spec {
    type Err = RegistryError;

    fn from_str(text: &str) -> Result<Self, RegistryError> {
        let syntax = |problem: String| RegistryError::Syntax {
            text: text.to_owned(),
            problem,
        };
        let (name, inside) = match text.trim().split_once('(') {
            None => (text.trim(), ""),
            Some((name, rest)) => match rest.trim_end().strip_suffix(')') {
                Some(inside) => (name.trim(), inside),
                None => return Err(syntax(String::from("the closing parenthesis is missing"))),
            },
        };
        if !is_word(name) {
            return Err(syntax(format!("'{name}' is not a name")));
        }
        let mut spec = Self::new(name);
        for part in split(inside, ',') {
            let Some((key, value)) = part.split_once('=') else {
                return Err(syntax(format!("'{}' has no '='", part.trim())));
            };
            let (key, value) = (key.trim(), value.trim());
            if !is_word(key) {
                return Err(syntax(format!("'{key}' is not the name of a parameter")));
            }
            let read = read(value).ok_or_else(|| syntax(format!("'{value}' is not a value")))?;
            if spec.parameters.insert(key.to_owned(), read).is_some() {
                return Err(syntax(format!("'{key}' is there twice")));
            }
        }
        Ok(spec)
    }
}

/// The parts of a text between those separators that are not inside brackets; none of nothing.
///
/// ```
/// use gradual_registry::split;
///
/// assert_eq!(split("a(k = 1, p = 2), b", ','), ["a(k = 1, p = 2)", " b"]);
/// ```
#[must_use]
pub fn split(text: &str, separator: char) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0usize, 0);
    for (at, letter) in text.char_indices() {
        match letter {
            '[' | '(' => depth += 1,
            ']' | ')' => depth = depth.saturating_sub(1),
            _ if letter == separator && depth == 0 => {
                parts.push(&text[start..at]);
                start = at + letter.len_utf8();
            }
            _ => {}
        }
    }
    if !text.trim().is_empty() {
        parts.push(&text[start..]);
    }
    parts
}

fn is_word(text: &str) -> bool {
    let rest = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    text.starts_with(|letter: char| letter.is_ascii_alphabetic()) && text.chars().all(rest)
}

fn read(text: &str) -> Option<Value> {
    if let Some(inside) = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        let numbers = split(inside, ',')
            .into_iter()
            .map(|part| number(part.trim()));
        return numbers.collect::<Option<_>>().map(Value::Numbers);
    }
    match text {
        "true" => Some(Value::Flag(true)),
        "false" => Some(Value::Flag(false)),
        _ if text.chars().all(|letter| letter.is_ascii_digit()) => {
            text.parse().ok().map(Value::Count)
        }
        // Before numbers, which `inf` and `nan` are to Rust.
        _ if is_word(text) => Some(Value::Word(text.to_owned())),
        _ => number(text).map(Value::Number),
    }
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

impl Serialize for Spec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1 + self.parameters.len()))?;
        map.serialize_entry(NAME, &self.name)?;
        for (name, value) in &self.parameters {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Spec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrMap;

        impl<'de> Visitor<'de> for TextOrMap {
            type Value = Spec;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "a text such as \"spectral(k = 8)\", or a table with a name and parameters",
                )
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Spec, E> {
                text.parse().map_err(E::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Spec, A::Error> {
                let (mut name, mut parameters) = (None, BTreeMap::new());
                while let Some(key) = map.next_key::<String>()? {
                    if key == NAME {
                        name = Some(map.next_value()?);
                    } else if parameters.insert(key.clone(), map.next_value()?).is_some() {
                        return Err(de::Error::custom(format!("'{key}' is there twice")));
                    }
                }
                let name = name.ok_or_else(|| de::Error::missing_field(NAME))?;
                Ok(Spec { name, parameters })
            }
        }

        deserializer.deserialize_any(TextOrMap)
    }
}
