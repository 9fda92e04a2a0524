//! Settings of [`Modular`](super::Modular).

use serde::{Deserialize, Serialize};

use crate::setting::{self, SettingError};

/// An operation on numbers modulo a prime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// a + b.
    Add,
    /// a − b.
    Subtract,
    /// a · b.
    Multiply,
    /// a / b, for b other than 0.
    Divide,
}

impl Operation {
    /// As in files.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Subtract => "subtract",
            Self::Multiply => "multiply",
            Self::Divide => "divide",
        }
    }

    /// `a ∘ b` modulo the prime `p`; none where it is not defined.
    pub(crate) fn of(self, a: usize, b: usize, p: usize) -> Option<usize> {
        match self {
            Self::Add => Some((a + b) % p),
            Self::Subtract => Some((a + p - b) % p),
            Self::Multiply => Some(a * b % p),
            Self::Divide => (b != 0).then(|| a * power(b, p - 2, p) % p),
        }
    }
}

/// `base` to the power `exponent`, modulo `p`.
fn power(base: usize, exponent: usize, p: usize) -> usize {
    match exponent {
        0 => 1,
        _ => {
            let half = power(base * base % p, exponent / 2, p);
            if exponent % 2 == 1 {
                half * base % p
            } else {
                half
            }
        }
    }
}

/// Operations, the part of their tables that is trained on, and the sizes of the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModularConfig {
    /// A prime from 3 to 997.
    pub modulus: usize,
    /// The operations, each once.
    pub operations: Vec<Operation>,
    /// Share of each operation's table that is trained on, 0.01 to 0.99.
    pub share: f64,
    /// Numbers that a number of an operation becomes, 1 to 4 096.
    pub embedding: usize,
    /// Standard deviation of fresh embeddings, 0.000001 to 10. From large ones the model learns by heart for longer.
    pub scale: f64,
    /// Hidden units, 1 to 16 384.
    pub hidden: usize,
    /// Most held-out and most trained facts of each operation that are evaluated, 1 to 1 000 000.
    pub evaluated: usize,
}

/// Addition and multiplication modulo 97, of which 40 % is trained on.
impl Default for ModularConfig {
    fn default() -> Self {
        Self {
            modulus: 97,
            operations: vec![Operation::Add, Operation::Multiply],
            share: 0.4,
            embedding: 128,
            scale: 0.1,
            hidden: 256,
            evaluated: 1_000,
        }
    }
}

impl ModularConfig {
    /// Refuses settings that make no sense.
    ///
    /// # Errors
    ///
    /// [`SettingError`] naming the setting.
    pub fn check(&self) -> Result<(), SettingError> {
        setting::count("modulus", 3..=997, self.modulus)?;
        setting::list("operations", 1..=4, self.operations.len())?;
        setting::number("share", 0.01..=0.99, self.share)?;
        setting::count("embedding", 1..=4_096, self.embedding)?;
        setting::number("scale", 1e-6..=10.0, self.scale)?;
        setting::count("hidden", 1..=16_384, self.hidden)?;
        setting::count("evaluated", 1..=1_000_000, self.evaluated)?;
        let p = self.modulus;
        if let Some(factor) = (2..p).find(|&factor| p.is_multiple_of(factor)) {
            return Err(SettingError::Together {
                name: "modulus",
                got: p,
                problem: format!("it is a prime, and this is {factor} times {}", p / factor),
            });
        }
        let twice = |(at, one)| self.operations[..at].contains(one);
        if self.operations.iter().enumerate().any(twice) {
            return Err(SettingError::Together {
                name: "operations",
                got: self.operations.len(),
                problem: "one of them is there twice".to_owned(),
            });
        }
        let (p, d, h) = (p as u128, self.embedding as u128, self.hidden as u128);
        let tokens = p * self.operations.len() as u128;
        let parameters = tokens * d + (2 * d + 1) * h + (h + 1) * p;
        let others = format!("embedding = {d}");
        setting::parameters("hidden", self.hidden, &others, parameters)
    }
}
