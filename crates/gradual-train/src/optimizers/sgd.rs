//! Stochastic gradient descent with momentum.

use burn::optim::momentum::MomentumConfig;
use burn::optim::{ModuleOptimizer, SgdConfig};
use gradual_registry::{Entry, Parameter};

use super::moments::{PENALTY, penalty};

pub(crate) static ENTRY: Entry<(), ModuleOptimizer> = Entry {
    name: "sgd",
    about: "gradients with momentum",
    facts: &[],
    parameters: &[
        Parameter::number("momentum", "share of the last update that a step adds", 0.9)
            .at_least(0.0)
            .below(1.0),
        Parameter::number(
            "dampening",
            "share of a new gradient that momentum leaves out",
            0.0,
        )
        .at_least(0.0)
        .at_most(1.0)
        .only_unless("momentum", "0.0"),
        Parameter::flag(
            "nesterov",
            "whether momentum looks ahead (Sutskever et al. 2013)",
            false,
        )
        .only_unless("momentum", "0.0"),
        PENALTY,
    ],
    build: |arguments, ()| {
        let momentum = MomentumConfig {
            momentum: arguments.number("momentum")?,
            dampening: arguments.number("dampening")?,
            nesterov: arguments.flag("nesterov")?,
        };
        Ok(SgdConfig::new()
            .with_momentum((momentum.momentum > 0.0).then_some(momentum))
            .with_weight_decay(penalty(arguments)?)
            .init())
    },
};
