//! One line: a JSON object with a prompt and a target, or with a text.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use gradual_registry::excerpt;
use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

/// The fields of a line.
pub(super) const PROMPT: &str = "prompt";
pub(super) const TARGET: &str = "target";
pub(super) const TEXT: &str = "text";
pub(super) const GROUP: &str = "group";

/// Names of fields without a meaning that are remembered, for a note.
const UNUSED: usize = 8;

/// What a line holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    /// None where the whole text is learned.
    pub(super) prompt: Option<String>,
    /// What is learned; never empty.
    pub(super) text: String,
    pub(super) group: Option<String>,
}

/// Whether lines are a prompt and a target, or a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    PromptAndTarget,
    Text,
}

impl Form {
    /// The fields of such a line, for messages.
    pub(super) fn fields(self) -> &'static str {
        match self {
            Self::PromptAndTarget => "\"prompt\" and \"target\"",
            Self::Text => "\"text\"",
        }
    }
}

impl Line {
    pub(super) fn form(&self) -> Form {
        match self.prompt {
            Some(_) => Form::PromptAndTarget,
            None => Form::Text,
        }
    }
}

/// What is wrong with a line: its field, if it is one field, and the problem.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) field: Option<&'static str>,
    pub(super) problem: String,
}

fn fault(field: impl Into<Option<&'static str>>, problem: impl Into<String>) -> Fault {
    Fault {
        field: field.into(),
        problem: problem.into(),
    }
}

/// Reads a line without its end. Names of fields that have no meaning go into `unused`, some of them.
pub(super) fn parse(bytes: &[u8], unused: &mut BTreeSet<String>) -> Result<Line, Fault> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        fault(
            None,
            format!("is not UTF-8 text from byte {} on", error.valid_up_to() + 1),
        )
    })?;
    let fields: Fields = serde_json::from_str(text).map_err(|error| json_fault(text, &error))?;
    for name in fields.unused {
        if unused.len() < UNUSED {
            unused.insert(name);
        }
    }
    if let Some(name) = fields.twice {
        return Err(fault(name, "is there twice"));
    }
    let [prompt, target, text, group] = fields.values;
    let group = match group {
        None | Some(Value::Null) => None,
        Some(Value::String(group)) if group.is_empty() => {
            return Err(fault(GROUP, "is empty; leave it out where there is none"));
        }
        Some(Value::String(group)) => Some(group),
        Some(Value::Number(number)) if number.is_u64() || number.is_i64() => {
            Some(number.to_string())
        }
        Some(Value::Number(number)) => {
            return Err(fault(
                GROUP,
                format!(
                    "is the number {}, but it is a text or a whole number of up to 64 bits",
                    excerpt(&number.to_string(), 40)
                ),
            ));
        }
        Some(other) => {
            return Err(fault(
                GROUP,
                format!("{}, but it is a text or a whole number", is(&other)),
            ));
        }
    };
    let (prompt, text) = match (prompt, target, text) {
        (Some(prompt), Some(target), None) => {
            (Some(string(PROMPT, prompt)?), learned(TARGET, target)?)
        }
        (None, None, Some(text)) => (None, learned(TEXT, text)?),
        (Some(_), None, None) => {
            return Err(fault(TARGET, "is missing, and there is a \"prompt\""));
        }
        (None, Some(_), None) => {
            return Err(fault(PROMPT, "is missing, and there is a \"target\""));
        }
        (None, None, None) => {
            return Err(fault(
                None,
                "has neither \"prompt\" and \"target\" nor \"text\"",
            ));
        }
        _ => {
            return Err(fault(
                TEXT,
                "stands beside \"prompt\" or \"target\"; a line has either",
            ));
        }
    };
    Ok(Line {
        prompt,
        text,
        group,
    })
}

/// A text that is learned.
fn learned(field: &'static str, value: Value) -> Result<String, Fault> {
    let text = string(field, value)?;
    match text.is_empty() {
        true => Err(fault(field, "is empty, so there is nothing to predict")),
        false => Ok(text),
    }
}

fn string(field: &'static str, value: Value) -> Result<String, Fault> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(fault(field, format!("{}, but it is a text", is(&other)))),
    }
}

/// What a value is, for messages.
fn is(value: &Value) -> &'static str {
    match value {
        Value::Null => "is null",
        Value::Bool(_) => "is true or false",
        Value::Number(_) => "is a number",
        Value::String(_) => "is a text",
        Value::Array(_) => "is a list",
        Value::Object(_) => "is an object",
    }
}

/// What the reader of JSON says, with its place in this line.
fn json_fault(text: &str, error: &serde_json::Error) -> Fault {
    if !text.trim_start().starts_with('{') {
        return fault(
            None,
            "is no JSON object: a line begins with { and ends with }",
        );
    }
    let said = error.to_string();
    let said = said
        .rsplit_once(" at line ")
        .map_or(&*said, |(said, _)| said);
    fault(
        None,
        format!("is no JSON object: {said} (column {})", error.column()),
    )
}

/// The values of the known fields, in the order prompt, target, text, group.
#[derive(Default)]
struct Fields {
    values: [Option<Value>; 4],
    twice: Option<&'static str>,
    unused: Vec<String>,
}

const KNOWN: [&str; 4] = [PROMPT, TARGET, TEXT, GROUP];

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Fields, M::Error> {
        let mut fields = Fields::default();
        while let Some(key) = map.next_key::<Key<'de>>()? {
            match KNOWN.iter().position(|known| *known == key.0) {
                Some(at) => {
                    let value = map.next_value()?;
                    if fields.values[at].replace(value).is_some() {
                        fields.twice = Some(KNOWN[at]);
                    }
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                    if fields.unused.len() < UNUSED {
                        fields.unused.push(key.0.into_owned());
                    }
                }
            }
        }
        Ok(fields)
    }
}

/// A key that is copied only where it has to be.
#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);
