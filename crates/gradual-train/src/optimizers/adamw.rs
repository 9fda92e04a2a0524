//! Adam with decoupled weight decay (Loshchilov & Hutter 2019, arXiv 1711.05101).

use burn::optim::{AdamW, AdamWConfig, ModuleOptimizer};
use gradual_registry::{Arguments, Entry, Parameter, RegistryError};

use super::moments::{AMSGRAD, BETA_1, BETA_2, EPSILON};

pub(crate) static ENTRY: Entry<(), ModuleOptimizer> = Entry {
    name: "adamw",
    about: "Adam whose weight decay is no part of the gradient",
    facts: &[],
    parameters: &[
        BETA_1,
        BETA_2,
        EPSILON,
        AMSGRAD,
        Parameter::number(
            "weight_decay",
            "share of the weights that a step takes away, times the learning rate",
            1e-4,
        )
        .at_least(0.0)
        .at_most(1e6),
        Parameter::flag(
            "cautious",
            "whether only weights decay whose update has the sign of the weight (arXiv 2510.12402)",
            false,
        )
        .only_unless("weight_decay", "0.0"),
    ],
    build: |arguments, ()| {
        let decay = arguments.number("weight_decay")?;
        Ok(adamw(
            arguments,
            decay,
            arguments.flag("amsgrad")?,
            arguments.flag("cautious")?,
        )?
        .into())
    },
};

/// With the moments of `arguments`.
pub(super) fn adamw(
    arguments: &Arguments,
    weight_decay: f64,
    amsgrad: bool,
    cautious: bool,
) -> Result<AdamW, RegistryError> {
    Ok(AdamWConfig::new()
        .with_beta_1(arguments.number("beta_1")? as f32)
        .with_beta_2(arguments.number("beta_2")? as f32)
        .with_epsilon(arguments.number("epsilon")? as f32)
        .with_weight_decay(weight_decay as f32)
        .with_amsgrad(amsgrad)
        .with_cautious_weight_decay(cautious)
        .build())
}
