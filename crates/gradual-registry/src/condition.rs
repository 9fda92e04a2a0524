//! What another parameter has to be for one to make a difference.

use std::collections::BTreeMap;
use std::fmt;

use crate::Value;

/// Most values that are named.
const NAMED: usize = 3;

/// What another parameter has to be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Condition {
    pub(crate) other: &'static str,
    pub(crate) is: Is,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Is {
    /// One of these.
    One(&'static [&'static str]),
    /// Anything but this.
    Not(&'static str),
}

impl Condition {
    /// What the other parameter is, if that makes this one void.
    pub(crate) fn broken_by<'a>(&self, values: &'a BTreeMap<String, Value>) -> Option<&'a Value> {
        let value = values.get(self.other)?;
        let holds = match self.is {
            Is::One(words) => words.contains(&value.to_string().as_str()),
            Is::Not(word) => !is(value, word),
        };
        (!holds).then_some(value)
    }
}

/// Whether a value is what a word says; 0 is −0.
fn is(value: &Value, word: &str) -> bool {
    match value {
        Value::Number(number) => word.parse() == Ok(*number),
        other => other.to_string() == word,
    }
}

/// As it follows "give" and "with".
impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let other = self.other;
        match self.is {
            Is::Not(_) => f.write_str(other),
            Is::One(words) if words.len() > NAMED => {
                write!(f, "{other} = {}, …", words[..NAMED].join(", "))
            }
            Is::One(words) => write!(f, "{other} = {}", words.join(" or ")),
        }
    }
}
