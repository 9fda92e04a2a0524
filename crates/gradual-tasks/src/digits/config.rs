//! Settings of [`Digits`](super::Digits).

use serde::{Deserialize, Serialize};

use super::DIGITS;
use crate::setting::{self, SettingError};

/// Which digit is rare, and how large the model is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DigitsConfig {
    /// The digit of which few images are trained on, 0 to 9.
    pub rare: usize,
    /// Share of its training images that are kept, 0.01 to 1; one at least.
    pub share: f64,
    /// Most held-out images of each digit, 1 to 100; never more than a quarter.
    pub held_out: usize,
    /// Hidden units, 1 to 65 536.
    pub hidden: usize,
}

/// A twentieth of the eights.
impl Default for DigitsConfig {
    fn default() -> Self {
        Self {
            rare: 8,
            share: 0.05,
            held_out: 45,
            hidden: 64,
        }
    }
}

impl DigitsConfig {
    /// Refuses settings that make no sense.
    ///
    /// # Errors
    ///
    /// [`SettingError`] naming the setting.
    pub fn check(&self) -> Result<(), SettingError> {
        setting::count("rare", 0..=DIGITS - 1, self.rare)?;
        setting::number("share", 0.01..=1.0, self.share)?;
        setting::count("held_out", 1..=100, self.held_out)?;
        setting::count("hidden", 1..=65_536, self.hidden)
    }
}
