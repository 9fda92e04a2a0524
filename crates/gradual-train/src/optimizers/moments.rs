//! Settings that optimizers with running moments share.

use burn::optim::decay::WeightDecayConfig;
use gradual_registry::{Arguments, Parameter, RegistryError};

/// Memory of the running mean of gradients.
pub(super) const BETA_1: Parameter = Parameter::number(
    "beta_1",
    "share of the running mean of gradients that a step leaves",
    0.9,
)
.at_least(0.0)
.below(1.0);

/// Memory of the running mean of their squares.
pub(super) const BETA_2: Parameter = Parameter::number(
    "beta_2",
    "share of the running mean of squared gradients that a step leaves",
    0.999,
)
.at_least(0.0)
.below(1.0);

/// What is added to the root of the running mean of squares.
pub(super) const EPSILON: Parameter = Parameter::number(
    "epsilon",
    "what is added to the root of the running mean of squared gradients",
    1e-8,
)
// Less is nothing in single precision.
.at_least(1e-30);

/// Whether the largest running mean of squares so far counts.
pub(super) const AMSGRAD: Parameter = Parameter::flag(
    "amsgrad",
    "whether the largest running mean of squared gradients so far counts (Reddi et al. 2018)",
    false,
);

/// A penalty on weights in the gradient.
pub(super) const PENALTY: Parameter = Parameter::number(
    "weight_decay",
    "share of the weights that is added to their gradients",
    0.0,
)
.at_least(0.0)
.at_most(1e6);

/// [`PENALTY`] as Burn takes it; none for 0.
pub(super) fn penalty(arguments: &Arguments) -> Result<Option<WeightDecayConfig>, RegistryError> {
    let penalty = arguments.number("weight_decay")? as f32;
    Ok((penalty > 0.0).then(|| WeightDecayConfig::new(penalty)))
}
