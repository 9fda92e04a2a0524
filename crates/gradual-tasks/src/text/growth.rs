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

/// Refuses a file whose replacements can make a text more than [`MOST`] times as long.
pub(super) fn check(file: &[u8]) -> Result<(), String> {
    let rules: Rules = serde_json::from_slice(file).map_err(|error| error.to_string())?;
    for (part, rule) in [
        ("normalizer", &rules.normalizer),
        ("decoder", &rules.decoder),
    ] {
        let growth = growth(rule);
        if growth > MOST {
            return Err(format!(
                "its {part} can make a text {growth:.0} times as long; {MOST} times is the most"
            ));
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
    let length = |entry: &Value| entry.as_str().map_or(0, str::len) as f64;
    let own = match rule["type"].as_str() {
        // Of an expression, a match may be a single letter, or none.
        Some("Replace") => length(&rule["content"]) / length(&rule["pattern"]["String"]).max(1.0),
        Some("Prepend") => length(&rule["prepend"]),
        _ => 1.0,
    };
    inside * own.max(1.0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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
            let file = json!({"normalizer": rule, "model": {}}).to_string();
            assert_eq!(check(file.as_bytes()).is_ok(), expected <= MOST, "{file}");
            let file = json!({"decoder": rule}).to_string();
            assert_eq!(check(file.as_bytes()).is_ok(), expected <= MOST, "{file}");
        }
    }
}
