//! Settings that all metrics share.

use gradual_registry::{Arguments, BuildError, Parameter};

use crate::metric::Metric;
use crate::metric::part::Part;

/// Which side of a layer is looked at.
pub(super) const PART: Parameter = Parameter::choice(
    "part",
    "the side of a layer that is compared",
    &["gradients", "inputs", "output-gradients"],
);

/// How much of the running moments a draw leaves.
pub(super) const MEMORY: Parameter = Parameter::number(
    "memory",
    "share of the running moments that a new draw leaves",
    0.9,
)
.at_least(0.0)
.at_most(1.0);

/// Whether parameters weigh the same.
pub(super) const fn balanced(default: bool) -> Parameter {
    Parameter::flag(
        "balanced",
        "whether every parameter has a unit mean square norm",
        default,
    )
}

/// The metric with these settings, on some layers.
pub(super) fn with_settings(
    metric: Metric,
    arguments: &Arguments,
    layers: &[String],
) -> Result<Metric, BuildError> {
    let part = match arguments.word("part")? {
        "inputs" => Part::Inputs,
        "output-gradients" => Part::OutputGradients,
        _ => Part::Gradients,
    };
    let layers: Vec<&str> = layers.iter().map(String::as_str).collect();
    Ok(metric
        .with_part(part)
        .with_memory(arguments.number("memory")?)?
        .with_layers(&layers)?)
}
