//! Known groups, partly wrong.

use burn::tensor::Device;
use gradual_registry::{Entry, Parameter};
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

const OPERATION: &str = "noisy labels";

/// In the [registry](crate::registry).
pub(crate) static ENTRY: Entry<GroupingContext, Box<dyn Grouping>> = Entry {
    name: "noisy-labels",
    about: "groups by known label, of which a share is replaced by random ones: a control",
    facts: &[
        ("grouping", "[`NoisyLabels`]"),
        ("needs", "labels"),
        ("cost per draw of n", "k n"),
        ("use it", "as the control for how good groups must be"),
    ],
    parameters: &[
        parameters::LABELS,
        Parameter::number("share", "share of the labels that are replaced", 0.0)
            .at_least(0.0)
            .at_most(1.0)
            .required(),
    ],
    build: |arguments, context| {
        let labels = parameters::labels(arguments, &context)?;
        let share = arguments.number("share")?;
        Ok(Box::new(NoisyLabels::new(labels, share, context.seed)?))
    },
};

/// Groups by known label, of which a share is replaced by uniformly random ones, anew for every
/// draw.
///
/// A control for how good groups have to be: a grouping that recovers capabilities imperfectly can
/// be compared with labels that are wrong as often. A replaced label is the true one again in one
/// case of `groups`. An example without a label keeps none. Costs what
/// [`Labels`](crate::Labels) cost.
#[derive(Debug, Clone)]
pub struct NoisyLabels {
    groups: usize,
    share: f64,
    random: ChaCha8Rng,
}

impl NoisyLabels {
    /// Labels `0..groups`, each replaced with probability `share`; the same seed replaces the same
    /// labels draw after draw.
    ///
    /// # Errors
    ///
    /// [`GroupError::Parameter`] unless `share` is from 0 to 1.
    pub fn new(groups: usize, share: f64, seed: u64) -> Result<Self, GroupError> {
        Ok(Self {
            groups,
            share: GroupError::share(OPERATION, "the share", share)?,
            random: ChaCha8Rng::seed_from_u64(seed),
        })
    }
}

impl Grouping for NoisyLabels {
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
        let mut random = self.random.clone();
        let noisy = labels.iter().map(|label| {
            label.map(|label| {
                let replaced = random.random::<f64>() < self.share;
                let other = random.random_range(0..self.groups);
                // A label out of range stays, to be refused below.
                if replaced && label < self.groups {
                    other
                } else {
                    label
                }
            })
        });
        let noisy = noisy.collect();
        let groups = Groups::hard(noisy, self.groups, Average::Mean, draw.options())?;
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
