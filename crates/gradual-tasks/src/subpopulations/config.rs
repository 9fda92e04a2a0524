//! Settings of [`Subpopulations`](super::Subpopulations).

use serde::{Deserialize, Serialize};

use crate::setting::{self, SettingError};

/// How rare minorities and outliers are, and how large the model is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SubpopulationsConfig {
    /// Share of each class that is its minority, 0.001 to 0.5.
    pub minority: f64,
    /// Share of the examples that are trained on with the label of the other class, 0 to 0.5.
    pub outliers: f64,
    /// Standard deviation of points around their place, 0.001 to 1. Places are 1 apart.
    pub deviation: f64,
    /// Held-out points of each subpopulation, 1 to 10 000.
    pub held_out: usize,
    /// Hidden units, at most 65 536; 0 for logistic regression.
    pub hidden: usize,
}

/// The published ones: five places of equal weight in each class, a variance of 0.001, and outliers 5 % of all; but a hidden
/// layer, so that minorities can be learned.
impl Default for SubpopulationsConfig {
    fn default() -> Self {
        Self {
            minority: 0.2,
            outliers: 0.05,
            deviation: 0.001_f64.sqrt(),
            held_out: 200,
            hidden: 32,
        }
    }
}

impl SubpopulationsConfig {
    /// Refuses settings that make no sense.
    ///
    /// # Errors
    ///
    /// [`SettingError`] naming the setting.
    pub fn check(&self) -> Result<(), SettingError> {
        setting::number("minority", 0.001..=0.5, self.minority)?;
        setting::number("outliers", 0.0..=0.5, self.outliers)?;
        setting::number("deviation", 0.001..=1.0, self.deviation)?;
        setting::count("held_out", 1..=10_000, self.held_out)?;
        setting::count("hidden", 0..=65_536, self.hidden)
    }
}
