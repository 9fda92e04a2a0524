//! All examples together.

use gradual_registry::Entry;

use crate::error::GroupError;
use crate::grouping::Grouping;
use crate::grouping::context::GroupingContext;
use crate::grouping::draw::Draw;
use crate::grouping::groups::Groups;
use crate::grouping::needs::Needs;

/// In the [registry](crate::registry).
pub(crate) static ENTRY: Entry<GroupingContext, Box<dyn Grouping>> = Entry {
    name: "one-group",
    about: "all examples in one group: the plain mean loss",
    facts: &[
        ("grouping", "[`OneGroup`]"),
        ("needs", "nothing"),
        ("cost per draw of n", "n"),
        ("use it", "for the plain mean loss (ERM)"),
    ],
    parameters: &[],
    build: |_, _| Ok(Box::new(OneGroup)),
};

/// All examples in one group: with the mean of group losses this is ERM.
#[derive(Debug, Clone, Copy, Default)]
pub struct OneGroup;

impl Grouping for OneGroup {
    fn needs(&self) -> Needs {
        Needs::Nothing
    }

    fn num_groups(&self, _: usize) -> Option<usize> {
        Some(1)
    }

    fn group(&mut self, draw: &Draw<'_>) -> Result<Groups, GroupError> {
        let n = draw.nonempty("one group")?;
        Ok(Groups::one(n, draw.options()))
    }
}
