//! What is known of the examples of a draw beside their losses and gradients.

use burn::tensor::Tensor;
use gradual_grad::{ExampleGradients, GradError, Traced};

use super::chosen::chosen;
use crate::label_set::{LabelSet, OwnedLabels};

/// What is known of the examples of a draw beside their losses and gradients.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Known<'a> {
    pub(crate) labels: LabelSet<'a>,
    /// What a [lens](crate::Lens) shows of them.
    pub(crate) seen: Option<&'a SeenDraw>,
    /// The groups that they have had before, in the place of these gradients.
    pub(crate) groups: Option<&'a [Option<usize>]>,
}

impl<'a> From<LabelSet<'a>> for Known<'a> {
    fn from(labels: LabelSet<'a>) -> Self {
        Self {
            labels,
            ..Self::default()
        }
    }
}

/// What a [lens](crate::Lens) shows of a draw.
#[derive(Debug, Clone)]
pub(crate) struct SeenDraw {
    /// Losses under the snapshot, `[n]`.
    pub(crate) losses: Tensor<1>,
    /// Gradients of these, where the grouping looks at them.
    pub(crate) gradients: Option<ExampleGradients>,
}

impl From<Traced> for SeenDraw {
    fn from(traced: Traced) -> Self {
        Self {
            losses: traced.losses,
            gradients: Some(traced.gradients),
        }
    }
}

impl SeenDraw {
    /// Those of some examples.
    pub(super) fn choose(&self, examples: &[usize]) -> Result<Self, GradError> {
        let gradients = self.gradients.as_ref();
        Ok(Self {
            losses: chosen(self.losses.clone(), examples),
            gradients: gradients
                .map(|gradients| gradients.choose(examples))
                .transpose()?,
        })
    }
}

/// The same of those that have a loss.
pub(crate) struct OwnedKnown {
    pub(super) labels: OwnedLabels,
    pub(super) seen: Option<SeenDraw>,
    pub(super) groups: Option<Vec<Option<usize>>>,
}

impl OwnedKnown {
    pub(super) fn as_known(&self) -> Known<'_> {
        Known {
            labels: self.labels.as_set(),
            seen: self.seen.as_ref(),
            groups: self.groups.as_deref(),
        }
    }
}
