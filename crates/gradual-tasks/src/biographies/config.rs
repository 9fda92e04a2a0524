//! Settings of [`Biographies`](super::Biographies).

use serde::{Deserialize, Serialize};

use crate::decoder::DecoderConfig;
use crate::setting::{self, SettingError};

/// People, text, how much there is of each, and the sizes of the decoder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BiographiesConfig {
    /// People N, 2 to 65 536.
    pub people: usize,
    /// Attributes of a person, 1 to 16.
    pub attributes: usize,
    /// Values of each attribute, 2 to 1 024.
    pub values: usize,
    /// Share of the examples that are biographies, 0 to 1: the mixing ratio.
    pub share: f64,
    /// Words of the text, 2 to 512.
    pub words: usize,
    /// Exponent of the Zipf law of words, 0 to 50.
    pub exponent: f64,
    /// How often a word is the one that the two before it stand for, 0 to 1; else it is any, by the law.
    pub fixed: f64,
    /// Held-out pieces of text, and most people that are asked about, 1 to 10 000.
    pub held_out: usize,
    /// Width of the decoder, at most 4 096; it has 50 million parameters at most.
    pub width: usize,
    /// Attention heads, at most 64; they divide the width.
    pub heads: usize,
    /// Blocks, 1 to 64.
    pub layers: usize,
    /// Width of the hidden layers, at most 65 536.
    pub hidden: usize,
}

/// 512 people with four attributes, one example in ten, and two blocks of width 32.
impl Default for BiographiesConfig {
    fn default() -> Self {
        Self {
            people: 512,
            attributes: 4,
            values: 32,
            share: 0.1,
            words: 64,
            exponent: 1.0,
            fixed: 0.75,
            held_out: 500,
            width: 32,
            heads: 4,
            layers: 2,
            hidden: 128,
        }
    }
}

impl BiographiesConfig {
    /// Refuses settings that make no sense.
    ///
    /// # Errors
    ///
    /// [`SettingError`] naming the setting.
    pub fn check(&self) -> Result<(), SettingError> {
        setting::count("people", 2..=65_536, self.people)?;
        setting::count("attributes", 1..=16, self.attributes)?;
        setting::count("values", 2..=1_024, self.values)?;
        setting::number("share", 0.0..=1.0, self.share)?;
        setting::count("words", 2..=512, self.words)?;
        setting::number("exponent", setting::EXPONENT, self.exponent)?;
        setting::number("fixed", 0.0..=1.0, self.fixed)?;
        setting::count("held_out", 1..=10_000, self.held_out)?;
        self.decoder().check(self.held_out)
    }

    /// Tokens of an example: a name of two, and each attribute with its value; or as many words.
    #[must_use]
    pub fn tokens(&self) -> usize {
        2 + 2 * self.attributes
    }

    /// Different first names, and as many last ones: so many that each person has a pair.
    pub(super) fn names(&self) -> usize {
        let root = self.people.isqrt();
        root + usize::from(root * root < self.people)
    }

    pub(super) fn decoder(&self) -> DecoderConfig {
        DecoderConfig {
            vocabulary: self.words + self.values + self.attributes + 2 * self.names(),
            context: self.tokens() - 1,
            width: self.width,
            heads: self.heads,
            layers: self.layers,
            hidden: self.hidden,
        }
    }
}
