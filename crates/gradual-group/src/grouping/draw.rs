//! What is known of the examples of one step.

use burn::tensor::{DType, Device, Tensor, TensorCreationOptions};
use gradual_grad::{ExampleGradients, Traced};

use crate::error::GroupError;
use crate::grouping::groups::averaging;

/// What is known of the examples of one step.
#[derive(Debug, Clone, Copy)]
pub struct Draw<'a> {
    losses: &'a Tensor<1>,
    gradients: Option<&'a ExampleGradients>,
    labels: Option<&'a [Option<usize>]>,
    more_labels: &'a [Vec<Option<usize>>],
}

impl<'a> Draw<'a> {
    /// A draw of which only the losses `[n]` are known.
    pub fn new(losses: &'a Tensor<1>) -> Self {
        Self {
            losses,
            gradients: None,
            labels: None,
            more_labels: &[],
        }
    }

    /// The same draw with the gradients of its examples.
    #[must_use]
    pub fn with_gradients(self, gradients: &'a ExampleGradients) -> Self {
        Self {
            gradients: Some(gradients),
            ..self
        }
    }

    /// The same draw with the label of each example; an example may carry none.
    #[must_use]
    pub fn with_labels(self, labels: &'a [Option<usize>]) -> Self {
        Self {
            labels: Some(labels),
            ..self
        }
    }

    /// The same draw with the labels of further groupings of its examples: for example by length,
    /// where those of [`with_labels`](Self::with_labels) are by skill. See
    /// [`Labels::and`](crate::Labels::and).
    #[must_use]
    pub fn with_more_labels(self, labels: &'a [Vec<Option<usize>>]) -> Self {
        Self {
            more_labels: labels,
            ..self
        }
    }

    /// Number of examples n.
    pub fn num_examples(&self) -> usize {
        self.losses.dims()[0]
    }

    /// Losses, `[n]`.
    pub fn losses(&self) -> &'a Tensor<1> {
        self.losses
    }

    /// The device that the losses are on, without autodiff.
    pub fn device(&self) -> Device {
        self.losses.device().inner()
    }

    /// The precision in which losses are averaged: double if they are in double precision, single otherwise.
    pub fn precision(&self) -> DType {
        averaging(self.losses.dtype())
    }

    /// Where groups of this draw are held, and in which [precision](Self::precision): for [`Groups::hard`](crate::Groups::hard) and its
    /// like.
    pub fn options(&self) -> TensorCreationOptions {
        TensorCreationOptions::new(self.device()).with_dtype(self.precision())
    }

    /// The gradients of its examples, for the grouping called `operation`.
    ///
    /// # Errors
    ///
    /// [`GroupError::EmptyDraw`], and [`GroupError::NoGradients`] for a draw without gradients: one of a step that took
    /// none, as [`Grouping::needs`](crate::Grouping::needs) did not ask for them.
    pub fn gradients(&self, operation: &'static str) -> Result<&'a ExampleGradients, GroupError> {
        self.nonempty(operation)?;
        self.gradients.ok_or(GroupError::NoGradients { operation })
    }

    /// The label of each example, `[n]`, for the grouping called `operation`; none for an example that carries none.
    ///
    /// # Errors
    ///
    /// [`GroupError::EmptyDraw`], [`GroupError::NoLabels`] for a draw without labels, and [`GroupError::LabelCount`]
    /// unless there is one for each example.
    pub fn labels(&self, operation: &'static str) -> Result<&'a [Option<usize>], GroupError> {
        let examples = self.nonempty(operation)?;
        let labels = self.labels.ok_or(GroupError::NoLabels { operation })?;
        one_each(operation, examples, labels)
    }

    /// The labels of each of `wanted` labellings of its examples, `[wanted][n]`, for the grouping called `operation`:
    /// first those of [`with_labels`](Self::with_labels), then those of [`with_more_labels`](Self::with_more_labels).
    ///
    /// # Errors
    ///
    /// Those of [`labels`](Self::labels), and [`GroupError::Labellings`] for a draw with more or fewer labellings.
    pub fn all_labels(
        &self,
        operation: &'static str,
        wanted: usize,
    ) -> Result<Vec<&'a [Option<usize>]>, GroupError> {
        let first = self.labels(operation)?;
        if wanted != 1 + self.more_labels.len() {
            return Err(GroupError::Labellings {
                operation,
                expected: wanted,
                got: 1 + self.more_labels.len(),
            });
        }
        let more = self.more_labels.iter();
        let more = more.map(|labels| one_each(operation, self.num_examples(), labels));
        std::iter::once(Ok(first)).chain(more).collect()
    }

    /// Number of examples n of a draw that holds some, for the grouping called `operation`.
    ///
    /// # Errors
    ///
    /// [`GroupError::EmptyDraw`] without examples.
    pub fn nonempty(&self, operation: &'static str) -> Result<usize, GroupError> {
        match self.num_examples() {
            0 => Err(GroupError::EmptyDraw { operation }),
            n => Ok(n),
        }
    }
}

fn one_each<'a>(
    operation: &'static str,
    examples: usize,
    labels: &'a [Option<usize>],
) -> Result<&'a [Option<usize>], GroupError> {
    match labels.len() {
        got if got == examples => Ok(labels),
        labels => Err(GroupError::LabelCount {
            operation,
            examples,
            labels,
        }),
    }
}

impl<'a> From<&'a Traced> for Draw<'a> {
    fn from(traced: &'a Traced) -> Self {
        Draw::new(&traced.losses).with_gradients(&traced.gradients)
    }
}
