use std::io;
use std::path::PathBuf;

use gradual_grad::GradError;
use gradual_group::GroupError;
use gradual_loss::LossError;
use gradual_measure::MeasureError;
use thiserror::Error;

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
    /// A record could not be written.
    #[error(transparent)]
    Measure(#[from] MeasureError),
    /// A loss or a coefficient is NaN or infinite.
    #[error("step: the {what} of example {example} is {value}; {cause}", cause = cause(.what))]
    NotFinite {
        /// Loss or coefficient.
        what: &'static str,
        /// Position of the example in the draw.
        example: usize,
        /// The value.
        value: f32,
    },
    /// A step of a run failed.
    #[error("step {step}{}: {source}", capability.as_ref().map(|name| format!(" (capability {name})")).unwrap_or_default())]
    Step {
        /// The step, counted from 1.
        step: u64,
        /// The capability of the example that made it fail, where one did.
        capability: Option<String>,
        /// What failed.
        source: Box<TrainError>,
    },
    /// A setting of the trainer makes no sense.
    #[error("trainer: {name} must be at least {least}, got {got}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// Its least value.
        least: u64,
        /// What was given.
        got: u64,
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
    /// A tensor could not be read back from its device as numbers.
    #[error("{operation}: could not read a tensor from its device: {problem}")]
    Read {
        /// What was being done.
        operation: &'static str,
        /// The backend's message.
        problem: String,
    },
    /// A run folder holds a run with another configuration.
    #[error(
        "run folder {}: holds a run with another configuration ({difference}); \
         choose another --out, or --fresh to start over", path.display()
    )]
    Configuration {
        /// The run folder.
        path: PathBuf,
        /// The entries that differ.
        difference: String,
    },
    /// A file of a run folder could not be read or written.
    #[error("run folder: could not {operation} {}: {source}", path.display())]
    File {
        /// Read, write, create, …
        operation: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

fn cause(what: &str) -> &'static str {
    match what {
        "loss" => "the learning rate may be too high, or the input may hold such a value",
        _ => "the losses that it was made of are finite, but too large to compose",
    }
}
