//! Settings of [`InContext`](super::InContext).

use serde::{Deserialize, Serialize};

use crate::setting::{self, SettingError};

/// What the sequences that are trained on are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupedBy {
    /// How frequent the class of the query is: groups of equally many classes, by rank.
    #[default]
    Frequency,
    /// Whether the class of the query is in the context.
    Burstiness,
}

/// Classes, sequences, and the sizes of the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct InContextConfig {
    /// Dimensions D of an item, 2 to 1 024.
    pub dimensions: usize,
    /// Classes K, 8 to 65 536.
    pub classes: usize,
    /// Labels L, 4 to 1 024; they divide the classes. A class has one of them for ever.
    pub labels: usize,
    /// Pairs of an item and a label before the query, 2 to 64.
    pub pairs: usize,
    /// How often a class is in the context of a bursty sequence; it divides the pairs.
    pub burstiness: usize,
    /// Share of the sequences that are bursty, 0 to 1.
    pub bursty: f64,
    /// Exponent of the Zipf law of classes, 0 to 5; 0 for classes of one frequency.
    pub exponent: f64,
    /// Size of the noise within a class against its mean, 0 to 10.
    pub noise: f64,
    /// What the sequences are grouped by.
    pub grouped_by: GroupedBy,
    /// Groups of classes, 1 to 64; they divide the classes.
    pub groups: usize,
    /// Held-out sequences of each measure, 1 to 10 000.
    pub held_out: usize,
    /// Layers of attention, 1 to 8.
    pub layers: usize,
    /// Hidden units of the perceptron, 1 to 4 096.
    pub hidden: usize,
}

/// The setting of Reddy (2023, arXiv 2312.03002), with 512 classes.
impl Default for InContextConfig {
    fn default() -> Self {
        Self {
            dimensions: 63,
            classes: 512,
            labels: 32,
            pairs: 8,
            burstiness: 4,
            bursty: 1.0,
            exponent: 0.0,
            noise: 0.1,
            grouped_by: GroupedBy::Frequency,
            groups: 8,
            held_out: 300,
            layers: 2,
            hidden: 128,
        }
    }
}

impl InContextConfig {
    /// Tokens of a sequence: items and their labels, and the query.
    #[must_use]
    pub fn tokens(&self) -> usize {
        2 * self.pairs + 1
    }

    /// Places that a sequence may stand at, of which it takes some in a row.
    #[must_use]
    pub fn places(&self) -> usize {
        8 * self.pairs + 1
    }

    /// Numbers of a token: its place, and the item or the label there.
    #[must_use]
    pub fn width(&self) -> usize {
        self.places() + self.dimensions
    }

    /// Refuses settings that make no sense.
    ///
    /// # Errors
    ///
    /// [`SettingError`] naming the setting.
    pub fn check(&self) -> Result<(), SettingError> {
        setting::count("dimensions", 2..=1_024, self.dimensions)?;
        setting::count("classes", 8..=65_536, self.classes)?;
        setting::count("labels", 4..=1_024, self.labels)?;
        setting::count("pairs", 2..=64, self.pairs)?;
        setting::count("burstiness", 1..=self.pairs / 2, self.burstiness)?;
        setting::number("bursty", 0.0..=1.0, self.bursty)?;
        setting::number("exponent", 0.0..=5.0, self.exponent)?;
        setting::number("noise", 0.0..=10.0, self.noise)?;
        setting::count("groups", 1..=64, self.groups)?;
        setting::count("held_out", 1..=10_000, self.held_out)?;
        setting::count("layers", 1..=8, self.layers)?;
        setting::count("hidden", 1..=4_096, self.hidden)?;
        divides("burstiness", self.burstiness, "pairs", self.pairs)?;
        divides("labels", self.labels, "classes", self.classes)?;
        divides("groups", self.groups, "classes", self.classes)?;
        let distinct = self.pairs / self.burstiness;
        if distinct >= self.labels {
            return Err(SettingError::Together {
                name: "labels",
                got: self.labels,
                problem: format!("a context has {distinct} of them, so there have to be more"),
            });
        }
        let split = self.bursty > 0.0 && self.bursty < 1.0;
        if self.grouped_by == GroupedBy::Burstiness && !split {
            return Err(SettingError::Together {
                name: "groups",
                got: self.groups,
                problem: format!(
                    "sequences are grouped by burstiness, and bursty = {} leaves one group",
                    self.bursty
                ),
            });
        }
        // The sequences of all capabilities are kept: those that are trained, and three that are only tested.
        let trained = match self.grouped_by {
            GroupedBy::Frequency => self.groups,
            GroupedBy::Burstiness => 2,
        };
        let sequences = self.held_out as u128 * (trained + 3) as u128;
        let numbers = sequences * (self.tokens() * self.width()) as u128;
        let others = format!(
            "pairs = {}, dimensions = {} and groups = {trained}",
            self.pairs, self.dimensions
        );
        setting::evaluation("held_out", self.held_out, &others, numbers)
    }
}

fn divides(
    name: &'static str,
    got: usize,
    whole: &'static str,
    of: usize,
) -> Result<(), SettingError> {
    match of.is_multiple_of(got) {
        true => Ok(()),
        false => Err(SettingError::Together {
            name,
            got,
            problem: format!("it has to divide {whole} = {of}"),
        }),
    }
}
