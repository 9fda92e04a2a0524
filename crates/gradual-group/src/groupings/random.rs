//! Random groups, as a control.

use burn::tensor::Device;
use gradual_registry::Entry;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::error::GroupError;
use crate::grouping::Grouping;
use crate::grouping::context::GroupingContext;
use crate::grouping::draw::Draw;
use crate::grouping::groups::{Average, Groups};
use crate::grouping::needs::Needs;
use crate::grouping::state::State;
use crate::parameters;

const OPERATION: &str = "random groups";

/// In the [registry](crate::registry).
pub(crate) static ENTRY: Entry<GroupingContext, Box<dyn Grouping>> = Entry {
    name: "random",
    about: "groups drawn at random, anew for every draw: a control",
    facts: &[
        ("grouping", "[`RandomGroups`]"),
        ("needs", "nothing"),
        ("cost per draw of n", "k n"),
        ("use it", "as the control that any gain must beat"),
    ],
    parameters: &[parameters::COUNT],
    build: |arguments, context| {
        let groups = parameters::groups(arguments, &context)?;
        Ok(Box::new(RandomGroups::new(groups, context.seed)))
    },
};

/// Every example in a group drawn uniformly at random, anew for every draw.
///
/// A grouping that does no better than this has found nothing: whatever gain remains comes from the
/// composition's arithmetic, not from the groups.
#[derive(Debug, Clone)]
pub struct RandomGroups {
    groups: usize,
    random: ChaCha8Rng,
}

impl RandomGroups {
    /// `groups` groups; the same seed gives the same groups draw after draw.
    pub fn new(groups: usize, seed: u64) -> Self {
        Self {
            groups,
            random: ChaCha8Rng::seed_from_u64(seed),
        }
    }
}

impl Grouping for RandomGroups {
    fn needs(&self) -> Needs {
        Needs::Nothing
    }

    fn check(&self, examples: usize) -> Result<(), GroupError> {
        GroupError::groups(OPERATION, self.groups, examples)
    }

    fn num_groups(&self, _: usize) -> Option<usize> {
        Some(self.groups)
    }

    fn group(&mut self, draw: &Draw<'_>) -> Result<Groups, GroupError> {
        let n = draw.nonempty(OPERATION)?;
        self.check(draw.num_examples())?;
        let mut random = self.random.clone();
        let assignment = (0..n).map(|_| Some(random.random_range(0..self.groups)));
        let assignment = assignment.collect();
        let groups = Groups::hard(assignment, self.groups, Average::Mean, draw.options())?;
        self.random = random;
        Ok(groups)
    }

    /// The place in the random numbers.
    fn state(&self) -> Result<State, GroupError> {
        State::new(OPERATION, &self.random)
    }

    fn restore(&mut self, state: &State, _: &Device) -> Result<(), GroupError> {
        self.random = state.read(OPERATION)?;
        Ok(())
    }
}
