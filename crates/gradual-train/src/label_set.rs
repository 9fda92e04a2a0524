//! What the examples of one draw are named, in several ways at once.

use gradual_group::Draw;

/// The labels of the examples of one draw: of none, of one or of several labellings.
///
/// Examples can be named in more than one way, by skill and by length; [`Labels::and`](gradual_group::Labels::and)
/// makes groups of several. For [`Stepper`](crate::Stepper) and
/// [`GroupedStep::step_labelled`](crate::GroupedStep::step_labelled).
///
/// ```
/// use burn::nn::LinearConfig;
/// use burn::tensor::{Device, Tensor};
/// use gradual_group::Labels;
/// use gradual_loss::SumOfSquares;
/// use gradual_train::{LabelSet, Objective, Stepper};
///
/// let device = Device::flex().autodiff();
/// let model = LinearConfig::new(2, 1).init(&device);
/// let x = Tensor::<2>::from_floats([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], &device);
/// let skills = [Some(0), Some(1), Some(1)];
/// let lengths = vec![vec![Some(0), Some(0), None]];
///
/// let mut objective = Objective::new(Labels::new(2).and(1), SumOfSquares);
/// let labels = LabelSet::new(&skills).with_more(&lengths);
/// let stepped = Stepper::default().step(&model, &mut objective, labels, |m| {
///     (m.forward(x.clone()) - 1.0).powi_scalar(2).reshape([3])
/// })?;
/// assert_eq!(stepped.groups.num_groups(), 3);
/// # Ok::<(), gradual_train::TrainError>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct LabelSet<'a> {
    first: Option<&'a [Option<usize>]>,
    more: &'a [Vec<Option<usize>>],
}

impl<'a> LabelSet<'a> {
    /// One label for each example, or none for those that carry none.
    pub fn new(labels: &'a [Option<usize>]) -> Self {
        Self {
            first: Some(labels),
            more: &[],
        }
    }

    /// The same with the labels of further labellings, each of all examples.
    #[must_use]
    pub fn with_more(self, labels: &'a [Vec<Option<usize>>]) -> Self {
        Self {
            more: labels,
            ..self
        }
    }

    /// The labels as numbers, one list after another: what tells two sets apart.
    pub(crate) fn codes(self) -> impl Iterator<Item = u64> {
        let lists = self
            .first
            .into_iter()
            .chain(self.more.iter().map(Vec::as_slice));
        lists.flat_map(|labels| {
            let codes = labels
                .iter()
                .map(|label| label.map_or(0, |label| label as u64 + 1));
            std::iter::once(labels.len() as u64).chain(codes)
        })
    }

    /// A draw with these labels.
    pub(crate) fn of(self, draw: Draw<'a>) -> Draw<'a> {
        let draw = draw.with_more_labels(self.more);
        match self.first {
            Some(labels) => draw.with_labels(labels),
            None => draw,
        }
    }
}

impl<'a> From<Option<&'a [Option<usize>]>> for LabelSet<'a> {
    fn from(labels: Option<&'a [Option<usize>]>) -> Self {
        labels.map_or_else(Self::default, Self::new)
    }
}

/// Labels of examples that are held.
#[derive(Debug, Clone, Default)]
pub(crate) struct OwnedLabels {
    first: Option<Vec<Option<usize>>>,
    more: Vec<Vec<Option<usize>>>,
}

impl From<LabelSet<'_>> for OwnedLabels {
    fn from(labels: LabelSet<'_>) -> Self {
        Self {
            first: labels.first.map(<[_]>::to_vec),
            more: labels.more.to_vec(),
        }
    }
}

impl OwnedLabels {
    pub(crate) fn as_set(&self) -> LabelSet<'_> {
        LabelSet {
            first: self.first.as_deref(),
            more: &self.more,
        }
    }

    /// The labels of every labelling.
    pub(crate) fn each_mut(&mut self) -> impl Iterator<Item = &mut Vec<Option<usize>>> {
        self.first.iter_mut().chain(&mut self.more)
    }

    /// Adds the labels of `examples` further ones to those of the `before` that are held. Examples that a labelling
    /// does not name, among others that it does, carry none.
    pub(crate) fn extend(&mut self, before: usize, labels: LabelSet<'_>, examples: usize) {
        if labels.first.is_some() {
            self.first.get_or_insert_with(|| vec![None; before]);
        }
        if self.more.len() < labels.more.len() {
            self.more
                .resize_with(labels.more.len(), || vec![None; before]);
        }
        let unnamed = vec![None; examples];
        if let Some(first) = &mut self.first {
            first.extend_from_slice(labels.first.unwrap_or(&unnamed));
        }
        for (at, more) in self.more.iter_mut().enumerate() {
            more.extend_from_slice(labels.more.get(at).unwrap_or(&unnamed));
        }
    }
}
