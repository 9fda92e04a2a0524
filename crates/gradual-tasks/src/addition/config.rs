//! Settings of [`Addition`](super::Addition).

use serde::{Deserialize, Serialize};

use super::problem::{TOKENS, context};
use crate::decoder::DecoderConfig;
use crate::setting::{self, SettingError};

/// How long the numbers are, and the sizes of the decoder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdditionConfig {
    /// Digits of each number, 2 to 6.
    pub digits: usize,
    /// Held-out examples of each capability, 1 to 1 000; at most one in forty of all pairs of numbers.
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

/// Three digits, and two blocks of width 64.
impl Default for AdditionConfig {
    fn default() -> Self {
        Self {
            digits: 3,
            held_out: 200,
            width: 64,
            heads: 4,
            layers: 2,
            hidden: 256,
        }
    }
}

impl AdditionConfig {
    /// Refuses settings that make no sense.
    ///
    /// # Errors
    ///
    /// [`SettingError`] naming the setting.
    pub fn check(&self) -> Result<(), SettingError> {
        setting::count("digits", 2..=6, self.digits)?;
        setting::count("held_out", 1..=1_000, self.held_out)?;
        self.decoder().check(self.held_out)
    }

    pub(super) fn decoder(&self) -> DecoderConfig {
        DecoderConfig {
            vocabulary: TOKENS,
            context: context(self.digits),
            width: self.width,
            heads: self.heads,
            layers: self.layers,
            hidden: self.hidden,
        }
    }
}
