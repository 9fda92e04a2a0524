//! Non-finite numbers, which JSON can't hold.
//!
//! `serde_json` writes NaN and infinities as `null`, and the line can then not be read again. CBOR holds them, so a
//! record is looked through in that form before it is written.

use ciborium::Value;
use serde::Serialize;

use crate::error::RunsError;

/// Refuses a record of this kind that holds NaN or an infinity anywhere.
pub(crate) fn check(content: &impl Serialize, record: &'static str) -> Result<(), RunsError> {
    let value = Value::serialized(content).map_err(|source| RunsError::Write {
        record,
        source: serde::ser::Error::custom(source),
    })?;
    match non_finite(&value) {
        None => Ok(()),
        Some((path, number)) => Err(RunsError::NotFinite {
            record,
            entry: path.trim_start_matches('.').to_owned(),
            number,
        }),
    }
}

/// The first number that is not finite, with the path to it.
fn non_finite(value: &Value) -> Option<(String, f64)> {
    let below =
        |step: String, value| non_finite(value).map(|(path, number)| (step + &path, number));
    match value {
        Value::Float(number) if !number.is_finite() => Some((String::new(), *number)),
        Value::Array(entries) => (0..)
            .zip(entries)
            .find_map(|(at, entry)| below(format!("[{at}]"), entry)),
        Value::Map(entries) => entries.iter().find_map(|(key, entry)| {
            let key = key
                .as_text()
                .map_or_else(|| format!("{key:?}"), str::to_owned);
            below(format!(".{key}"), entry)
        }),
        _ => None,
    }
}
