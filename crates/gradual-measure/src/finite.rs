//! Serialisation that refuses numbers which JSON cannot hold.
//!
//! `serde_json` writes NaN and infinities as `null`, and the line can then not be read again. These
//! functions, named in `#[serde(serialize_with = …)]`, turn that silent loss into an error.

use std::collections::BTreeMap;

use serde::ser::{Error, Serialize, Serializer};

fn check<E: Error>(what: &str, number: f64) -> Result<(), E> {
    if number.is_finite() {
        Ok(())
    } else {
        Err(E::custom(format_args!(
            "expected a finite {what}, got {number}"
        )))
    }
}

macro_rules! named {
    ($($name:ident: $what:literal),+ $(,)?) => {$(
        pub(crate) fn $name<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
            check($what, *number)?;
            serializer.serialize_f64(*number)
        }
    )+};
}

named! {
    train_loss: "train_loss",
    accuracy: "accuracy",
    loss: "loss",
    chance: "chance",
    frequency: "frequency",
    changed: "changed",
    seconds: "seconds",
    smallest_effect: "smallest_effect",
}

macro_rules! named_optional {
    ($($name:ident: $what:literal),+ $(,)?) => {$(
        pub(crate) fn $name<S: Serializer>(
            number: &Option<f64>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            check($what, number.unwrap_or(0.0))?;
            number.serialize(serializer)
        }
    )+};
}

named_optional! {
    recovery: "recovery",
    negative: "negative",
    adjusted_rand: "adjusted_rand",
    probability: "probability",
    progress: "progress",
    compute: "compute",
}

pub(crate) fn spectrum<S: Serializer>(numbers: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
    for number in numbers {
        check("spectrum", *number)?;
    }
    numbers.serialize(serializer)
}

pub(crate) fn shares<S: Serializer>(
    numbers: &BTreeMap<String, f64>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    for (capability, number) in numbers {
        check(&format!("share of `{capability}`"), *number)?;
    }
    numbers.serialize(serializer)
}
