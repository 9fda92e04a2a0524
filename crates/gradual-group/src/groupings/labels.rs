//! Groups by known label.

use gradual_registry::Entry;

use crate::error::GroupError;
use crate::grouping::Grouping;
use crate::grouping::context::GroupingContext;
use crate::grouping::draw::Draw;
use crate::grouping::groups::{Average, Groups};
use crate::grouping::needs::Needs;
use crate::parameters;

/// In the [registry](crate::registry).
pub(crate) static ENTRY: Entry<GroupingContext, Box<dyn Grouping>> = Entry {
    name: "labels",
    about: "groups by known label",
    facts: &[
        ("grouping", "[`Labels`]"),
        ("needs", "labels"),
        ("cost per draw of n", "k n"),
        (
            "use it",
            "when capabilities are known, in one way or in several at once",
        ),
    ],
    parameters: &[parameters::LABELS, parameters::AVERAGE],
    build: |arguments, context| {
        let labels = Labels::new(parameters::labels(arguments, &context)?);
        Ok(Box::new(
            labels.with_average(parameters::average(arguments)?),
        ))
    },
};

/// Groups by known label: example j belongs to group `labels[j]`, or to none.
///
/// Costs k·n operations. The post's first proposal, and the reference for groupings that have to find the
/// capabilities themselves.
///
/// # Several groupings at once
///
/// Examples can be named in more than one way, by skill and by length: [`and`](Self::and) puts the
/// groups of several labellings side by side, k_1 + k_2 + … rows of one membership matrix. An
/// example then belongs to one group of each labelling, or to none in any of them, and a loss over
/// groups pulls it by the sum of what its groups ask for. Such groups overlap, so they have no
/// [`assignment`](Groups::assignment). Weigh one labelling against another with
/// [`Priors`](crate::Priors). A step takes several labellings by `gradual_train::Stepper`, and a task of
/// the trainer gives them with its draws.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use gradual_group::{Draw, Grouping, Labels};
///
/// let losses = Tensor::<1>::from_floats([1.0, 3.0, 5.0], &Device::flex());
/// let skills = [Some(0), Some(1), Some(1)];
/// let lengths = [vec![Some(0), Some(0), None]];
/// let draw = Draw::new(&losses).with_labels(&skills).with_more_labels(&lengths);
/// let groups = Labels::new(2).and(1).group(&draw)?;
/// let means: Vec<f32> = groups.losses(losses.clone()).into_data().try_to_vec().unwrap();
/// assert_eq!(means, [1.0, 4.0, 2.0]);
/// # Ok::<(), gradual_group::GroupError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Labels {
    /// Number of groups of each labelling.
    groups: Vec<usize>,
    average: Average,
}

impl Labels {
    /// Labels `0..groups`; group losses are means.
    pub fn new(groups: usize) -> Self {
        Self {
            groups: vec![groups],
            average: Average::Mean,
        }
    }

    /// A further labelling `0..groups` of the same examples, whose groups come after those so far.
    /// The draw's labels of it stand at the same place in
    /// [`with_more_labels`](Draw::with_more_labels).
    #[must_use]
    pub fn and(mut self, groups: usize) -> Self {
        self.groups.push(groups);
        self
    }

    /// The same labels with another group loss.
    #[must_use]
    pub fn with_average(self, average: Average) -> Self {
        Self { average, ..self }
    }
}

impl Grouping for Labels {
    fn needs(&self) -> Needs {
        Needs::Labels
    }

    fn check(&self, examples: usize) -> Result<(), GroupError> {
        let mut each = self.groups.iter();
        each.try_for_each(|&groups| GroupError::groups("labels", groups, examples))
    }

    fn num_groups(&self, _: usize) -> Option<usize> {
        Some(self.groups.iter().sum())
    }

    fn group(&mut self, draw: &Draw<'_>) -> Result<Groups, GroupError> {
        let hard = |(labels, &groups): (&[Option<usize>], &usize)| {
            Groups::hard(labels.to_vec(), groups, self.average, draw.options())
        };
        if let [groups] = self.groups.as_slice() {
            // Further labels may be meant for others.
            return hard((draw.labels("labels")?, groups));
        }
        let labels = draw.all_labels("labels", self.groups.len())?;
        let each = labels.into_iter().zip(&self.groups).map(hard);
        Ok(Groups::side_by_side(each.collect::<Result<_, _>>()?))
    }
}
