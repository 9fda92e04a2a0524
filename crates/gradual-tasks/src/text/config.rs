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
        count("held_out", 1..=100_000, self.held_out)?;
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
        decoder.check_sizes()?;
        let others = format!(
            "layers = {}, hidden = {}, context = {} and {vocabulary} different tokens",
            self.layers, self.hidden, self.context
        );
        parameters("width", self.width, &others, decoder.num_parameters())?;
        let numbers = decoder.numbers();
        if numbers > NUMBERS {
            return Err(SettingError::Together {
                name: "context",
                got: self.context,
                problem: format!(
                    "with {vocabulary} different tokens, width = {}, heads = {} and hidden = {} a layer then has {numbers} \
                     numbers for one line; {NUMBERS} is the most",
                    self.width, self.heads, self.hidden,
                ),
            });
        }
        Ok(decoder)
    }
}
