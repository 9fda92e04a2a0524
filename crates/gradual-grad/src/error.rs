use thiserror::Error;

use crate::metric::part::Part;

/// What can go wrong between a model and its per-example gradients.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum GradError {
    /// A parameter has no tap, so its gradients would be missing.
    #[error(
        "trace: no tap saw {} of the model: {}; call `tap` instead of `forward` on the layers \
         that hold them (`per_example` for a parameter without a layer), freeze them, or leave \
         them out with `Tracer::without`; layers that some draws do not use (experts, dropped layers) need \
         `Tracer::allow_unused`",
        if .paths.len() == 1 { "this parameter" } else { "these parameters" },
        .paths.join(", ")
    )]
    Uncovered {
        /// Paths of the parameters within the module.
        paths: Vec<String>,
    },
    /// The model and its inputs are on devices of different gradient-checkpointing strategies.
    #[error(
        "trace: the model and its inputs are on autodiff devices of two gradient-checkpointing strategies, and Burn has \
         no operation on both; put both on the same device: `gradient_checkpointing()` on both or on neither (a model \
         without autodiff counts as one without checkpointing)"
    )]
    Checkpointing,
    /// A second trace was started inside a trace on the same thread.
    #[error("trace: a trace is running on this thread already; traces do not nest")]
    Nested,
    /// The draw holds no example.
    #[error("trace: the draw is empty; at least one example is needed")]
    EmptyDraw,
    /// The losses do not depend on any tapped layer.
    #[error(
        "trace: the losses do not depend on any tapped layer, so there is nothing to differentiate"
    )]
    Untracked,
    /// A layer saw another number of examples than there are losses.
    #[error(
        "trace: there are {losses} losses, but the layer of parameter {path} saw an input with \
         {examples} rows along its first axis; every tapped input must be [examples, …]{}",
        if *.losses > 0 && .examples > .losses && .examples % .losses == 0 {
            ". Where every example has as many rows (crops, the two sides of a Siamese net), say so with \
             `Tracer::with_views`"
        } else {
            ""
        }
    )]
    Examples {
        /// Path of one parameter of the layer.
        path: String,
        /// First axis of the layer's input.
        examples: usize,
        /// Number of losses.
        losses: usize,
    },
    /// A tapped layer was given an input that it can't split by example.
    #[error("trace: the layer of parameter {path} {problem}")]
    Input {
        /// Path of one parameter of the layer.
        path: String,
        /// What is wrong with the input.
        problem: String,
    },
    /// The closure ran another model than the one it was given.
    #[error(
        "trace: the closure ran the taps of the model itself, not of the one that it was given; write \
         `|m| m.losses(…)` and use `m`"
    )]
    Bypassed,
    /// A parameter was used where no tap saw it, so part of its gradient would be missing.
    #[error(
        "trace: the losses depend on {} outside of any tap: {}; part of every example's gradient would be missing. \
         Call `tap` wherever the layer is used, `readout` for a read-out that shares an embedding's weight, \
         `per_example` for a parameter without a layer (for a penalty on weights, too), all on the thread that traces; \
         detach values that should have no gradient",
        if .paths.len() == 1 { "this parameter" } else { "these parameters" },
        .paths.join(", ")
    )]
    Unseen {
        /// Paths of the parameters within the module.
        paths: Vec<String>,
    },
    /// No parameter is trainable, or all are left out.
    #[error("trace: there is nothing to train: {problem}, so every update would be empty")]
    Untrained {
        /// Why.
        problem: &'static str,
    },
    /// A parameter is not a leaf of the autodiff graph.
    #[error(
        "trace: the parameter {path} was computed from another tensor with a graph (cast, moved to a device or scaled \
         in place), so no gradient stays with it; change it as \
         `param.map(|value| value.inner().cast(…).autodiff().require_grad())`"
    )]
    NoLeaf {
        /// Path of the parameter within the module.
        path: String,
    },
    /// Two places of a model have one identity and are not one parameter.
    #[error(
        "trace: {one} and {other} of the model have one parameter identity, but {problem}; clones of a layer share \
         their identity, and an optimizer updates only the first of them. Initialise each layer separately, or give a \
         frozen copy (a teacher, a reference) identities of its own with `frozen_copy`"
    )]
    Identity {
        /// Path of the first.
        one: String,
        /// Path of the other.
        other: String,
        /// In what they differ.
        problem: &'static str,
    },
    /// An example with no rows has no gradient.
    #[error("views: every example has at least one row; got 0")]
    Views,
    /// One example's loss depends on another example.
    #[error(
        "verify: examples are coupled: at the output of the layer of {path} ({layer}), the gradient of one example's loss \
         arrives at other examples, up to {:.2} of the largest entry. What mixes them comes after that layer{}{}. \
         Common causes: batch norm in its training form, losses over the draw (in-batch negatives, a mean or a rank \
         over examples), inputs whose first axis is time. Then no example has a gradient of its own",
        .share,
        .before.as_ref().map_or_else(String::new, |path| format!(" and not after that of {path}")),
        .batch_norm.as_ref().map_or_else(String::new, |path| format!(
            " ({path} is a batch norm in its training form: `freeze` it, or take a layer norm or group norm)"
        ))
    )]
    Coupled {
        /// Path of one parameter of the last layer whose output is mixed.
        path: String,
        /// The kind of layer.
        layer: &'static str,
        /// Largest entry that arrived where none should, as a share of the largest.
        share: f64,
        /// Path of one parameter of the next tapped layer, whose output is not mixed.
        before: Option<String>,
        /// Path of a batch norm that takes its training form.
        batch_norm: Option<String>,
    },
    /// A trace and Burn's own backward pass give different gradients.
    #[error(
        "verify: the traced gradient of {path} differs from that of Burn's own backward pass by {ratio:.2e} of its \
         largest entry, where rounding allows {allowed:.1e}{}. Either a layer's `tap` is not its `forward`, or the \
         closure does something else under a trace, or Burn's backward pass is wrong (see docs/verify.md)",
        if .layers.is_empty() { String::new() } else { format!(" (used by {layers})") }
    )]
    Disagrees {
        /// Path of the parameter that is farthest off.
        path: String,
        /// Largest difference, as a share of the largest entry.
        ratio: f64,
        /// What rounding explains.
        allowed: f64,
        /// The layers that use the parameter.
        layers: String,
    },
    /// Numbers could not be read from a device.
    #[error("{operation}: could not read a tensor from its device: {problem}")]
    Read {
        /// What was being done.
        operation: &'static str,
        /// The backend's message.
        problem: String,
    },
    /// The coefficients do not fit the draw.
    #[error("combine: expected {expected} coefficients, one per example, got {got}")]
    Coefficients {
        /// Number of examples.
        expected: usize,
        /// Number of coefficients.
        got: usize,
    },
    /// Two draws have different parameters.
    #[error(
        "{operation}: the two draws have gradients of different parameters; both must come from \
         the same model, traced with the same options"
    )]
    Parameters {
        /// What was being done.
        operation: &'static str,
    },
    /// A glob is malformed or matches no parameter.
    #[error("glob '{pattern}': {problem}")]
    Glob {
        /// The glob.
        pattern: String,
        /// What is wrong with it.
        problem: String,
    },
    /// An example was asked for that is not in the draw.
    #[error("choose: there is no example {index} in a draw of {examples}")]
    Example {
        /// The index.
        index: usize,
        /// Examples in the draw.
        examples: usize,
    },
    /// A setting is out of range.
    #[error("{operation}: {name} must be {expected}, got {got}")]
    Setting {
        /// What it is a setting of.
        operation: &'static str,
        /// Its name.
        name: &'static str,
        /// Which values it takes.
        expected: &'static str,
        /// What was given.
        got: f64,
    },
    /// Running moments of a metric could not be used.
    #[error("metric: the moments of {path}: {problem}")]
    Moments {
        /// Path of the parameter.
        path: String,
        /// What was wrong.
        problem: String,
    },
    /// A gradient holds NaN or infinity.
    #[error("metric: the gradients of parameter {path} are not finite")]
    NotFinite {
        /// Path of the parameter.
        path: String,
    },
    /// A record can't be restored.
    #[error("record: {problem}")]
    Record {
        /// What does not fit.
        problem: String,
    },
    /// A metric with moments has not observed any of the gradients that it looks at.
    #[error(
        "metric: it has not observed a draw with gradients of the parameters that it looks at, so it can't scale them; \
         call `observe` on a draw first (`restore` moments, or use `Metric::euclidean`, which has none)"
    )]
    Unobserved,
    /// No parameter that a metric looks at has the part that it looks at.
    #[error(
        "metric: none of the parameters that it looks at has {}; look at weights of layers that are not \
         tied to their transpose, or at `Part::Gradients`",
        match .part { Part::Inputs => "inputs", _ => "output-gradients" }
    )]
    NoPart {
        /// The part.
        part: Part,
    },
}
