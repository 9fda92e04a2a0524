//! How large the numbers of an experiment may be, and what is said of others.

use std::fmt::{self, Display};
use std::num::{NonZeroU32, NonZeroU64};

use serde::de::{Deserializer, Error, Visitor};

/// Largest number of each. Each is more than any machine has time or room for, and small enough to be counted with.
pub(crate) const SEEDS: u64 = 10_000;
pub(crate) const STEPS: u64 = 1_000_000_000;
pub(crate) const DRAW: u64 = 1_000_000;

/// What is wrong with a number of something.
fn refused(what: &str, got: impl Display, least: u64, most: u64) -> String {
    format!("{what} = {got}, but it is {}", range(least, most))
}

fn range(least: u64, most: u64) -> String {
    format!("a whole number from {least} to {most}")
}

/// A number as a person would write it: large ones by their power of ten.
fn shown(number: f64) -> String {
    match number.abs() < 1e9 {
        true => format!("{number:?}"),
        false => format!("{number:e}"),
    }
}

/// A number in a text.
pub(crate) fn parse(text: &str, most: u64) -> Result<u64, String> {
    within(text, 1, most)
}

fn within(text: &str, least: u64, most: u64) -> Result<u64, String> {
    let read = text.parse().ok();
    let sound = read.filter(|number| (least..=most).contains(number));
    sound.ok_or_else(|| format!("it is {}", range(least, most)))
}

/// A number of a flag.
pub(crate) fn flag<const MOST: u64>(text: &str) -> Result<u64, String> {
    parse(text, MOST)
}

/// The first seed, of a flag.
pub(crate) fn first_seed_flag(text: &str) -> Result<u64, String> {
    within(text, 0, SEEDS)
}

/// A number of a file.
struct Whole {
    what: &'static str,
    least: u64,
    most: u64,
}

impl Whole {
    fn checked<E: Error>(&self, got: impl Display, read: Option<u64>) -> Result<u64, E> {
        let sound = read.filter(|number| (self.least..=self.most).contains(number));
        sound.ok_or_else(|| E::custom(refused(self.what, got, self.least, self.most)))
    }
}

impl Visitor<'_> for Whole {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&range(self.least, self.most))
    }

    fn visit_u64<E: Error>(self, got: u64) -> Result<u64, E> {
        self.checked(got, Some(got))
    }

    fn visit_i64<E: Error>(self, got: i64) -> Result<u64, E> {
        self.checked(got, got.try_into().ok())
    }

    fn visit_u128<E: Error>(self, got: u128) -> Result<u64, E> {
        self.checked(got, got.try_into().ok())
    }

    fn visit_i128<E: Error>(self, got: i128) -> Result<u64, E> {
        self.checked(got, got.try_into().ok())
    }

    fn visit_f64<E: Error>(self, got: f64) -> Result<u64, E> {
        self.checked(shown(got), None)
    }
}

fn whole<'de, D: Deserializer<'de>>(
    deserializer: D,
    what: &'static str,
    most: u64,
) -> Result<Option<NonZeroU64>, D::Error> {
    let read = deserializer.deserialize_any(Whole {
        what,
        least: 1,
        most,
    })?;
    Ok(NonZeroU64::new(read))
}

/// Seeds per arm.
pub(crate) fn seeds<'de, D: Deserializer<'de>>(of: D) -> Result<Option<NonZeroU64>, D::Error> {
    whole(of, "seeds", SEEDS)
}

/// The first seed.
pub(crate) fn first_seed<'de, D: Deserializer<'de>>(of: D) -> Result<Option<u64>, D::Error> {
    let visitor = Whole {
        what: "first_seed",
        least: 0,
        most: SEEDS,
    };
    of.deserialize_any(visitor).map(Some)
}

/// Optimizer steps.
pub(crate) fn steps<'de, D: Deserializer<'de>>(of: D) -> Result<Option<NonZeroU64>, D::Error> {
    whole(of, "steps", STEPS)
}

/// Steps between evaluations.
pub(crate) fn evaluate_every<'de, D: Deserializer<'de>>(
    of: D,
) -> Result<Option<NonZeroU64>, D::Error> {
    whole(of, "evaluate_every", STEPS)
}

/// Examples per step.
pub(crate) fn draw<'de, D: Deserializer<'de>>(of: D) -> Result<Option<NonZeroU32>, D::Error> {
    let draw = whole(of, "draw", DRAW)?;
    Ok(draw.and_then(|draw| draw.try_into().ok()))
}

/// How much slower an arm goes: its steps are multiplied by this.
pub(crate) fn slowdown<'de, D: Deserializer<'de>>(of: D) -> Result<Option<u32>, D::Error> {
    let slowdown = whole(of, "slowdown", STEPS)?;
    Ok(slowdown.and_then(|slowdown| u64::from(slowdown).try_into().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_files_have_bounds_that_are_said() {
        #[derive(serde::Deserialize)]
        struct Arm {
            #[serde(deserialize_with = "draw")]
            draw: Option<NonZeroU32>,
        }
        let read = |number: &str| toml::from_str::<Arm>(&format!("draw = {number}"));
        for sound in ["1", "1000000", "0x10"] {
            assert!(read(sound).unwrap().draw.is_some(), "{sound}");
        }
        for (odd, shown) in [
            ("0", "0"),
            ("-3", "-3"),
            ("1000001", "1000001"),
            ("100000000000000000000", "100000000000000000000"),
            ("16.0", "16.0"),
            ("1e14", "1e14"),
            ("-1e300", "-1e300"),
            ("nan", "NaN"),
        ] {
            let said = read(odd).map(|_| ()).unwrap_err();
            let expected = format!("draw = {shown}, but it is a whole number from 1 to 1000000");
            assert_eq!(said.message(), expected, "{odd}");
        }
        let said = read("\"8\"").map(|_| ()).unwrap_err();
        let said = said.message();
        assert!(
            said.ends_with("expected a whole number from 1 to 1000000"),
            "{said}"
        );
        assert_eq!(parse("16", DRAW), Ok(16));
        for odd in ["0", "-1", "1e14", "x", "", "1000001"] {
            assert_eq!(
                parse(odd, DRAW).unwrap_err(),
                "it is a whole number from 1 to 1000000"
            );
        }
    }
}
