//! JSON objects in which every key stands once.
//!
//! A map that is read takes the last of two entries with one key, so that a record could lose a capability without a word.

use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::message::shown;

/// Refuses a text in which an object has a key twice, with its place.
pub(crate) fn check(text: &str) -> Result<(), serde_json::Error> {
    serde_json::from_str::<Unique>(text).map(|Unique| ())
}

/// Any value whose objects have each key once.
struct Unique;

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Walk)
    }
}

struct Walk;

impl<'de> Visitor<'de> for Walk {
    type Value = Unique;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_str<E>(self, _: &str) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_unit<E>(self) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Unique, A::Error> {
        while values.next_element::<Unique>()?.is_some() {}
        Ok(Unique)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Unique, A::Error> {
        let mut keys = HashSet::new();
        while let Some(key) = entries.next_key::<String>()? {
            if keys.contains(&key) {
                let twice = format!("the key {} stands in one object twice", shown(&key));
                return Err(A::Error::custom(twice));
            }
            entries.next_value::<Unique>()?;
            keys.insert(key);
        }
        Ok(Unique)
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn twice_is_an_error_at_every_depth() {
        for sound in [
            "{}",
            "[1, -2, 0.5, true, null, \"a\", \"a\"]",
            "{\"a\": {\"a\": [{\"a\": 1}, {\"a\": 1}]}, \"b\": 1}",
        ] {
            check(sound).unwrap();
        }
        for twice in [
            "{\"a\": 1, \"a\": 1}",
            "{\"b\": {\"a\": 1, \"c\": 2, \"a\": 3}}",
            "[{\"a\": 1, \"\\u0061\": 1}]",
        ] {
            let said = check(twice).unwrap_err().to_string();
            assert!(
                said.starts_with("the key \"a\" stands in one object twice at line 1 column"),
                "{said}"
            );
        }
    }
}
