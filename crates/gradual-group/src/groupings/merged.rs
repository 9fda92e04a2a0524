//! Known labels, several in one group.

use gradual_registry::{Entry, Parameter};

use crate::error::GroupError;
use crate::grouping::Grouping;
use crate::grouping::context::GroupingContext;
use crate::grouping::draw::Draw;
use crate::grouping::groups::{Average, Groups};
use crate::grouping::needs::Needs;
use crate::parameters;

const OPERATION: &str = "merged labels";

/// In the [registry](crate::registry).
pub(crate) static ENTRY: Entry<GroupingContext, Box<dyn Grouping>> = Entry {
    name: "merged-labels",
    about: "groups of several known labels each: a control",
    facts: &[
        ("grouping", "[`MergedLabels`]"),
        ("needs", "labels"),
        ("cost per draw of n", "k n"),
        ("use it", "as the control for groups that are too coarse"),
    ],
    parameters: &[
        Parameter::count(
            "k",
            "number of groups; with more groups than labels, some stay empty",
            1,
        )
        .at_least(1.0)
        .at_most(parameters::MANY_GROUPS)
        .required(),
        Parameter::choice(
            "by",
            "which labels share a group: those with the same remainder of a division by k, or k runs of neighbours",
            &["remainder", "neighbours"],
        ),
    ],
    build: |arguments, context| {
        let merging = match arguments.word("by")? {
            "neighbours" => Merging::Neighbours,
            _ => Merging::Remainder,
        };
        let groups = arguments.count("k")?;
        Ok(Box::new(MergedLabels::new(
            context.num_groups,
            groups,
            merging,
        )))
    },
};

/// Which labels share a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Merging {
    /// Labels with the same remainder of a division by the number of groups. Where labels are in order of frequency, each
    /// group holds frequent and rare ones.
    Remainder,
    /// Labels that follow one another, in runs that differ by one label at most: where labels are in order of frequency,
    /// those of similar frequency.
    Neighbours,
}

/// Known labels, of which several share a group: groups that are coarser than the capabilities.
///
/// A control for how fine groups have to be. The mean loss of a group is that of all its examples, so of two
/// capabilities in one group the frequent one speaks for both. Examples without a label belong to no group. Costs what
/// [`Labels`](crate::Labels) cost.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use gradual_group::{Draw, Grouping, MergedLabels, Merging};
///
/// let losses = Tensor::<1>::from_floats([1.0, 3.0, 5.0, 7.0], &Device::flex());
/// let labels = [Some(0), Some(1), Some(2), Some(3)];
/// let draw = Draw::new(&losses).with_labels(&labels);
/// let means = |merging| -> Result<Vec<f32>, gradual_group::GroupError> {
///     let groups = MergedLabels::new(4, 2, merging).group(&draw)?;
///     Ok(groups.losses(losses.clone()).into_data().try_to_vec().unwrap())
/// };
/// assert_eq!(means(Merging::Remainder)?, [3.0, 5.0]);
/// assert_eq!(means(Merging::Neighbours)?, [2.0, 6.0]);
/// # Ok::<(), gradual_group::GroupError>(())
/// ```
#[derive(Debug, Clone)]
pub struct MergedLabels {
    labels: usize,
    groups: usize,
    merging: Merging,
}

impl MergedLabels {
    /// Labels `0..labels` in `groups` groups.
    pub fn new(labels: usize, groups: usize, merging: Merging) -> Self {
        Self {
            labels,
            groups,
            merging,
        }
    }

    /// The group of a label below the number of labels.
    fn group_of(&self, label: usize) -> usize {
        match self.merging {
            Merging::Remainder => label % self.groups,
            // A group for each label where there are as many.
            Merging::Neighbours => label * self.groups.min(self.labels) / self.labels,
        }
    }
}

impl Grouping for MergedLabels {
    fn needs(&self) -> Needs {
        Needs::Labels
    }

    fn check(&self, examples: usize) -> Result<(), GroupError> {
        GroupError::groups(OPERATION, self.groups, examples)
    }

    fn num_groups(&self, _: usize) -> Option<usize> {
        Some(self.groups)
    }

    fn group(&mut self, draw: &Draw<'_>) -> Result<Groups, GroupError> {
        let labels = draw.labels(OPERATION)?;
        self.check(draw.num_examples())?;
        GroupError::label_range(OPERATION, labels, self.labels)?;
        let merged = labels
            .iter()
            .map(|label| label.map(|label| self.group_of(label)));
        Groups::hard(merged.collect(), self.groups, Average::Mean, draw.options())
    }
}
