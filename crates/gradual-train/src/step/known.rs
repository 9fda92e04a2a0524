//! What is known of the examples of a draw beside their losses and gradients.

use gradual_grad::ExampleGradients;

use crate::label_set::{LabelSet, OwnedLabels};

/// What is known of the examples of a draw beside their losses and gradients.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Known<'a> {
    pub(crate) labels: LabelSet<'a>,
    /// Their gradients under a [lens](crate::Lens).
    pub(crate) seen: Option<&'a ExampleGradients>,
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

/// The same of those that have a loss.
pub(crate) struct OwnedKnown {
    pub(super) labels: OwnedLabels,
    pub(super) seen: Option<ExampleGradients>,
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
