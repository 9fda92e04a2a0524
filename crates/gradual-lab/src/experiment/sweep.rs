//! `[[sweep]]`: arms that do the same thing at several strengths, written as one.

use std::num::NonZeroU64;

use anyhow::{anyhow, bail};
use serde::Deserialize;
use toml::{Spanned, Table, Value};

use super::messages::{place, said_of_value};
use crate::arm::{ArmEntry, NUMBER};
use crate::bounds;

/// Longest number that is put into texts, in characters.
const MOST_DIGITS: usize = 40;
/// How often it may stand in one text.
const MOST_NUMBERS: usize = 100;

/// One arm for each number of `at`, which stands in the place of `{}` as it is written there.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sweep {
    name: Spanned<String>,
    #[serde(default)]
    about: Option<String>,
    #[serde(default)]
    control_for: Option<String>,
    #[serde(default)]
    like: Option<Spanned<String>>,
    #[serde(default)]
    recipe: Option<Table>,
    #[serde(default)]
    then: Option<Table>,
    at: Spanned<Vec<Spanned<f64>>>,
    #[serde(default)]
    series: Option<String>,
    #[serde(default, deserialize_with = "bounds::seeds")]
    seeds: Option<NonZeroU64>,
}

impl Sweep {
    /// How many arms it makes.
    pub(super) fn len(&self) -> usize {
        self.at.as_ref().len()
    }

    /// Its arms, in the order of the numbers. `text` is the content of the file called `file`.
    pub(super) fn arms(&self, file: &str, text: &str) -> anyhow::Result<Vec<ArmEntry>> {
        let name = self.name.as_ref();
        let at_name = || place(file, text, &self.name);
        if !name.contains(NUMBER) {
            bail!(
                "{}[[sweep]] name = \"{name}\": {NUMBER} is missing, which stands for the number, as in \"{name}-{NUMBER}\"",
                at_name()
            );
        }
        let like = self.like.as_ref().map(AsRef::as_ref);
        let changes = like.is_some_and(|like: &String| like.contains(NUMBER));
        let tables = self.recipe.iter().chain(&self.then);
        if !changes && !tables.flat_map(Table::values).any(holds_number) {
            bail!(
                "{}[[sweep]] {name}: its arms are all the same; put {NUMBER} where the number goes, as in \
                 recipe.composition = \"power(p = {NUMBER})\"",
                at_name()
            );
        }
        if self.at.as_ref().is_empty() {
            bail!(
                "{}[[sweep]] {name}: at = [], but at least one number is expected",
                place(file, text, &self.at)
            );
        }
        let series = self.series(&at_name())?;
        let arm = |at: &Spanned<f64>| {
            let said = format!("{}[[sweep]] {name}: ", place(file, text, at));
            let written = text.get(at.span()).unwrap_or_default();
            if written.len() > MOST_DIGITS {
                bail!(
                    "{said}at = a number of {} characters, but at most {MOST_DIGITS} are expected",
                    written.len()
                );
            }
            self.arm(&series, written)
                .map_err(|error| anyhow!("{said}at = {written}: {error:#}"))
        };
        self.at.as_ref().iter().map(arm).collect()
    }

    /// Where it says what its arms are like, or where it begins.
    pub(super) fn place(&self, file: &str, text: &str) -> String {
        place(file, text, self.like.as_ref().unwrap_or(&self.name))
    }

    /// The name of its series: that of the arms without the number, where none is given.
    fn series(&self, place: &str) -> anyhow::Result<String> {
        let name = self.name.as_ref();
        let named = match &self.series {
            Some(series) if series.contains(NUMBER) => bail!(
                "{place}[[sweep]] {name}: series = \"{series}\", but its arms are in one series: leave {NUMBER} out"
            ),
            Some(series) => series.trim().to_owned(),
            None => {
                let parts = name
                    .split(NUMBER)
                    .map(|part| part.trim_matches(['-', '_', '.']));
                let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
                parts.join("-")
            }
        };
        match named.is_empty() {
            true => {
                bail!("{place}[[sweep]] {name}: give its series a name, as in series = \"power\"")
            }
            false => Ok(named),
        }
    }

    /// All texts in which the number may stand.
    fn words(&self) -> Vec<&str> {
        let like = self.like.as_ref().map(AsRef::as_ref);
        let own = [
            Some(self.name.as_ref()),
            self.about.as_ref(),
            self.control_for.as_ref(),
            like,
        ];
        let mut words: Vec<&str> = own.into_iter().flatten().map(String::as_str).collect();
        let tables = self.recipe.iter().chain(&self.then);
        for value in tables.flat_map(Table::values) {
            add_words(value, &mut words);
        }
        words
    }

    /// The arm as `[[arm]]` would say it.
    fn arm(&self, series: &str, written: &str) -> anyhow::Result<ArmEntry> {
        for words in self.words() {
            let numbers = words.matches(NUMBER).count();
            if numbers > MOST_NUMBERS {
                bail!(
                    "{NUMBER} stands {numbers} times in one text, but at most {MOST_NUMBERS} times are expected"
                );
            }
        }
        let text = |text: &String| Some(Value::String(text.replace(NUMBER, written)));
        let table = |table: &Table| put(&Value::Table(table.clone()), written);
        let then = self.then.as_ref().map(table).transpose()?;
        if let Some(then) = &then {
            let checked = ArmEntry::check_then(then);
            checked.map_err(|error| anyhow!("then: {}", said_of_value(&error)))?;
        }
        let swept = [
            ("name", text(self.name.as_ref())),
            ("about", self.about.as_ref().and_then(text)),
            ("control_for", self.control_for.as_ref().and_then(text)),
            ("like", self.like.as_ref().map(AsRef::as_ref).and_then(text)),
            ("recipe", self.recipe.as_ref().map(table).transpose()?),
            ("then", then),
        ];
        let seeds = self.seeds.map(|seeds| i64::try_from(u64::from(seeds)));
        let own = [
            ("series", Some(Value::String(series.to_owned()))),
            ("at", Some(number(written)?)),
            ("seeds", seeds.transpose()?.map(Value::Integer)),
        ];
        let mut arm = Table::new();
        for (key, value) in swept {
            if let Some(value) = value {
                arm.insert(key.to_owned(), value);
            }
        }
        let own = own.into_iter();
        arm.extend(own.filter_map(|(key, value)| Some((key.to_owned(), value?))));
        ArmEntry::deserialize(Value::Table(arm)).map_err(|error| anyhow!(said_of_value(&error)))
    }
}

fn add_words<'a>(value: &'a Value, words: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => words.push(text),
        Value::Array(values) => values.iter().for_each(|value| add_words(value, words)),
        Value::Table(table) => table.values().for_each(|value| add_words(value, words)),
        _ => {}
    }
}

fn holds_number(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains(NUMBER),
        Value::Array(values) => values.iter().any(holds_number),
        Value::Table(table) => table.values().any(holds_number),
        _ => false,
    }
}

/// The value with the number in it. A text that is nothing but `{}` becomes the number itself.
fn put(value: &Value, written: &str) -> anyhow::Result<Value> {
    Ok(match value {
        Value::String(text) if text == NUMBER => number(written)?,
        Value::String(text) => Value::String(text.replace(NUMBER, written)),
        Value::Array(values) => {
            let values = values.iter().map(|value| put(value, written));
            Value::Array(values.collect::<anyhow::Result<_>>()?)
        }
        Value::Table(table) => {
            let entries = table
                .iter()
                .map(|(key, value)| Ok((key.clone(), put(value, written)?)));
            Value::Table(entries.collect::<anyhow::Result<_>>()?)
        }
        other => other.clone(),
    })
}

/// The number as TOML reads it, which tells whole numbers from others.
fn number(written: &str) -> anyhow::Result<Value> {
    let table: Table = toml::from_str(&format!("at = {written}"))?;
    let value = table.get("at").cloned();
    value.ok_or_else(|| anyhow!("{written} is no number"))
}
