use std::path::{Path, PathBuf};

use gradual_grad::{BurnFault, GradError};
use gradual_group::GroupError;
use gradual_loss::LossError;
use gradual_runs::RunsError;
use thiserror::Error;

use crate::ranks::RanksError;

/// What can go wrong while training.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TrainError {
    /// Per-example gradients could not be taken.
    #[error(transparent)]
    Grad(#[from] GradError),
    /// The draw could not be grouped.
    #[error(transparent)]
    Group(#[from] GroupError),
    /// The group losses could not be composed.
    #[error(transparent)]
    Loss(#[from] LossError),
    /// A file of a run folder could not be read or written, or holds another run.
    #[error(transparent)]
    Runs(#[from] RunsError),
    /// A step over several [ranks](crate::ranks) failed between them.
    #[error(transparent)]
    Ranks(#[from] RanksError),
    /// A loss, a coefficient or the norm of a gradient is NaN or infinite.
    #[error("step: the {what} of example {example} is {value}; {cause}", cause = cause(.what))]
    NotFinite {
        /// Loss, coefficient or gradient.
        what: &'static str,
        /// Position of the example in the draw.
        example: usize,
        /// The value.
        value: f32,
    },
    /// A score on held-out examples is NaN or infinite.
    #[error(
        "step {step}: the held-out {what} of capability {capability} is {value}; the model's weights or outputs are no \
         longer finite: a lower learning rate, less weight decay or a larger epsilon may help"
    )]
    Evaluation {
        /// Steps before the evaluation.
        step: u64,
        /// Loss or accuracy.
        what: &'static str,
        /// Name of the capability.
        capability: String,
        /// The value.
        value: f64,
    },
    /// The model has no parameter to train.
    #[error(
        "step: nothing is trained: {}; unfreeze what should learn (`unfreeze`, `set_require_grad`)",
        match .parameters.as_slice() {
            [] => "the model has no parameters".to_owned(),
            paths => format!("all parameters of the model are frozen ({})", paths.join(", ")),
        }
    )]
    NothingTrained {
        /// Paths of the parameters, all of which are frozen.
        parameters: Vec<String>,
    },
    /// A parameter is no leaf of the graph, so that a backward pass keeps no gradient for it.
    #[error(
        "step: parameter {parameter} was computed from another tensor on an autodiff device, as by \
         `param.map(|p| p.cast(…))`, and gets no gradient; change it without a graph, as in \
         `model.valid().map(…).train()`"
    )]
    NoLeaf {
        /// Path of the parameter.
        parameter: String,
    },
    /// The gradients of a draw are too large or too small to be compared.
    #[error(
        "step: the largest gradient of the draw, that of example {example}, has a norm of {norm:.1e}, whose square \
         {} the range of its precision, so gradients can't be compared; multiply the losses by a constant that brings \
         it near 1 (coefficients that add up to one do not depend on it), or compute in double precision",
        if *.overflows { "overflows" } else { "is below" }
    )]
    Range {
        /// Position of the example in the draw.
        example: usize,
        /// Norm of its gradient.
        norm: f64,
        /// Whether its square is too large; too small if not.
        overflows: bool,
    },
    /// A part of a draw in several parts holds no example.
    #[error(
        "step in parts: part {part} of {parts} (counted from 0) holds no example; leave out empty parts"
    )]
    EmptyPart {
        /// Which part, counted from 0.
        part: usize,
        /// Number of parts.
        parts: usize,
    },
    /// Two passes over the same examples gave other losses.
    #[error(
        "step: the loss of example {example} was {first} in the first pass over its part and {second} in the second; \
         a draw in parts whose objective needs no per-example gradients takes two passes, which must agree. Take \
         dropout and other random numbers out of the model, draw them with the examples, or take the step in one part"
    )]
    Changed {
        /// Position of the example in the draw.
        example: usize,
        /// Its loss in the first pass.
        first: f32,
        /// Its loss in the second pass.
        second: f32,
    },
    /// Examples without a loss were to be left out, but their gradients are mixed with those of the others.
    #[error(
        "step: the gradient of parameter {parameter} is not finite, with {} left out: their losses are NaN or \
         infinite, and so are gradients that come of them, which Burn's backward pass adds to all others. Call `tap` \
         instead of `forward`, so that the gradients of examples stay separate, or set such losses by `mask_fill`, after \
         everything else",
        examples_of(.examples)
    )]
    LeftOut {
        /// Path of the parameter.
        parameter: String,
        /// Positions of the examples that were left out.
        examples: Vec<usize>,
    },
    /// The calls of a grouped step do not go with the steps of the loop around it.
    #[error("grouped step: {problem}")]
    Accumulation {
        /// What does not fit, and what to set.
        problem: String,
    },
    /// The grouping wants standing examples that were not given, or got another number of them.
    #[error("standing examples: {problem}")]
    Standing {
        /// What is missing, and how to give it.
        problem: String,
    },
    /// A lens is before a grouping that sees no gradients.
    #[error(
        "lens: the grouping looks at no gradients and no losses, so that a lens makes no difference: leave it out, or take a grouping \
         that finds groups in gradients, such as landmarks"
    )]
    Lens,
    /// A [proxy](crate::Trainer::with_proxy) can't be.
    #[error("the proxy: {problem}")]
    Proxy {
        /// What can't be, and what to do.
        problem: &'static str,
    },
    /// A search for a lens can't be.
    #[error("search for a lens: {problem}")]
    Search {
        /// What can't be, and what to do.
        problem: String,
    },
    /// The losses can't be differentiated.
    #[error(
        "step: the losses do not depend on any trainable parameter; build the model on an autodiff \
         device"
    )]
    Untracked,
    /// Burn's own backward pass would get a gradient wrong.
    #[error(
        "step: the gradient of {parameter} would be wrong: {fault}. `Objective::through_trace` takes all gradients from \
         a trace"
    )]
    BurnFault {
        /// Path of the parameter.
        parameter: String,
        /// What is wrong.
        fault: BurnFault,
    },
    /// The update of a parameter holds NaN or infinity, though losses and coefficients do not.
    #[error(
        "step: the gradient of parameter {parameter} is not finite{}",
        example.map(|at| format!(", nor is that of example {at}")).unwrap_or_default()
    )]
    Gradient {
        /// Path of the parameter.
        parameter: String,
        /// The first example whose own gradient is not finite, where the step took these.
        example: Option<usize>,
    },
    /// A step of a run failed.
    #[error(
        "step {step}{}: {source}{}",
        capability.as_ref().map(|name| format!(" (capability {name})")).unwrap_or_default(),
        checkpoint.map(|at| format!("; the last checkpoint is of step {at}")).unwrap_or_default()
    )]
    Step {
        /// The step, counted from 1.
        step: u64,
        /// The capability of the example that made it fail, where one did.
        capability: Option<String>,
        /// The step of the last checkpoint, where there is one.
        checkpoint: Option<u64>,
        /// What failed.
        source: Box<TrainError>,
    },
    /// A setting of the trainer is out of range.
    #[error("trainer: {name} must be at least {least}, got {got}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// Its least value.
        least: u64,
        /// What was given.
        got: u64,
    },
    /// A sampler does not go with the task, or with its own settings.
    #[error("sampler {sampler}: {problem}")]
    Sampler {
        /// The sampler.
        sampler: &'static str,
        /// What does not fit.
        problem: String,
    },
    /// The task can't draw what a sampler wants.
    #[error("task: can't draw {what}; the sampler needs a task that can")]
    CantDraw {
        /// Examples of chosen capabilities, or chosen items.
        what: &'static str,
    },
    /// The task gave another number of labels or scores than expected.
    #[error("task: expected {expected} {what}, got {got}")]
    Task {
        /// Labels or scores.
        what: &'static str,
        /// How many there should be.
        expected: usize,
        /// How many there were.
        got: usize,
    },
    /// The same random numbers give different fresh weights the second time.
    #[error(
        "task: parameter {parameter} of a fresh model has other values when the model is made again from the same random \
         numbers, so that runs of one seed would not start alike; take them from the random numbers that `Task::model` is \
         given, or by Burn's own `init` on its device, and while nothing else draws from that device"
    )]
    Weights {
        /// Path of the parameter.
        parameter: String,
    },
    /// The same random numbers give different examples the second time.
    #[error(
        "task: the same random numbers give different examples the second time: {problem}. Runs of one seed would not see the \
         same examples, and a run that was stopped could not go on as it was; take all of an example from the random numbers that \
         the task is given"
    )]
    Draws {
        /// What is not the same.
        problem: String,
    },
    /// A capability is said to be composed of something that is no other capability of the task, or of one twice.
    #[error(
        "task: capability {capability} names {part} among its parts; parts are names of other capabilities of the task, \
         each once"
    )]
    Part {
        /// The composed capability.
        capability: String,
        /// What it names.
        part: String,
    },
    /// Capabilities are composed of each other.
    #[error(
        "task: capability {} is composed of itself: {}",
        .names.first().map_or("", String::as_str), .names.join(" of ")
    )]
    Cycle {
        /// Names of capabilities, each composed of the next; the last is the first.
        names: Vec<String>,
    },
    /// A tensor could not be read back from its device as numbers.
    #[error("{operation}: could not read a tensor from its device: {problem}")]
    Read {
        /// What was being done.
        operation: &'static str,
        /// The backend's message.
        problem: String,
    },
    /// The examples of a task can't be read: see [`data`](Self::data).
    #[error(transparent)]
    Data(Box<dyn std::error::Error + Send + Sync>),
    /// A run can't resume from its checkpoints.
    #[error(
        "run folder {}: can't go on from its checkpoints ({problem}); --fresh starts over",
        path.display()
    )]
    Checkpoint {
        /// The run folder.
        path: PathBuf,
        /// What is wrong with each.
        problem: String,
    },
    /// What a checkpoint holds does not go with the run.
    #[error(
        "{}: {what}: {problem}{}",
        place(.path.as_deref()),
        match .path {
            Some(_) => "; restore the checkpoint, or use --fresh to move the run aside and start over",
            None => "",
        }
    )]
    Snapshot {
        /// Model, optimizer, …
        what: &'static str,
        /// The file of the checkpoint; none where the snapshot is of no checkpoint.
        path: Option<PathBuf>,
        /// What does not fit.
        problem: String,
    },
}

impl TrainError {
    /// Whether a step failed because of a number that is NaN or infinite.
    pub(crate) fn is_not_finite(&self) -> bool {
        match self {
            Self::Step { source, .. } => source.is_not_finite(),
            Self::Ranks(error) => error.is_not_finite(),
            Self::NotFinite { .. }
            | Self::Gradient { .. }
            | Self::Range {
                overflows: true, ..
            }
            | Self::Group(
                GroupError::NotFinite { .. }
                | GroupError::Gradients {
                    source: GradError::NotFinite { .. },
                    ..
                },
            )
            | Self::Loss(LossError::NotFinite { .. }) => true,
            _ => false,
        }
    }

    /// That examples can't be read, in the task's own words.
    pub fn data(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Data(source.into())
    }

    /// The same of examples that stand at the positions `present` of a larger draw.
    pub(crate) fn of_examples(self, present: &[usize]) -> Self {
        let of = |at: usize| present.get(at).copied().unwrap_or(at);
        match self {
            Self::NotFinite {
                what,
                example,
                value,
            } => Self::NotFinite {
                what,
                example: of(example),
                value,
            },
            Self::Gradient { parameter, example } => Self::Gradient {
                parameter,
                example: example.map(of),
            },
            Self::Changed {
                example,
                first,
                second,
            } => Self::Changed {
                example: of(example),
                first,
                second,
            },
            Self::Range {
                example,
                norm,
                overflows,
            } => Self::Range {
                example: of(example),
                norm,
                overflows,
            },
            Self::Group(GroupError::NotFinite { operation, example }) => {
                Self::Group(GroupError::NotFinite {
                    operation,
                    example: of(example),
                })
            }
            other => other,
        }
    }

    /// The example of the draw that it is about.
    pub(crate) fn example(&self) -> Option<usize> {
        match self {
            Self::NotFinite { example, .. }
            | Self::Changed { example, .. }
            | Self::Range { example, .. }
            | Self::Group(GroupError::NotFinite { example, .. }) => Some(*example),
            Self::Gradient { example, .. } => *example,
            _ => None,
        }
    }
}

fn place(path: Option<&Path>) -> String {
    path.map_or_else(
        || String::from("checkpoint"),
        |path| format!("checkpoint {}", path.display()),
    )
}

fn examples_of(examples: &[usize]) -> String {
    let named: Vec<String> = examples.iter().take(5).map(usize::to_string).collect();
    match examples.len() {
        1 => format!("example {}", named.join("")),
        few if few == named.len() => format!("examples {}", named.join(", ")),
        many => format!("{many} examples ({}, …)", named.join(", ")),
    }
}

fn cause(what: &str) -> &'static str {
    match what {
        "loss" => "the learning rate may be too high, or the input may hold such a value",
        "gradient" => "its loss is finite, but has no finite derivative",
        _ => "the losses that it was made of are finite, but too large to compose",
    }
}
