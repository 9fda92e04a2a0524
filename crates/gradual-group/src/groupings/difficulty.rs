//! The control that looks at losses alone.

use gradual_grad::host::read;
use gradual_registry::Entry;

use crate::error::GroupError;
use crate::grouping::Grouping;
use crate::grouping::context::GroupingContext;
use crate::grouping::draw::Draw;
use crate::grouping::groups::{Average, Groups};
use crate::grouping::needs::Needs;
use crate::parameters;

const OPERATION: &str = "groups by difficulty";

/// In the [registry](crate::registry).
pub(crate) static ENTRY: Entry<GroupingContext, Box<dyn Grouping>> = Entry {
    name: "difficulty",
    about: "examples of similar loss together, as many in each group: a control",
    facts: &[
        ("grouping", "[`Difficulty`]"),
        ("needs", "nothing"),
        ("cost per draw of n", "n log n"),
        (
            "use it",
            "as the control for whether groups are more than easy and hard examples",
        ),
    ],
    parameters: &[parameters::COUNT],
    build: |arguments, context| {
        let groups = parameters::groups(arguments, &context)?;
        Ok(Box::new(Difficulty::new(groups)))
    },
};

/// The examples of a draw in order of their losses, cut into k groups of n/k examples each: the easiest first.
///
/// A sum of squares over these groups weighs hard examples more, whatever they are about. A grouping whose gain is no
/// larger has found that some examples are harder than others, which their losses say without any gradient. Equal
/// losses stay in the order of the draw. Groups are found anew in each draw, and group i of one draw is group i of the
/// next: that of the i-th quantile.
///
/// Under a lens the losses are those under it ([`Draw::seen_losses`]).
///
/// Reads the losses, so that a step waits for the device once more.
#[derive(Debug, Clone)]
pub struct Difficulty {
    groups: usize,
}

impl Difficulty {
    /// `groups` groups; a draw must have as many examples at least.
    pub fn new(groups: usize) -> Self {
        Self { groups }
    }
}

impl Grouping for Difficulty {
    fn needs(&self) -> Needs {
        Needs::Nothing
    }

    fn goes_with_lens(&self) -> bool {
        true
    }

    fn check(&self, examples: usize) -> Result<(), GroupError> {
        GroupError::filled_groups(OPERATION, self.groups, examples)
    }

    fn num_groups(&self, _: usize) -> Option<usize> {
        Some(self.groups)
    }

    fn group(&mut self, draw: &Draw<'_>) -> Result<Groups, GroupError> {
        let n = draw.nonempty(OPERATION)?;
        self.check(n)?;
        let losses: Vec<f64> =
            read(draw.seen_losses().clone()).map_err(GroupError::read(OPERATION))?;
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by(|&a, &b| losses[a].total_cmp(&losses[b]));
        let mut assignment = vec![None; n];
        for (rank, example) in order.into_iter().enumerate() {
            assignment[example] = Some(rank * self.groups / n);
        }
        Groups::hard(assignment, self.groups, Average::Mean, draw.options())
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Tensor};

    use super::*;

    #[test]
    fn the_easiest_come_first_and_groups_are_of_one_size() {
        let losses = Tensor::from_floats([0.3, 2.0, 0.1, 1.0, 0.2, 1.0, 9.0], &Device::flex());
        let draw = Draw::new(&losses);
        let groups = Difficulty::new(3).group(&draw).unwrap();
        let expected = [0, 2, 0, 1, 0, 1, 2].map(Some);
        assert_eq!(groups.assignment(), Some(&expected[..]));
        assert!(Difficulty::new(8).group(&draw).is_err());
        assert!(Difficulty::new(0).check(7).is_err());
    }
}
