//! Examples that a model gets wrong.

use std::f64::consts::LN_2;

use gradual_grad::host::read;
use gradual_registry::{Entry, Parameter};

use crate::error::GroupError;
use crate::grouping::Grouping;
use crate::grouping::context::GroupingContext;
use crate::grouping::draw::Draw;
use crate::grouping::groups::{Average, Groups};
use crate::grouping::needs::Needs;
use crate::parameters;

const OPERATION: &str = "groups of mistakes";
/// Those up to the threshold, and those above it.
const GROUPS: usize = 2;

/// In the [registry](crate::registry).
pub(crate) static ENTRY: Entry<GroupingContext, Box<dyn Grouping>> = Entry {
    name: "mistakes",
    about: "two groups: examples with a loss up to a threshold, and those above it, which a model gets wrong",
    facts: &[
        ("grouping", "[`Mistakes`]"),
        ("needs", "nothing"),
        ("cost per draw of n", "n"),
        (
            "use it",
            "under a lens, to weigh more what an earlier model gets wrong (JTT)",
        ),
    ],
    parameters: &[
        Parameter::number(
            "above",
            "loss above which an example is a mistake, in nats; ln 2 by default",
            LN_2,
        ),
        parameters::AVERAGE,
    ],
    build: |arguments, _| {
        let mistakes = Mistakes::above(arguments.number("above")?)?;
        Ok(Box::new(
            mistakes.with_average(parameters::average(arguments)?),
        ))
    },
};

/// Group 0: examples with a loss up to a threshold. Group 1: those with a loss above it.
///
/// # The idea
///
/// What a model gets wrong after a little training is what it is worst at, subclasses that nobody named among it. *Just
/// train twice* (JTT: Liu et al. 2021, arXiv 2107.09044) trains a first model for a few epochs, and a second one in which its
/// mistakes count λ times as much. Here the first model is a [lens]: the losses that decide are those under it
/// ([`Draw::seen_losses`]). With weights 1 and λ ([`Priors`](crate::Priors)), group losses that are sums
/// ([`Average::Sum`]) and their mean as the composition, every mistake weighs λ times as much as another example, which is JTT.
///
/// In the cross-entropy of two classes a loss above ln 2 is a wrong answer. Of more classes the right one may still be the most
/// probable one above ln 2, and never is a wrong one below it.
///
/// [lens]: https://docs.rs/gradual-train/latest/gradual_train/lens/
///
/// # When to use it
///
/// Under a lens, such as a snapshot of a proxy, for worst groups that nobody labelled. Without a lens the groups are those of the model
/// as it is, and each example leaves the mistakes as soon as it is learned.
///
/// Reads the losses, so that a step waits for the device once more.
#[derive(Debug, Clone)]
pub struct Mistakes {
    above: f64,
    average: Average,
}

impl Mistakes {
    /// Mistakes are examples with a loss above this, in nats. Group losses are means.
    ///
    /// # Errors
    ///
    /// [`GroupError::Parameter`] for what is no finite number.
    pub fn above(loss: f64) -> Result<Self, GroupError> {
        match loss.is_finite() {
            true => Ok(Self {
                above: loss,
                ..Self::default()
            }),
            false => Err(GroupError::Parameter {
                operation: OPERATION,
                parameter: "the threshold",
                expected: "a finite number",
                got: loss,
            }),
        }
    }

    /// The same groups with another group loss.
    #[must_use]
    pub fn with_average(self, average: Average) -> Self {
        Self { average, ..self }
    }
}

/// Wrong answers of two classes.
impl Default for Mistakes {
    fn default() -> Self {
        Self {
            above: LN_2,
            average: Average::Mean,
        }
    }
}

impl Grouping for Mistakes {
    fn needs(&self) -> Needs {
        Needs::Nothing
    }

    fn goes_with_lens(&self) -> bool {
        true
    }

    fn num_groups(&self, _: usize) -> Option<usize> {
        Some(GROUPS)
    }

    fn group(&mut self, draw: &Draw<'_>) -> Result<Groups, GroupError> {
        draw.nonempty(OPERATION)?;
        let losses: Vec<f64> =
            read(draw.seen_losses().clone()).map_err(GroupError::read(OPERATION))?;
        let group = |loss: f64| Some(usize::from(loss > self.above));
        self.regroup(draw, losses.into_iter().map(group).collect())
    }

    fn is_lasting(&self) -> bool {
        true
    }

    fn regroup(
        &self,
        draw: &Draw<'_>,
        assignment: Vec<Option<usize>>,
    ) -> Result<Groups, GroupError> {
        Groups::hard(assignment, GROUPS, self.average, draw.options())
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Tensor};

    use super::*;

    #[test]
    fn a_lens_decides_and_the_losses_count() {
        let device = Device::flex();
        let losses = Tensor::<1>::from_floats([0.1, 0.7, 0.2, 3.0], &device);
        let before = Tensor::<1>::from_floats([0.8, 0.1, 0.9, 0.69], &device);
        let mut mistakes = Mistakes::default();
        let draw = Draw::new(&losses);
        let groups = mistakes.group(&draw).unwrap();
        assert_eq!(groups.assignment().unwrap(), [0, 1, 0, 1].map(Some));
        let groups = mistakes.group(&draw.with_seen_losses(&before)).unwrap();
        assert_eq!(groups.assignment().unwrap(), [1, 0, 1, 0].map(Some));
        let means = read::<f64, 1>(groups.losses(losses)).unwrap();
        assert!((means[0] - 1.85).abs() < 1e-6 && (means[1] - 0.15).abs() < 1e-6);
        assert!(Mistakes::above(f64::NAN).is_err());
    }
}
