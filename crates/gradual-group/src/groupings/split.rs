//! Known labels, each in several groups.

use burn::tensor::Device;
use gradual_registry::{Entry, Parameter};
use rand::seq::SliceRandom;
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

const OPERATION: &str = "split labels";

/// In the [registry](crate::registry).
pub(crate) static ENTRY: Entry<GroupingContext, Box<dyn Grouping>> = Entry {
    name: "split-labels",
    about: "the examples of every known label in several random groups, anew for every draw: a control",
    facts: &[
        ("grouping", "[`SplitLabels`]"),
        ("needs", "labels"),
        ("cost per draw of n", "k n"),
        ("use it", "as the control for groups that are too fine"),
    ],
    parameters: &[
        parameters::LABELS,
        Parameter::count("parts", "number of groups of each label", 2)
            .at_least(1.0)
            .at_most(parameters::MANY_GROUPS),
    ],
    build: |arguments, context| {
        let labels = parameters::labels(arguments, &context)?;
        let parts = arguments.count("parts")?;
        Ok(Box::new(SplitLabels::new(labels, parts, context.seed)))
    },
};

/// Known labels, the examples of each in several random groups that are drawn anew for every draw: groups that are finer
/// than the capabilities.
///
/// A control for how many groups are too many. The parts of a label are as large as each other, up to one example, and
/// which of them get one more is drawn, too. Part p of label l is group l·parts + p. Examples without a label belong to
/// no group. Costs what [`Labels`](crate::Labels) cost for as many groups.
#[derive(Debug, Clone)]
pub struct SplitLabels {
    labels: usize,
    parts: usize,
    random: ChaCha8Rng,
}

impl SplitLabels {
    /// Labels `0..labels` in `parts` groups each; the same seed gives the same groups draw after draw.
    pub fn new(labels: usize, parts: usize, seed: u64) -> Self {
        Self {
            labels,
            parts,
            random: ChaCha8Rng::seed_from_u64(seed),
        }
    }

    fn groups(&self) -> usize {
        self.labels.saturating_mul(self.parts)
    }
}

impl Grouping for SplitLabels {
    fn needs(&self) -> Needs {
        Needs::Labels
    }

    fn check(&self, examples: usize) -> Result<(), GroupError> {
        GroupError::groups(OPERATION, self.groups(), examples)
    }

    fn num_groups(&self, _: usize) -> Option<usize> {
        Some(self.groups())
    }

    fn group(&mut self, draw: &Draw<'_>) -> Result<Groups, GroupError> {
        let labels = draw.labels(OPERATION)?;
        self.check(draw.num_examples())?;
        GroupError::label_range(OPERATION, labels, self.labels)?;
        let mut random = self.random.clone();
        let first = (0..self.labels).map(|_| random.random_range(0..self.parts));
        let mut next: Vec<usize> = first.collect();
        let mut order: Vec<usize> = (0..labels.len()).collect();
        order.shuffle(&mut random);
        let mut split = vec![None; labels.len()];
        for example in order {
            split[example] = labels[example].map(|label| {
                let part = next[label];
                next[label] = (part + 1) % self.parts;
                label * self.parts + part
            });
        }
        let groups = Groups::hard(split, self.groups(), Average::Mean, draw.options())?;
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
