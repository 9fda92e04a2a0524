//! Adam (Kingma & Ba 2015, arXiv 1412.6980).

use burn::optim::{AdamConfig, ModuleOptimizer};
use gradual_registry::Entry;

use super::moments::{AMSGRAD, BETA_1, BETA_2, EPSILON, PENALTY, penalty};

pub(crate) static ENTRY: Entry<(), ModuleOptimizer> = Entry {
    name: "adam",
    about: "gradients over the roots of their running mean squares, with momentum",
    facts: &[],
    parameters: &[BETA_1, BETA_2, EPSILON, AMSGRAD, PENALTY],
    build: |arguments, ()| {
        Ok(AdamConfig::new()
            .with_beta_1(arguments.number("beta_1")? as f32)
            .with_beta_2(arguments.number("beta_2")? as f32)
            .with_epsilon(arguments.number("epsilon")? as f32)
            .with_amsgrad(arguments.flag("amsgrad")?)
            .with_weight_decay(penalty(arguments)?)
            .init())
    },
};
