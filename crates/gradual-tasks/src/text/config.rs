//! Settings of a task on text.

use serde::{Deserialize, Serialize};

use crate::decoder::DecoderConfig;
use crate::setting::{NUMBERS, SettingError, count, parameters};

/// Settings of [`Text`](crate::Text): the sizes of its model, and of its held-out part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TextConfig {
    /// Tokens that the model sees at once, 2 to 8 192.
    pub context: usize,
    /// Width of the decoder, at most 4 096; it has 50 million parameters at most.
    pub width: usize,
    /// Attention heads, at most 64; they divide the width.
    pub heads: usize,
    /// Blocks, 1 to 64.
    pub layers: usize,
    /// Width of the hidden layers, at most 65 536.
    pub hidden: usize,
    /// Most held-out lines of each group, 1 to 100 000; never more than a quarter of the group.
    pub held_out: usize,
}

/// Two blocks of width 64 that see 128 tokens; 200 held-out lines of each group.
impl Default for TextConfig {
    fn default() -> Self {
        Self {
            context: 128,
            width: 64,
            heads: 4,
            layers: 2,
            hidden: 256,
            held_out: 200,
        }
    }
}

impl TextConfig {
    /// Whether a task can be made of these settings, with any text.
    ///
    /// # Errors
    ///
    /// [`SettingError`] naming the setting that is out of range, or does not go with another.
    pub fn check(&self) -> Result<(), SettingError> {
        count("context", 2..=8_192, self.context)?;
        count("width", 1..=4_096, self.width)?;
        count("heads", 1..=64, self.heads)?;
        count("layers", 1..=64, self.layers)?;
        count("hidden", 1..=65_536, self.hidden)?;
        count("held_out", 1..=100_000, self.held_out)?;
        if !self.width.is_multiple_of(self.heads) {
            return Err(SettingError::Together {
                name: "heads",
                got: self.heads,
                problem: format!("it has to divide width = {}", self.width),
            });
        }
        self.decoder(2).map(drop)
    }

    /// The model for so many tokens.
    pub(super) fn decoder(&self, vocabulary: usize) -> Result<DecoderConfig, SettingError> {
        let decoder = DecoderConfig {
            vocabulary,
            context: self.context,
            width: self.width,
            heads: self.heads,
            layers: self.layers,
            hidden: self.hidden,
        };
        let others = format!(
            "layers = {}, hidden = {}, context = {} and {vocabulary} different tokens",
            self.layers, self.hidden, self.context
        );
        parameters("width", self.width, &others, decoder.num_parameters())?;
        if self.numbers(vocabulary) > NUMBERS {
            return Err(SettingError::Together {
                name: "context",
                got: self.context,
                problem: format!(
                    "with {vocabulary} different tokens, width = {}, heads = {} and hidden = {} a layer then has {} \
                     numbers for one line; {NUMBERS} is the most",
                    self.width,
                    self.heads,
                    self.hidden,
                    self.numbers(vocabulary)
                ),
            });
        }
        Ok(decoder)
    }

    /// Numbers of the largest layer for one line.
    pub(super) fn numbers(&self, vocabulary: usize) -> u128 {
        let [context, width, hidden, heads] =
            [self.context, self.width, self.hidden, self.heads].map(|size| size as u128);
        context
            * (4 * width)
                .max(hidden)
                .max(vocabulary as u128)
                .max(heads * context)
    }
}
