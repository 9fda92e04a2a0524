//! Settings of multitask sparse parity.

use serde::{Deserialize, Serialize};

use crate::setting::{self, CODE, EXPONENT, SettingError, count, evaluation, number, parameters};

/// Settings of [`SparseParity`](crate::SparseParity).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SparseParityConfig {
    /// Number of tasks, at most 10 000 and as many as there are subsets of bits.
    pub tasks: usize,
    /// Number of bits n, at most 64.
    pub bits: usize,
    /// Bits k that each task's label depends on.
    pub subset: usize,
    /// Zipf exponent a, 0 to 50: task i is drawn with probability ∝ (i + 1)^−a.
    pub exponent: f64,
    /// Size of the one-hot task code beside bits of ±1.
    #[serde(deserialize_with = "setting::code")]
    pub code: f32,
    /// Width of each hidden layer; the model has 50 million parameters at most.
    pub hidden: usize,
    /// Held-out examples per task, at least 1.
    pub held_out: usize,
    /// Codes that announce a task, each as often as the others: with more than one, inputs show
    /// more groups than there are capabilities.
    // Left out of a record where it changes nothing, so that records from before it was there are
    // still the same configuration.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub aliases: usize,
    /// Fields of the code, 1 to 3. With more than one, each is a one-hot of as many values as there are tasks, a secret
    /// permutation of its own turns its value into a number, and the sum of these modulo the number of tasks is the task: no
    /// field alone tells anything of it, and inputs show no groups that are tasks.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub controls: usize,
    /// Number of hidden layers, at most 100.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub depth: usize,
}

fn one() -> usize {
    1
}

fn is_one(count: &usize) -> bool {
    *count == 1
}

/// Where clear staggered emergence was found: 20 tasks of 3 bits in 50, a = 0.8.
impl Default for SparseParityConfig {
    fn default() -> Self {
        Self {
            tasks: 20,
            bits: 50,
            subset: 3,
            exponent: 0.8,
            code: 3.0,
            hidden: 256,
            held_out: 400,
            aliases: 1,
            controls: 1,
            depth: 1,
        }
    }
}

impl SparseParityConfig {
    /// Codes that announce each task: aliases, or ways in which the fields of the code say it.
    pub fn codes_of_each(&self) -> usize {
        match u32::try_from(self.controls) {
            Ok(controls @ 2..) => self.tasks.saturating_pow(controls - 1),
            _ => self.aliases,
        }
    }

    /// Whether a task can be made of these settings.
    pub(super) fn check(&self) -> Result<(), SettingError> {
        count("tasks", 1..=10_000, self.tasks)?;
        count("bits", 1..=64, self.bits)?;
        count("subset", 1..=64, self.subset)?;
        if self.subset > self.bits {
            return Err(SettingError::Together {
                name: "subset",
                got: self.subset,
                problem: format!("it is at most bits = {}", self.bits),
            });
        }
        if self.controls > 1 && self.aliases > 1 {
            return Err(SettingError::Together {
                name: "controls",
                got: self.controls,
                problem: format!("it is 1 where aliases = {}", self.aliases),
            });
        }
        number("exponent", EXPONENT, self.exponent)?;
        number("code", CODE, f64::from(self.code))?;
        count("hidden", 1..=1_000_000, self.hidden)?;
        count("held_out", 1..=1_000_000, self.held_out)?;
        count("aliases", 1..=1_000, self.aliases)?;
        count("controls", 1..=3, self.controls)?;
        count("depth", 1..=100, self.depth)?;
        let subsets = binomial(self.bits, self.subset);
        if subsets < self.tasks as f64 {
            let (bits, subset) = (self.bits, self.subset);
            return Err(SettingError::Together {
                name: "tasks",
                got: self.tasks,
                problem: match subsets {
                    1.0 => format!("{bits} bits have only 1 subset of {subset} bits"),
                    _ => format!("{bits} bits have only {subsets} subsets of {subset} bits"),
                },
            });
        }
        let codes = match self.controls {
            1 => format!("aliases = {}", self.aliases),
            controls => format!("controls = {controls}"),
        };
        let named = format!("tasks = {}, bits = {} and {codes}", self.tasks, self.bits);
        self.sizes().check(&named)
    }

    /// What examples and model are made of.
    pub(super) fn sizes(&self) -> Sizes {
        Sizes {
            tasks: self.tasks,
            bits: self.bits,
            code: self.code,
            aliases: self.aliases,
            controls: self.controls,
            hidden: self.hidden,
            depth: self.depth,
            held_out: self.held_out,
        }
    }
}

/// What examples and model are made of, whatever the parities: the settings of the same names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    pub(super) tasks: usize,
    pub(super) bits: usize,
    pub(super) code: f32,
    pub(super) aliases: usize,
    pub(super) controls: usize,
    pub(super) hidden: usize,
    pub(super) depth: usize,
    pub(super) held_out: usize,
}

impl Sizes {
    /// Whether model and evaluation fit into memory. `named` are the settings beside `hidden`, `depth` and `held_out`
    /// that have a part in it.
    pub(super) fn check(&self, named: &str) -> Result<(), SettingError> {
        let [tasks, inputs, hidden, depth, held_out] = [
            self.tasks,
            self.codes() + self.bits,
            self.hidden,
            self.depth,
            self.held_out,
        ]
        .map(|size| size as u128);
        let weights = (inputs + 1) * hidden + (depth - 1) * (hidden + 1) * hidden + hidden + 1;
        let others = format!("depth = {}, {named}", self.depth);
        parameters("hidden", self.hidden, &others, weights)?;
        let others = format!("hidden = {}, {named}", self.hidden);
        evaluation(
            "held_out",
            self.held_out,
            &others,
            tasks * held_out * inputs.max(hidden),
        )
    }

    /// Number of entries before the bits.
    pub(super) fn codes(&self) -> usize {
        self.tasks * self.aliases * self.controls
    }
}

/// n choose k.
fn binomial(n: usize, k: usize) -> f64 {
    let product: f64 = (0..k).map(|i| (n - i) as f64 / (i + 1) as f64).product();
    product.round()
}
