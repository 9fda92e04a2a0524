use thiserror::Error;

use crate::Part;

/// What can go wrong between a model and its per-example gradients.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum GradError {
    /// A parameter has no tap, so its gradients would be missing.
    #[error(
        "trace: no tap saw {} of the model: {}; call `tap` instead of `forward` on the layers \
         that hold them (`per_example` for a parameter without a layer), freeze them, or leave \
         them out with `Tracer::without`",
        if .paths.len() == 1 { "this parameter" } else { "these parameters" },
        .paths.join(", ")
    )]
    Uncovered {
        /// Paths of the parameters within the module.
        paths: Vec<String>,
    },
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
         {examples} examples along its first axis; every tapped input must be [examples, …]"
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
    /// A tapped layer's parameter is not part of the model that is traced.
    #[error(
        "trace: a tapped layer holds a parameter that is not in the traced model; tap only the \
         layers of the model that the closure is given"
    )]
    Foreign,
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
    /// What was written down can't be taken up again.
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
