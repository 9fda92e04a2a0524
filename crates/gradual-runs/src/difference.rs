//! Two serialised values, entry by entry.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use crate::message::cut;

/// An entry in which a run folder and what is asked for differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Where the entry stands: `recipe.composition.alpha`, `task.layers[1]`; empty for the whole value.
    pub path: String,
    /// What the folder holds; none where it has no such entry.
    pub held: Option<Value>,
    /// What is asked for; none where no such entry is.
    pub asked: Option<Value>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = match self.path.as_str() {
            "" => String::from("the whole"),
            path => cut(path),
        };
        let shown = |value: &Option<Value>| value.as_ref().map(|value| cut(&value.to_string()));
        match (shown(&self.held), shown(&self.asked)) {
            (Some(held), Some(asked)) => {
                write!(f, "{path} is {held} in the folder and {asked} asked for")
            }
            (Some(held), None) => write!(f, "{path} is {held} in the folder and not asked for"),
            (None, Some(asked)) => write!(f, "{path} is not in the folder and {asked} asked for"),
            (None, None) => write!(f, "{path} is nowhere"),
        }
    }
}

/// All entries in which two values differ, in order of their paths; none where the values are equal.
///
/// Objects are compared key by key and arrays of one length entry by entry; anything else is an entry of its own. A
/// missing entry differs from `null`, and `1` from `1.0`.
#[must_use]
pub fn differences(held: &Value, asked: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    walk(String::new(), Some(held), Some(asked), &mut found);
    found
}

fn walk(path: String, held: Option<&Value>, asked: Option<&Value>, found: &mut Vec<Difference>) {
    match (held, asked) {
        (Some(Value::Object(held)), Some(Value::Object(asked))) => {
            let keys: BTreeSet<&String> = held.keys().chain(asked.keys()).collect();
            for key in keys {
                let path = match path.as_str() {
                    "" => key.clone(),
                    path => format!("{path}.{key}"),
                };
                walk(path, held.get(key), asked.get(key), found);
            }
        }
        (Some(Value::Array(held)), Some(Value::Array(asked))) if held.len() == asked.len() => {
            for (at, (held, asked)) in held.iter().zip(asked).enumerate() {
                walk(format!("{path}[{at}]"), Some(held), Some(asked), found);
            }
        }
        (held, asked) if held == asked => {}
        (held, asked) => found.push(Difference {
            path,
            held: held.cloned(),
            asked: asked.cloned(),
        }),
    }
}
