//! What is wrong with a file, and where.

use anyhow::anyhow;
use gradual_registry::nearest;
use toml::Spanned;

/// Where a value stands, for messages.
pub(super) fn place<T>(file: &str, text: &str, value: &Spanned<T>) -> String {
    let before = text.get(..value.span().start).unwrap_or_default();
    format!("{file}, line {}, ", 1 + before.matches('\n').count())
}

/// What is wrong with a file, with the line, and the known name that may have been meant.
pub(super) fn said(file: &str, error: &toml::de::Error) -> anyhow::Error {
    let text = in_words(&error.to_string());
    anyhow!("{file}: {}{}", text.trim_end(), hint(error))
}

/// What is wrong, without the line.
pub(super) fn said_of_value(error: &toml::de::Error) -> String {
    in_words(error.message()) + &hint(error)
}

/// The known name that may have been meant, as the end of a message.
fn hint(error: &toml::de::Error) -> String {
    let near = known_to_serde(error.message());
    near.map_or_else(String::new, |near| format!("\ndid you mean '{near}'?"))
}

/// The message with words in the place of Rust's types.
fn in_words(message: &str) -> String {
    let mut words = message.to_owned();
    for (of_rust, in_words) in [
        ("a sequence", "a list"),
        ("a map", "a table"),
        ("a boolean", "true or false"),
    ] {
        words = words.replace(
            &format!("expected {of_rust}"),
            &format!("expected {in_words}"),
        );
    }
    for of_rust in ["usize", "u8", "u16", "u32", "u64"] {
        words = words.replace(
            &format!("expected a nonzero {of_rust}"),
            "expected a whole number above 0",
        );
        words = words.replace(
            &format!("expected {of_rust}"),
            "expected a whole number from 0",
        );
    }
    for of_rust in ["i32", "i64"] {
        words = words.replace(&format!("expected {of_rust}"), "expected a whole number");
    }
    for of_rust in ["f32", "f64"] {
        words = words.replace(&format!("expected {of_rust}"), "expected a number");
    }
    // A structure is a table of settings, whatever it is called.
    if let Some(at) = words.find("expected struct ") {
        let rest = at + "expected struct ".len();
        let end = words[rest..]
            .find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
            .map_or(words.len(), |end| rest + end);
        words.replace_range(at..end, "expected a table of settings");
    }
    words
}

/// The name that is most like the unknown one of which serde complains.
fn known_to_serde(message: &str) -> Option<String> {
    let mut names = message.split('`').skip(1).step_by(2);
    if !message.starts_with("unknown") {
        return None;
    }
    let unknown = names.next()?;
    nearest(unknown, names).map(str::to_owned)
}
