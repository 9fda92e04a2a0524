//! Settings of compositional multitask sparse parity.

use serde::{Deserialize, Serialize};

use crate::setting::{self, CODE, EXPONENT, SettingError, count, number};
use crate::sparse_parity::config::Sizes;

/// Settings of [`SparseParity::composed`](crate::SparseParity::composed).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CompositionConfig {
    /// Number of triples, 1 to 1 000, each of four capabilities.
    pub triples: usize,
    /// Number of bits n, at most 64.
    pub bits: usize,
    /// Bits k of each x and y, 2 to 32; z and the control have 2k.
    pub subset: usize,
    /// Zipf exponent a, 0 to 50: triple i has the weight (i + 1)^−a.
    pub exponent: f64,
    /// How often z and the control are drawn, over how often x is: 0 (never) to 1 000.
    pub composed: f64,
    /// Size of the one-hot code of a capability beside bits of ±1.
    #[serde(deserialize_with = "setting::code")]
    pub code: f32,
    /// Width of each hidden layer; the model has 50 million parameters at most.
    pub hidden: usize,
    /// Number of hidden layers, at most 100.
    pub depth: usize,
    /// Held-out examples per capability, at least 1.
    pub held_out: usize,
}

/// Three triples, weights 1, 1/2, 1/3.
impl Default for CompositionConfig {
    fn default() -> Self {
        Self {
            triples: 3,
            bits: 30,
            subset: 3,
            exponent: 1.0,
            composed: 0.3,
            code: 3.0,
            hidden: 256,
            depth: 1,
            held_out: 400,
        }
    }
}

impl CompositionConfig {
    /// Whether a task can be made of these settings.
    pub(super) fn check(&self) -> Result<(), SettingError> {
        count("triples", 1..=1_000, self.triples)?;
        count("bits", 1..=64, self.bits)?;
        count("subset", 2..=32, self.subset)?;
        if 2 * self.subset > self.bits {
            return Err(SettingError::Together {
                name: "subset",
                got: self.subset,
                problem: format!("twice as many are at most bits = {}", self.bits),
            });
        }
        number("exponent", EXPONENT, self.exponent)?;
        number("composed", 0.0..=1e3, self.composed)?;
        number("code", CODE, f64::from(self.code))?;
        count("hidden", 1..=1_000_000, self.hidden)?;
        count("depth", 1..=100, self.depth)?;
        count("held_out", 1..=1_000_000, self.held_out)?;
        let named = format!("triples = {} and bits = {}", self.triples, self.bits);
        self.sizes().check(&named)
    }

    /// What examples and model are made of.
    pub(super) fn sizes(&self) -> Sizes {
        Sizes {
            tasks: 4 * self.triples,
            bits: self.bits,
            code: self.code,
            aliases: 1,
            controls: 1,
            hidden: self.hidden,
            depth: self.depth,
            held_out: self.held_out,
        }
    }

    /// No more sets of bits were found, for triples or for controls.
    pub(super) fn too_few(&self, what: &str) -> SettingError {
        SettingError::Together {
            name: "triples",
            got: self.triples,
            problem: format!(
                "among {} bits there are not enough sets of {} and {} bits for as many {what}; take more bits or fewer \
                 triples",
                self.bits,
                self.subset,
                2 * self.subset
            ),
        }
    }
}
