//! How much longer the rules of a tokenizer's file can make a text.
//!
//! A file may replace each space by a page, and do so several times over: a line then takes all memory before its tokens can
//! be counted. So the rules are looked at before the first text.

use serde::Deserialize;
use serde_json::Value;

/// So many times as long a text may become: files that are in use stay below ten.
const MOST: f64 = 100.0;

/// The parts of a tokenizer's file that change texts.
#[derive(Deserialize)]
struct Rules {
    #[serde(default)]
    normalizer: Value,
    #[serde(default)]
    decoder: Value,
}

/// What is wrong with a file.
#[derive(Debug)]
pub(super) enum Fault {
    /// It can't be read.
    NotJson(String),
    /// One of its rules takes too much memory.
    Rule(String),
}

/// Refuses a file whose replacements can make a text more than [`MOST`] times as long, or whose maps of characters say that
/// they are longer than they are.
pub(super) fn check(file: &[u8]) -> Result<(), Fault> {
    let rules: Rules =
        serde_json::from_slice(file).map_err(|error| Fault::NotJson(error.to_string()))?;
    check_maps(&rules.normalizer).map_err(Fault::Rule)?;
    for (part, rule) in [
        ("normalizer", &rules.normalizer),
        ("decoder", &rules.decoder),
    ] {
        let growth = growth(rule);
        if growth > MOST {
            return Err(Fault::Rule(format!(
                "its {part} can make a text {growth:.0} times as long; {MOST} times is the most"
            )));
        }
    }
    Ok(())
}

/// The growth by a rule and by all rules inside of it, one after the other.
fn growth(rule: &Value) -> f64 {
    let inside: f64 = match rule {
        Value::Array(rules) => rules.iter().map(growth).product(),
        Value::Object(entries) => entries.values().map(growth).product(),
        _ => 1.0,
    };
    // A rule is known by its entries, for the library takes rules without a type as well.
    let length = |entry: &Value| entry.as_str().map_or(0, str::len) as f64;
    let replaced = match rule["pattern"] {
        Value::Null => 1.0,
        // Of an expression, a match may be a single letter, or none.
        _ => length(&rule["content"]) / length(&rule["pattern"]["String"]).max(1.0),
    };
    inside * replaced.max(1.0) * length(&rule["prepend"]).max(1.0)
}

/// Refuses maps of characters that say they are longer than they are: the library makes room for what they say.
fn check_maps(rule: &Value) -> Result<(), String> {
    match rule {
        Value::Array(rules) => rules.iter().try_for_each(check_maps),
        Value::Object(entries) => {
            if let Some(map) = rule["precompiled_charsmap"].as_str() {
                let said = said_length(map.as_bytes());
                let held = map.len() as u64 * 3 / 4;
                if said.is_none_or(|said| said > held) {
                    return Err(format!(
                        "its precompiled_charsmap has {held} bytes and does not begin with the length of what it holds"
                    ));
                }
            }
            entries.values().try_for_each(check_maps)
        }
        _ => Ok(()),
    }
}

/// The number of bytes that a map says it has after the first four: these, the least first, in Base64.
fn said_length(map: &[u8]) -> Option<u64> {
    let value = |letter: u8| match letter {
        b'A'..=b'Z' => Some(u64::from(letter - b'A')),
        b'a'..=b'z' => Some(u64::from(letter - b'a') + 26),
        b'0'..=b'9' => Some(u64::from(letter - b'0') + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    };
    let bits = map
        .get(..6)?
        .iter()
        .try_fold(0, |bits, &letter| Some(bits << 6 | value(letter)?))?;
    Some(u64::from(u32::from_le_bytes(
        ((bits >> 4) as u32).to_be_bytes(),
    )))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The rule without the types of its parts.
    fn untyped(rule: &Value) -> Value {
        match rule {
            Value::Array(rules) => rules.iter().map(untyped).collect(),
            Value::Object(entries) => {
                let entries = entries.iter().filter(|(key, _)| *key != "type");
                Value::Object(
                    entries
                        .map(|(key, value)| (key.clone(), untyped(value)))
                        .collect(),
                )
            }
            other => other.clone(),
        }
    }

    #[test]
    fn maps_of_characters_are_as_long_as_they_say() {
        // Lengths 4 and 2³² − 1, the least byte first, before four bytes.
        for (map, fits) in [
            ("BAAAAAAAAAA=", true),
            ("/////wAAAAA=", false),
            ("", false),
            ("?", false),
        ] {
            let file = json!({"normalizer": {"normalizers": [{"precompiled_charsmap": map}]}});
            assert_eq!(check(file.to_string().as_bytes()).is_ok(), fits, "{map}");
        }
        assert_eq!(said_length(b"BAAAAA"), Some(4));
        assert_eq!(said_length(b"AAEAAA"), Some(256));
    }

    #[test]
    fn rules_multiply() {
        let replace = |pattern: Value, content: &str| json!({"type": "Replace", "pattern": pattern, "content": content});
        let marks = replace(json!({"String": " "}), "\u{2581}");
        let long = replace(json!({"Regex": "."}), &"x".repeat(50));
        let sequence = |rules: Vec<Value>| json!({"type": "Sequence", "normalizers": rules});
        let quotes = replace(json!({"String": "``"}), "\"");
        let prepend = json!({"type": "Prepend", "prepend": "\u{2581}"});
        for (rule, expected) in [
            (Value::Null, 1.0),
            (json!({"type": "NFKC"}), 1.0),
            (sequence(vec![prepend, marks.clone(), quotes]), 9.0),
            (long.clone(), 50.0),
            (
                sequence(vec![long.clone(), sequence(vec![long, marks])]),
                7500.0,
            ),
        ] {
            assert_eq!(growth(&rule), expected, "{rule}");
            assert_eq!(growth(&untyped(&rule)), expected, "{rule}");
            let file = json!({"normalizer": rule, "model": {}}).to_string();
            assert_eq!(check(file.as_bytes()).is_ok(), expected <= MOST, "{file}");
            let file = json!({"decoder": rule}).to_string();
            assert_eq!(check(file.as_bytes()).is_ok(), expected <= MOST, "{file}");
        }
    }
}
