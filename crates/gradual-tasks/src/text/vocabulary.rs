//! Text to numbers of tokens, and back.

use std::cell::Cell;
use std::collections::HashMap;
use std::fs::File;
use std::io::Read as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Once};

use sha2::{Digest as _, Sha256};
use tokenizers::Tokenizer;

use super::error::TextError;
use super::growth::{self, Fault};

/// Most different characters that have a token of their own.
pub(super) const CHARACTERS: usize = 1_000;
/// Longest file of a tokenizer, in bytes.
const LONGEST: u64 = 256 << 20;
/// Tokens of a tokenizer, at most: a model has a row of weights for each.
const MOST: u32 = 1_000_000;
/// Tokens whose texts a file is tried on, at most.
const TRIED: usize = 20_000;
/// What a tokenizer can be, for messages.
const EXPECTED: &str = "expected characters, bytes, or the path of a tokenizer.json";
/// What an unknown character is shown as.
const UNKNOWN: char = '\u{fffd}';

/// How text is cut into tokens.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum TextTokens {
    /// Every character is a token: the 1 000 most frequent ones of the file, and one for all others.
    #[default]
    Characters,
    /// Every byte of the UTF-8 text is a token.
    Bytes,
    /// The tokens of a file of the crate `tokenizers` (`tokenizer.json`).
    File(PathBuf),
}

/// A vocabulary. Its first token begins and ends every text, and stands between a prompt and its target.
#[derive(Debug, Clone)]
pub(super) enum Vocabulary {
    Characters {
        /// In the order of their tokens.
        known: Vec<char>,
        /// The token of each.
        tokens: HashMap<char, u32>,
    },
    Bytes,
    Tokenizer {
        tokenizer: Arc<Tokenizer>,
        size: usize,
        sha256: String,
    },
}

/// The token that begins and ends texts.
pub(super) const EDGE: u32 = 0;
/// The first token of a vocabulary's own.
const FIRST: u32 = 1;

impl Vocabulary {
    /// The most frequent of these characters, at most [`CHARACTERS`]; of equals those that come first in Unicode.
    pub(super) fn of_characters(counts: &CharacterCounts) -> Self {
        let mut known = counts.by_frequency();
        known.truncate(CHARACTERS);
        known.sort_unstable();
        let tokens = (FIRST + 1..)
            .zip(&known)
            .map(|(token, &letter)| (letter, token));
        Self::Characters {
            tokens: tokens.collect(),
            known,
        }
    }

    /// That of a tokenizer's file.
    pub(super) fn open(path: &Path) -> Result<Self, TextError> {
        let refused = |problem: String| TextError::Tokenizer {
            path: path.to_owned(),
            problem,
        };
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(|error| refused(format!("{error}; {EXPECTED}")))?;
        file.take(LONGEST + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| refused(error.to_string()))?;
        if bytes.len() as u64 > LONGEST {
            return Err(refused(format!("has more than {LONGEST} bytes")));
        }
        let none = |problem: String| {
            refused(format!(
                "is no file of the crate tokenizers: {}; {EXPECTED}",
                gradual_registry::excerpt(&problem, 200)
            ))
        };
        // Before the library makes what the file says.
        let checked = growth::check(&bytes).map_err(|fault| match fault {
            Fault::NotJson(problem) => none(problem),
            Fault::Rule(problem) => refused(problem),
        });
        checked?;
        let read = unwound(|| Tokenizer::from_bytes(&bytes).map_err(|error| error.to_string()));
        let mut tokenizer = read.map_err(none)?;
        tokenizer.with_padding(None);
        tokenizer
            .with_truncation(None)
            .map_err(|error| refused(error.to_string()))?;
        let largest = tokenizer.get_vocab(true).into_values().max();
        let largest = largest.ok_or_else(|| refused(String::from("has no tokens")))?;
        if largest >= MOST {
            return Err(refused(format!(
                "has a token of number {largest}; {} is the largest, because a model has a row of weights for each number",
                MOST - 1
            )));
        }
        tried(&tokenizer).map_err(|problem| refused(format!("can't be used: {problem}")))?;
        Ok(Self::Tokenizer {
            tokenizer: Arc::new(tokenizer),
            size: FIRST as usize + largest as usize + 1,
            sha256: format!("{:x}", Sha256::digest(&bytes)),
        })
    }

    /// Number of different tokens.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Characters { known, .. } => FIRST as usize + 1 + known.len(),
            Self::Bytes => FIRST as usize + 256,
            Self::Tokenizer { size, .. } => *size,
        }
    }

    /// What it is, for the settings of a run. The characters follow from the file, whose digest is there, too.
    pub(super) fn described(&self) -> String {
        match self {
            Self::Characters { .. } => String::from("characters"),
            Self::Bytes => String::from("bytes"),
            Self::Tokenizer { sha256, .. } => format!("sha256:{sha256}"),
        }
    }

    /// Adds the tokens of a text.
    ///
    /// # Errors
    ///
    /// What a tokenizer says of a text that it can't encode.
    pub(super) fn encode(&self, text: &str, tokens: &mut Vec<u32>) -> Result<(), String> {
        match self {
            Self::Characters { tokens: of, .. } => {
                let token = |letter| of.get(&letter).copied().unwrap_or(FIRST);
                tokens.extend(text.chars().map(token));
            }
            Self::Bytes => tokens.extend(text.bytes().map(|byte| FIRST + u32::from(byte))),
            Self::Tokenizer { tokenizer, .. } => {
                let encoded = unwound(|| {
                    let encoded = tokenizer.encode_fast(text, false);
                    encoded.map_err(|error| error.to_string())
                })?;
                tokens.extend(encoded.get_ids().iter().map(|id| FIRST + id));
            }
        }
        Ok(())
    }

    /// The text of tokens, for people.
    pub(super) fn decode(&self, tokens: &[u32]) -> String {
        let own = tokens.iter().filter(|&&token| token >= FIRST);
        match self {
            Self::Characters { known, .. } => {
                let letter = |&token: &u32| known.get((token as usize).wrapping_sub(2)).copied();
                own.map(|token| letter(token).unwrap_or(UNKNOWN)).collect()
            }
            Self::Bytes => {
                let bytes: Vec<u8> = own.map(|&token| (token - FIRST) as u8).collect();
                String::from_utf8_lossy(&bytes).into_owned()
            }
            Self::Tokenizer { tokenizer, .. } => {
                let ids: Vec<u32> = own.map(|&token| token - FIRST).collect();
                decoded(tokenizer, &ids).unwrap_or_default()
            }
        }
    }
}

/// The text of tokens.
fn decoded(tokenizer: &Tokenizer, ids: &[u32]) -> Result<String, String> {
    unwound(|| {
        let text = tokenizer.decode(ids, false);
        text.map_err(|error| error.to_string())
    })
}

/// Tries a tokenizer on the texts of its own tokens: some rules of a file can be read, and then fail on any text.
fn tried(tokenizer: &Tokenizer) -> Result<(), String> {
    let mut ids: Vec<u32> = tokenizer.get_vocab(true).into_values().collect();
    ids.sort_unstable();
    let step = ids.len().div_ceil(TRIED);
    let mut texts = String::from("A first text, of 12 words or so: naïve façade, 東京.\n");
    for &id in ids.iter().step_by(step) {
        texts += &decoded(tokenizer, &[id])?;
        texts.push(' ');
    }
    unwound(|| {
        let encoded = tokenizer.encode_fast(texts.as_str(), false);
        encoded.map(drop).map_err(|error| error.to_string())
    })
}

/// What the library says, or that it panicked, as it does on some files. Nothing of the panic is printed.
fn unwound<T>(call: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    thread_local! {
        static QUIET: Cell<bool> = const { Cell::new(false) };
    }
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                before(info);
            }
        }));
    });
    let quiet = QUIET.replace(true);
    let outcome = catch_unwind(AssertUnwindSafe(call));
    QUIET.set(quiet);
    outcome.unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str);
        let said = said.or_else(|| panic.downcast_ref::<&str>().copied());
        Err(format!(
            "the crate tokenizers panicked: {}",
            gradual_registry::excerpt(said.unwrap_or("without a message"), 200)
        ))
    })
}

/// How often each character occurs.
#[derive(Debug, Clone)]
pub(super) struct CharacterCounts {
    ascii: [u64; 128],
    others: HashMap<char, u64>,
}

impl Default for CharacterCounts {
    fn default() -> Self {
        Self {
            ascii: [0; 128],
            others: HashMap::new(),
        }
    }
}

impl CharacterCounts {
    pub(super) fn add(&mut self, text: &str) {
        for letter in text.chars() {
            match self.ascii.get_mut(letter as usize) {
                Some(count) => *count += 1,
                None => *self.others.entry(letter).or_insert(0) += 1,
            }
        }
    }

    /// Number of characters that have no token of their own, and of all.
    pub(super) fn rare(&self) -> (u64, u64) {
        let counts = self.all().map(|(_, count)| count);
        let mut counts: Vec<u64> = counts.collect();
        counts.sort_unstable_by_key(|&count| std::cmp::Reverse(count));
        let rare = counts.iter().skip(CHARACTERS).sum();
        (rare, counts.iter().sum())
    }

    fn all(&self) -> impl Iterator<Item = (char, u64)> {
        let ascii = ('\0'..='\u{7f}').zip(self.ascii);
        let ascii = ascii.filter(|(_, count)| *count > 0);
        ascii.chain(self.others.iter().map(|(&letter, &count)| (letter, count)))
    }

    fn by_frequency(&self) -> Vec<char> {
        let mut all: Vec<(char, u64)> = self.all().collect();
        all.sort_unstable_by_key(|&(letter, count)| (std::cmp::Reverse(count), letter));
        all.into_iter().map(|(letter, _)| letter).collect()
    }
}
