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

/// Numbers in the tables of a report that no claim can be about, and why.
const NOT_CLAIMED: [(&str, &str); 2] = [
    (
        "order_agreement",
        "it compares a run with that of the baseline already",
    ),
    (
        "steps_per_second",
        "it is a number of the machine; take seconds_to_90 or seconds_to_99",
    ),
];

/// The known name that may have been meant, as the end of a message.
fn hint(error: &toml::de::Error) -> String {
    let unknown = |name: &str| {
        error
            .message()
            .starts_with(&format!("unknown variant `{name}`"))
    };
    if let Some((name, why)) = NOT_CLAIMED.iter().find(|(name, _)| unknown(name)) {
        return format!(
            "\n{name} is in the tables of a report, but no claim can be about it: {why}"
        );
    }
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
    words = words.replace("` as i128", "`").replace("` as u128", "`");
    for (of_rust, most) in [
        ("u8", u32::from(u8::MAX)),
        ("u16", u32::from(u16::MAX)),
        ("u32", u32::MAX),
    ] {
        words = words.replace(
            &format!("expected a nonzero {of_rust}"),
            &format!("expected a whole number above 0, up to {most}"),
        );
        words = words.replace(
            &format!("expected {of_rust}"),
            &format!("expected a whole number from 0 to {most}"),
        );
    }
    for of_rust in ["usize", "u64"] {
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
    shorten(&mut words);
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

/// Writes a number of many digits by its power of ten.
fn shorten(words: &mut String) {
    const BEGIN: &str = "floating point `";
    let Some(begin) = words.find(BEGIN).map(|at| at + BEGIN.len()) else {
        return;
    };
    let Some(end) = words[begin..].find('`').map(|length| begin + length) else {
        return;
    };
    if let (true, Ok(number)) = (end - begin > 12, words[begin..end].parse::<f64>()) {
        words.replace_range(begin..end, &format!("{number:e}"));
    }
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
