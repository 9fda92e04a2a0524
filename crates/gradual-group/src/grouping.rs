//! The rule that yields groups, and what it may look at.

use burn::tensor::{DType, Device, Tensor, TensorCreationOptions};
use gradual_grad::{ExampleGradients, Traced};

use crate::groups::averaging;
use crate::{GroupError, Groups, State};

/// What a grouping has to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Only the number of examples.
    Nothing,
    /// The label of every example.
    Labels,
    /// The gradient of every example.
    Gradients,
}

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
    pub fn examples(&self) -> usize {
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

    /// Where groups of this draw are held, and in which [precision](Self::precision): for [`Groups::hard`] and its
    /// like.
    pub fn options(&self) -> TensorCreationOptions {
        TensorCreationOptions::new(self.device()).with_dtype(self.precision())
    }

    pub(crate) fn gradients(
        &self,
        operation: &'static str,
    ) -> Result<&'a ExampleGradients, GroupError> {
        self.nonempty(operation)?;
        self.gradients.ok_or(GroupError::NoGradients { operation })
    }

    pub(crate) fn labels(
        &self,
        operation: &'static str,
    ) -> Result<&'a [Option<usize>], GroupError> {
        let examples = self.nonempty(operation)?;
        let labels = self.labels.ok_or(GroupError::NoLabels { operation })?;
        one_each(operation, examples, labels)
    }

    /// The labels of each of `wanted` groupings.
    pub(crate) fn all_labels(
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
        let more = more.map(|labels| one_each(operation, self.examples(), labels));
        std::iter::once(Ok(first)).chain(more).collect()
    }

    pub(crate) fn nonempty(&self, operation: &'static str) -> Result<usize, GroupError> {
        match self.examples() {
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

/// Examples that a grouping keeps beside the draws and wants to see again under the current model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// A new draw of so many examples, to be kept.
    Fresh(usize),
    /// Those that were kept.
    Again,
    /// Those that were kept, of which the oldest so many have made room for as many of a new draw:
    /// without the first ones, and with the new ones at the end. All of these are kept now.
    Replace(usize),
}

/// A rule that yields groups for a draw. It may keep state from draw to draw.
pub trait Grouping: Send {
    /// What [`group`](Self::group) has to be shown. A step that shows no gradients costs no more
    /// than an ordinary step.
    fn needs(&self) -> Needs;

    /// Whether these settings go with draws of `examples` examples, or with as many standing ones as are asked for: a
    /// run asks before it starts, so that it does not fail at its first step.
    ///
    /// What gradients turn out to be can't be known before. With fewer distinct ones in a draw than groups asked for,
    /// groups stay empty, with weight 0.
    ///
    /// # Errors
    ///
    /// [`GroupError::TooManyGroups`] for more groups than examples, [`GroupError::NoGroups`] for none.
    fn check(&self, examples: usize) -> Result<(), GroupError> {
        let _ = examples;
        Ok(())
    }

    /// Which standing examples [`stand`](Self::stand) has to be shown before the next
    /// [`group`](Self::group), if any.
    fn wants(&self) -> Option<Standing> {
        None
    }

    /// Shows the standing examples, with their gradients under the current model, in the same order
    /// every time.
    ///
    /// # Errors
    ///
    /// [`GroupError`] when they do not fit what was asked for.
    fn stand(&mut self, standing: &Draw<'_>) -> Result<(), GroupError> {
        let _ = standing;
        Ok(())
    }

    /// Groups the examples of `draw`.
    ///
    /// # Errors
    ///
    /// [`GroupError`] when the draw is empty, lacks what [`needs`](Self::needs) asks for, or does
    /// not fit the grouping's settings.
    fn group(&mut self, draw: &Draw<'_>) -> Result<Groups, GroupError>;

    /// [`group`](Self::group) without waiting for the device, for groupings that can do so: memberships are there, but
    /// the host may not know them yet ([`Groups::unread`]). A step groups by this, and reads who is where together with
    /// the losses.
    ///
    /// # Errors
    ///
    /// Those of [`group`](Self::group), but for gradients with NaN or infinity, which are found by
    /// [`Groups::settled`].
    fn group_ahead(&mut self, draw: &Draw<'_>) -> Result<Groups, GroupError> {
        self.group(draw)
    }

    /// What the grouping has learned from the draws so far, its place in its random numbers included:
    /// with equal settings and this state, another one goes on to the same groups, bit for bit. A
    /// grouping that learns from draw to draw must write this and [`restore`](Self::restore), or a run
    /// that is resumed differs from one that never stopped.
    ///
    /// # Errors
    ///
    /// [`GroupError::State`] and [`GroupError::Read`] when it can't be written down.
    fn state(&self) -> Result<State, GroupError> {
        Ok(State::none())
    }

    /// Goes back to a state that [`state`](Self::state) gave under the same settings; tensors go to
    /// `device`.
    ///
    /// # Errors
    ///
    /// [`GroupError::State`] for what is no state of this grouping, which is then as it was.
    fn restore(&mut self, state: &State, device: &Device) -> Result<(), GroupError> {
        let _ = device;
        state.expect_none("grouping")
    }
}

/// All examples in one group: with the mean of group losses this is ERM.
#[derive(Debug, Clone, Copy, Default)]
pub struct OneGroup;

impl Grouping for OneGroup {
    fn needs(&self) -> Needs {
        Needs::Nothing
    }

    fn group(&mut self, draw: &Draw<'_>) -> Result<Groups, GroupError> {
        let n = draw.nonempty("one group")?;
        Ok(Groups::one(n, draw.options()))
    }
}
