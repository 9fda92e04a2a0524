//! What the trainer has to know of a task.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use rand_chacha::ChaCha8Rng;

use crate::error::TrainError;

/// A named ability with its own held-out examples.
#[derive(Debug, Clone, PartialEq)]
pub struct Capability {
    /// Its name in curves and reports.
    pub name: String,
    /// Accuracy of guessing.
    pub chance: f64,
    /// Share of the training examples.
    pub frequency: f64,
    /// Names of the task's capabilities that this one is composed of; empty for most.
    pub parts: Vec<String>,
}

impl Capability {
    /// A capability of this name, accuracy of guessing (0 to below 1), and share of the training examples (0 to 1).
    pub fn new(name: impl Into<String>, chance: f64, frequency: f64) -> Self {
        Self {
            name: name.into(),
            chance,
            frequency,
            parts: Vec::new(),
        }
    }

    /// The same, composed of the capabilities with these names: what takes all of them to be done. They are capabilities
    /// of the same task, each named once.
    #[must_use]
    pub fn with_parts<N: Into<String>>(self, parts: impl IntoIterator<Item = N>) -> Self {
        Self {
            parts: parts.into_iter().map(Into::into).collect(),
            ..self
        }
    }
}

/// How well a model does on one capability's held-out examples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// Share of right answers.
    pub accuracy: f64,
    /// Mean loss.
    pub loss: f64,
    /// Mean probability given to the right answer, where the task knows it.
    pub probability: Option<f64>,
    /// Hidden progress of the model, 0 to 1, where the task can measure it: what accuracy does not show yet.
    pub progress: Option<f64>,
}

impl Score {
    /// A score of which only the share of right answers (0 to 1) and the mean loss (nats) are known.
    pub fn new(accuracy: f64, loss: f64) -> Self {
        Self {
            accuracy,
            loss,
            probability: None,
            progress: None,
        }
    }
}

/// The examples of one step.
#[derive(Debug, Clone)]
pub struct Drawn<B> {
    /// The examples, as the model takes them.
    pub batch: B,
    /// Index of the capability that each exercises; None where it exercises no named one.
    pub labels: Vec<Option<usize>>,
    /// What the same examples are named otherwise, a list for each further labelling: by length, say. For
    /// [`Labels::and`](gradual_group::Labels::and); often there are none.
    pub more_labels: Vec<Vec<Option<usize>>>,
    /// Which items of finite data these are; empty where that is not known, or where they are no items.
    pub items: Vec<usize>,
}

impl<B> Drawn<B> {
    /// Examples that are named in one way.
    pub fn new(batch: B, labels: Vec<Option<usize>>) -> Self {
        Self {
            batch,
            labels,
            more_labels: Vec::new(),
            items: Vec::new(),
        }
    }

    /// The same examples, named in further ways. All draws of a task have as many labellings.
    #[must_use]
    pub fn with_more_labels(self, more_labels: Vec<Vec<Option<usize>>>) -> Self {
        Self {
            more_labels,
            ..self
        }
    }

    /// The same examples as items of finite data: [`Task::pick`] of these items gives exactly them. What is known of an
    /// item is then known of the example, such as its group under a [lens](crate::lens).
    #[must_use]
    pub fn with_items(self, items: Vec<usize>) -> Self {
        Self { items, ..self }
    }
}

/// A learning problem with known capabilities.
pub trait Task {
    /// The model that learns it.
    type Model: Module;
    /// The examples of a draw.
    type Batch;

    /// The capabilities, in a fixed order; labels and scores index it.
    fn capabilities(&self) -> &[Capability];

    /// A fresh model on `device`, the same in all arms of a seed: its weights come from `random`, or from the device itself as
    /// those of Burn's `init(device)` do, which a [`Trainer`](crate::Trainer) seeds first and lets no other run draw from
    /// meanwhile. Weights from `random` are the same on every backend, those from the device on one. Weights that come from
    /// elsewhere are [refused](TrainError::Weights). The model may be the end of another run, but of one on this thread: steps of
    /// other threads wait until the model is there.
    fn model(&self, random: &mut ChaCha8Rng, device: &Device) -> Self::Model;

    /// Draws `n` training examples, the same for the same state of `random`: those of a run that goes on from a checkpoint
    /// have to be those that it would have seen. Others are [refused](TrainError::Draws).
    ///
    /// # Errors
    ///
    /// [`TrainError::Data`] naming what can't be read, for a task whose examples have to be read from somewhere.
    fn draw(
        &self,
        n: usize,
        random: &mut ChaCha8Rng,
        device: &Device,
    ) -> Result<Drawn<Self::Batch>, TrainError>;

    /// Draws one training example of each of these capabilities, in this order; for samplers that
    /// choose capabilities.
    ///
    /// # Errors
    ///
    /// [`TrainError::CantDraw`] for a task that can't, which is the default.
    fn draw_of(
        &self,
        capabilities: &[usize],
        random: &mut ChaCha8Rng,
        device: &Device,
    ) -> Result<Drawn<Self::Batch>, TrainError> {
        let _ = (capabilities, random, device);
        Err(TrainError::CantDraw {
            what: "examples of chosen capabilities",
        })
    }

    /// Number of training items, where the data is finite; items are numbered from 0.
    fn items(&self) -> Option<usize> {
        None
    }

    /// These items of the training data, in this order; for samplers that go through finite data.
    ///
    /// # Errors
    ///
    /// [`TrainError::CantDraw`] for a task without finite data, which is the default.
    fn pick(&self, items: &[usize], device: &Device) -> Result<Drawn<Self::Batch>, TrainError> {
        let _ = (items, device);
        Err(TrainError::CantDraw {
            what: "chosen items",
        })
    }

    /// One loss per example of a batch, `[n]`.
    fn losses(&self, model: &Self::Model, batch: &Self::Batch) -> Tensor<1>;

    /// An example of a batch in words that a person can read, of whatever length; none where the task has no words for
    /// it, which is the default. Where there are words, a run writes down [what its found groups hold](crate::Observer::members).
    fn describe(&self, batch: &Self::Batch, example: usize) -> Option<String> {
        let _ = (batch, example);
        None
    }

    /// Scores of a model (without autodiff) on held-out examples, one per capability.
    ///
    /// # Errors
    ///
    /// [`TrainError`] when the model's output can't be read.
    fn evaluate(&self, model: &Self::Model, device: &Device) -> Result<Vec<Score>, TrainError>;
}
