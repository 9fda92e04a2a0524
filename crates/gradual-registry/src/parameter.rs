//! What a parameter is by default, and what it may be.

use std::fmt;

use crate::Value;
use crate::condition::{Condition, Is};

/// A parameter of an [`Entry`](crate::Entry): its name, one sentence, which values it takes, and its default.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// Its name in a [`Spec`](crate::Spec).
    pub name: &'static str,
    /// What it is, in a few words, with its unit.
    pub about: &'static str,
    kind: Kind,
    low: Bound,
    high: Bound,
    words: &'static [&'static str],
    default: Default,
    condition: Option<Condition>,
}

/// Above it numbers no longer tell every whole number from the next.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Which values a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A finite real number.
    Number,
    /// A whole number from 0.
    Count,
    /// `true` or `false`.
    Flag,
    /// One of the parameter's words.
    Choice,
    /// A list of finite real numbers.
    Numbers,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Bound {
    None,
    /// The bound itself is allowed.
    Closed(f64),
    /// It is not.
    Open(f64),
}

#[derive(Debug, Clone, Copy)]
enum Default {
    Required,
    Number(f64),
    Count(u64),
    Flag(bool),
    Word(&'static str),
    Numbers(&'static [f64]),
}

impl Parameter {
    const fn new(
        name: &'static str,
        about: &'static str,
        kind: Kind,
        words: &'static [&'static str],
        default: Default,
    ) -> Self {
        Self {
            name,
            about,
            kind,
            low: Bound::None,
            high: Bound::None,
            words,
            default,
            condition: None,
        }
    }

    /// A finite real number.
    #[must_use]
    pub const fn number(name: &'static str, about: &'static str, default: f64) -> Self {
        Self::new(name, about, Kind::Number, &[], Default::Number(default))
    }

    /// A whole number from 0.
    #[must_use]
    pub const fn count(name: &'static str, about: &'static str, default: u64) -> Self {
        Self::new(name, about, Kind::Count, &[], Default::Count(default))
    }

    /// `true` or `false`.
    #[must_use]
    pub const fn flag(name: &'static str, about: &'static str, default: bool) -> Self {
        Self::new(name, about, Kind::Flag, &[], Default::Flag(default))
    }

    /// One of `words`, the first by default.
    #[must_use]
    pub const fn choice(
        name: &'static str,
        about: &'static str,
        words: &'static [&'static str],
    ) -> Self {
        Self::new(name, about, Kind::Choice, words, Default::Word(words[0]))
    }

    /// A list of finite real numbers, which has to be given unless it has a [default](Self::list_by_default).
    #[must_use]
    pub const fn numbers(name: &'static str, about: &'static str) -> Self {
        Self::new(name, about, Kind::Numbers, &[], Default::Required)
    }

    /// The same, which has to be given.
    #[must_use]
    pub const fn required(self) -> Self {
        Self {
            default: Default::Required,
            ..self
        }
    }

    /// The same number or count, in the place of which one of `words` may stand.
    #[must_use]
    pub const fn or_words(self, words: &'static [&'static str]) -> Self {
        Self { words, ..self }
    }

    /// The same with one of its words as the default.
    #[must_use]
    pub const fn word_by_default(self, word: &'static str) -> Self {
        Self {
            default: Default::Word(word),
            ..self
        }
    }

    /// The same list with a default.
    #[must_use]
    pub const fn list_by_default(self, numbers: &'static [f64]) -> Self {
        Self {
            default: Default::Numbers(numbers),
            ..self
        }
    }

    /// The same, from `low` on.
    #[must_use]
    pub const fn at_least(self, low: f64) -> Self {
        Self {
            low: Bound::Closed(low),
            ..self
        }
    }

    /// The same, larger than `low`.
    #[must_use]
    pub const fn above(self, low: f64) -> Self {
        Self {
            low: Bound::Open(low),
            ..self
        }
    }

    /// The same, up to `high`.
    #[must_use]
    pub const fn at_most(self, high: f64) -> Self {
        Self {
            high: Bound::Closed(high),
            ..self
        }
    }

    /// The same, smaller than `high`.
    #[must_use]
    pub const fn below(self, high: f64) -> Self {
        Self {
            high: Bound::Open(high),
            ..self
        }
    }

    /// The same, which makes a difference only if the parameter `other` is one of `words`: elsewhere any value but its default
    /// is refused.
    #[must_use]
    pub const fn only_if(self, other: &'static str, words: &'static [&'static str]) -> Self {
        Self {
            condition: Some(Condition {
                other,
                is: Is::One(words),
            }),
            ..self
        }
    }

    /// The same, which makes a difference unless the parameter `other` is `word`, as it prints.
    #[must_use]
    pub const fn only_unless(self, other: &'static str, word: &'static str) -> Self {
        Self {
            condition: Some(Condition {
                other,
                is: Is::Not(word),
            }),
            ..self
        }
    }

    /// A value of another parameter beside which it makes a difference where it does not beside others, for tests that try
    /// all; none where one is to be chosen that fits.
    #[must_use]
    pub fn beside(&self) -> Option<(&'static str, Value)> {
        let Condition { other, is } = self.condition?;
        let value = match is {
            Is::One(words) => match *words.first()? {
                "true" => Value::Flag(true),
                "false" => Value::Flag(false),
                word => Value::Word(word.to_owned()),
            },
            Is::Not(_) => return None,
        };
        Some((other, value))
    }

    /// What another parameter has to be for it to make a difference.
    pub(crate) const fn condition(&self) -> Option<Condition> {
        self.condition
    }

    /// Which values it takes.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The words that it takes.
    #[must_use]
    pub const fn words(&self) -> &'static [&'static str] {
        self.words
    }

    /// Its value where none is given; none if one has to be.
    #[must_use]
    pub fn default(&self) -> Option<Value> {
        match self.default {
            Default::Required => None,
            Default::Number(number) => Some(Value::Number(number)),
            Default::Count(count) => Some(Value::Count(count)),
            Default::Flag(flag) => Some(Value::Flag(flag)),
            Default::Word(word) => Some(Value::Word(word.to_owned())),
            Default::Numbers(numbers) => Some(Value::Numbers(numbers.to_vec())),
        }
    }

    /// `value` in the form that the parameter takes it in, a number for a count that stands where a number belongs, and a
    /// count for a whole number such as 1e4; none if it takes no such value.
    #[must_use]
    pub fn accept(&self, value: &Value) -> Option<Value> {
        let within =
            |number: f64| number.is_finite() && self.low.below(number) && self.high.above(number);
        match (self.kind, value) {
            (_, Value::Word(word)) => self.words.contains(&word.as_str()).then(|| value.clone()),
            (Kind::Flag, Value::Flag(_)) => Some(value.clone()),
            (Kind::Count, &Value::Count(count)) => {
                within(count as f64).then_some(Value::Count(count))
            }
            (Kind::Count, &Value::Number(number)) => {
                let whole = (0.0..=EXACT).contains(&number) && number.fract() == 0.0;
                (whole && within(number)).then_some(Value::Count(number as u64))
            }
            (Kind::Number, &Value::Count(count)) => {
                within(count as f64).then_some(Value::Number(count as f64))
            }
            (Kind::Number, &Value::Number(number)) => {
                within(number).then_some(Value::Number(number))
            }
            (Kind::Numbers, Value::Numbers(numbers)) => numbers
                .iter()
                .all(|&number| within(number))
                .then(|| value.clone()),
            _ => None,
        }
    }

    /// Values just outside of what it takes, for tests that try them all.
    #[must_use]
    pub fn refused(&self) -> Vec<Value> {
        let mut refused = vec![Value::Word(String::from("nonsense"))];
        for outside in [self.low.outside(-1.0), self.high.outside(1.0)]
            .into_iter()
            .flatten()
        {
            match self.kind {
                Kind::Number => refused.push(Value::Number(outside)),
                Kind::Count if outside >= 0.0 => refused.push(Value::Count(outside as u64)),
                Kind::Numbers => refused.push(Value::Numbers(vec![outside])),
                _ => {}
            }
        }
        if self.kind == Kind::Number {
            refused.extend([f64::NAN, f64::INFINITY].map(Value::Number));
        }
        refused
    }

    /// The least and the largest number that it takes, for tests that try them all; the largest of all numbers where
    /// there is no bound. None if it takes no number.
    #[must_use]
    pub fn extremes(&self) -> Vec<Value> {
        let ends = [
            self.low.inside(f64::MIN, f64::next_up),
            self.high.inside(f64::MAX, f64::next_down),
        ];
        let values = ends.into_iter().map(|end| match self.kind {
            Kind::Number => Some(Value::Number(end)),
            Kind::Numbers => Some(Value::Numbers(vec![end])),
            // A number that is too large or too small becomes the nearest count.
            Kind::Count => Some(Value::Count(end as u64)),
            Kind::Flag | Kind::Choice => None,
        });
        values.flatten().collect()
    }

    /// Which values it takes, in words.
    #[must_use]
    pub fn expected(&self) -> String {
        let words = || match self.words {
            [] => String::new(),
            words => format!(", or {}", words.join(", ")),
        };
        match self.kind {
            Kind::Number => format!("a number{}{}", self.bounds(), words()),
            Kind::Count => format!("a whole number{}{}", self.bounds(), words()),
            Kind::Flag => String::from("true or false"),
            Kind::Choice => format!("one of {}", self.words.join(", ")),
            Kind::Numbers => format!("a list of numbers{}", self.bounds()),
        }
    }

    fn bounds(&self) -> String {
        if let (Bound::Closed(low), Bound::Closed(high)) = (self.low, self.high) {
            return format!(" from {} to {}", short(low), short(high));
        }
        let low = match self.low {
            Bound::None => None,
            Bound::Closed(low) => Some(format!("≥ {}", short(low))),
            Bound::Open(low) => Some(format!("> {}", short(low))),
        };
        let high = match self.high {
            Bound::None => None,
            Bound::Closed(high) => Some(format!("≤ {}", short(high))),
            Bound::Open(high) => Some(format!("< {}", short(high))),
        };
        let bounds: Vec<String> = low.into_iter().chain(high).collect();
        match bounds.as_slice() {
            [] => String::new(),
            bounds => format!(" {}", bounds.join(" and ")),
        }
    }
}

/// A bound as people write it: nobody counts the zeros of a large one.
fn short(bound: f64) -> String {
    match bound.abs() {
        size if size == 0.0 || (1e-4..1e7).contains(&size) => bound.to_string(),
        _ => format!("{bound:e}"),
    }
}

/// As in a table: name, default, what it takes.
impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, about, expected) = (self.name, self.about, self.expected());
        let with = self
            .condition
            .map(|condition| format!("; with {condition}"));
        let with = with.unwrap_or_default();
        match self.default() {
            Some(default) => write!(f, "{name} = {default}: {about} ({expected}{with})"),
            None => write!(f, "{name}: {about} ({expected}; has to be given{with})"),
        }
    }
}

impl Bound {
    /// Whether this is a lower bound of `number`.
    fn below(self, number: f64) -> bool {
        match self {
            Self::None => true,
            Self::Closed(bound) => bound <= number,
            Self::Open(bound) => bound < number,
        }
    }

    /// Whether this is an upper bound of `number`.
    fn above(self, number: f64) -> bool {
        match self {
            Self::None => true,
            Self::Closed(bound) => number <= bound,
            Self::Open(bound) => number < bound,
        }
    }

    /// The last number on the right side of the bound, next to it where it is not allowed itself.
    fn inside(self, without: f64, next: fn(f64) -> f64) -> f64 {
        match self {
            Self::None => without,
            Self::Closed(bound) => bound,
            Self::Open(bound) => next(bound),
        }
    }

    /// A number on the wrong side of the bound, one further into `direction` where the bound itself is allowed.
    fn outside(self, direction: f64) -> Option<f64> {
        match self {
            Self::None => None,
            // One more is nothing to a very large bound.
            Self::Closed(bound) if bound + direction == bound => Some(2.0 * bound),
            Self::Closed(bound) => Some(bound + direction),
            Self::Open(bound) => Some(bound),
        }
    }
}
