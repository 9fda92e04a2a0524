//! Inputs for tests that try to break a reader.
//!
//! # The idea
//!
//! Random bytes get past no reader's first line. So [`Mutated`] starts from inputs that are right, or that broke a
//! reader once, and changes them: bytes, numbers, whole lines, words that readers have been tripped by. A fuzzing engine
//! of [bolero] decides which changes; under `cargo test` that is a random one, for a second a test. Continuous
//! integration gives each a minute (`BOLERO_RANDOM_TEST_TIME_MS`), and `cargo xtask fuzz NAME` looks for new paths
//! through the code for as long as one likes.
//!
//! ```
//! use gradual_fuzz::Mutated;
//!
//! let inputs = Mutated::new([&b"step,loss\n0,1.5\n"[..]]).with_words(["NaN", ","]);
//! bolero::check!()
//!     .with_iterations(100)
//!     .with_generator(inputs)
//!     .for_each(|input| drop(String::from_utf8_lossy(input)));
//! ```
//!
//! [bolero]: https://docs.rs/bolero

use bolero::{Driver, ValueGenerator};

/// Words that trip readers of numbers and text.
const WORDS: [&str; 22] = [
    "0",
    "-1",
    "1e308",
    "-1e309",
    "NaN",
    "inf",
    "18446744073709551615",
    "9007199254740993",
    "1e-320",
    "null",
    "true",
    "\"\"",
    "[]",
    "{}",
    "\u{feff}",
    "\u{0}",
    "\u{1b}[2J",
    "\u{202e}",
    "../../x",
    "\r\n",
    "\u{fffd}",
    "'",
];

/// Most changes of one input.
const CHANGES: u8 = 8;
/// Longest input.
const LONGEST: usize = 1 << 16;

/// Inputs made of given ones by a few changes each.
#[derive(Debug, Clone)]
pub struct Mutated {
    seeds: Vec<Vec<u8>>,
    words: Vec<Vec<u8>>,
}

impl Mutated {
    /// Inputs made of these. They come unchanged, too.
    pub fn new<S: Into<Vec<u8>>>(seeds: impl IntoIterator<Item = S>) -> Self {
        Self {
            seeds: seeds.into_iter().map(Into::into).collect(),
            words: WORDS.map(Vec::from).to_vec(),
        }
    }

    /// The same with further words to put in, such as the keys of a format.
    #[must_use]
    pub fn with_words<W: Into<Vec<u8>>>(mut self, words: impl IntoIterator<Item = W>) -> Self {
        self.words.extend(words.into_iter().map(Into::into));
        self
    }

    fn change<D: Driver>(&self, driver: &mut D, input: &mut Vec<u8>) -> Option<()> {
        let at = index(driver, input.len() + 1)?;
        match index(driver, 8)? {
            0 => input.truncate(at),
            1 => {
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= 1 << index(driver, 8)?;
                }
            }
            2 => input.insert(at, driver.produce()?),
            3 => {
                let word = pick(driver, &self.words)?;
                input.splice(at..at, word.iter().copied());
            }
            4 => {
                let number = token(input, at);
                let word = pick(driver, &self.words)?;
                input.splice(number, word.iter().copied());
            }
            5 => {
                let line = line(input, at);
                input.drain(line);
            }
            6 => {
                let copied = input[line(input, at)].to_vec();
                let to = index(driver, input.len() + 1)?;
                input.splice(to..to, copied);
            }
            _ => {
                let other = pick(driver, &self.seeds)?;
                let from = index(driver, other.len() + 1)?;
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
        }
        input.truncate(LONGEST);
        Some(())
    }
}

impl ValueGenerator for Mutated {
    type Output = Vec<u8>;

    fn generate<D: Driver>(&self, driver: &mut D) -> Option<Vec<u8>> {
        let mut input = pick(driver, &self.seeds)?.clone();
        for _ in 0..index(driver, usize::from(CHANGES) + 1)? {
            self.change(driver, &mut input)?;
        }
        Some(input)
    }
}

/// A number below `end`, which is above 0.
fn index<D: Driver>(driver: &mut D, end: usize) -> Option<usize> {
    let number: u32 = driver.produce()?;
    (number as usize).checked_rem(end)
}

fn pick<'a, D: Driver, T>(driver: &mut D, from: &'a [T]) -> Option<&'a T> {
    from.get(index(driver, from.len())?)
}

/// Where the word or number around `at` stands.
fn token(input: &[u8], at: usize) -> std::ops::Range<usize> {
    let part = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-._".contains(byte);
    let before = input[..at]
        .iter()
        .rev()
        .take_while(|byte| part(byte))
        .count();
    let after = input[at..].iter().take_while(|byte| part(byte)).count();
    at - before..at + after
}

/// Where the line around `at` stands, with its line feed.
fn line(input: &[u8], at: usize) -> std::ops::Range<usize> {
    let before = input[..at].iter().rposition(|&byte| byte == b'\n');
    let after = input[at..].iter().position(|&byte| byte == b'\n');
    let start = before.map_or(0, |line_feed| line_feed + 1);
    start..after.map_or(input.len(), |line_feed| at + line_feed + 1)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn words_and_lines_are_found_around_a_place() {
        let text = b"a,1.5e3\nbb,2\n";
        assert_eq!(token(text, 4), 2..7);
        assert_eq!(token(text, 1), 0..1);
        assert_eq!(line(text, 4), 0..8);
        assert_eq!(line(text, 8), 8..13);
        assert_eq!(line(text, 13), 13..13);
        assert_eq!(token(b"", 0), 0..0);
    }

    #[test]
    fn inputs_are_the_seeds_and_many_others() {
        let seed = b"one,2\nthree,4\n";
        let seen = Mutex::new(BTreeSet::new());
        bolero::check!()
            .with_iterations(2_000)
            .with_generator(Mutated::new([&seed[..]]).with_words(["unusual"]))
            .for_each(|input| {
                assert!(input.len() <= LONGEST);
                seen.lock().unwrap().insert(input.clone());
            });
        let seen = seen.into_inner().unwrap();
        assert!(seen.contains(&seed[..]));
        assert!(seen.len() > 1_000, "{}", seen.len());
        let holds = |word: &[u8]| {
            seen.iter()
                .any(|input| input.windows(word.len()).any(|part| part == word))
        };
        assert!(holds(b"unusual") && holds(b"1e308"));
    }
}
