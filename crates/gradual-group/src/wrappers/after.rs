//! A grouping that waits.

use burn::tensor::Device;
use gradual_grad::ExampleGradients;
use gradual_registry::{Entry, Parameter};

use crate::error::GroupError;
use crate::grouping::Grouping;
use crate::grouping::context::GroupingContext;
use crate::grouping::draw::Draw;
use crate::grouping::groups::Groups;
use crate::grouping::look::Look;
use crate::grouping::needs::Needs;
use crate::grouping::standing::Standing;
use crate::grouping::state::State;
use crate::parameters;
use crate::wrappers::wrapper::{GroupBy, Wrapper};

const OPERATION: &str = "after";

/// In the [registry](crate::registry).
pub(crate) static ENTRY: Entry<(GroupingContext, Box<dyn Grouping>), Box<dyn Grouping>> = Entry {
    name: "after",
    about: "one group for the first draws, and the grouping from then on",
    facts: &[
        ("wrapper", "[`After`]"),
        ("needs more", "nothing"),
        ("cost", "nothing"),
        ("use it", "so that the first steps are those of ERM"),
    ],
    parameters: &[
        Parameter::count("draws", "draws before the grouping begins", 1)
            .at_most(parameters::MANY_DRAWS)
            .required(),
    ],
    build: |arguments, (_, inner)| {
        let draws = u64::try_from(arguments.count("draws")?)?;
        Ok(Box::new(After::new(draws, inner)))
    },
};

/// One group for the first draws, so that a step is one of ERM, and another grouping from then on.
///
/// Fresh weights may not show the capabilities; a few steps of training before any is learned can be
/// enough that they do.
#[derive(Debug, Clone)]
pub struct After<G> {
    draws: u64,
    seen: u64,
    inner: G,
}

impl<G: Grouping> After<G> {
    /// `inner`, after so many draws.
    pub fn new(draws: u64, inner: G) -> Self {
        Self {
            draws,
            seen: 0,
            inner,
        }
    }

    fn waits(&self) -> bool {
        self.seen < self.draws
    }
}

impl<G: Grouping + Clone> Wrapper for After<G> {
    type Inner = G;

    fn inner(&self) -> &G {
        &self.inner
    }

    fn inner_mut(&mut self) -> &mut G {
        &mut self.inner
    }

    fn wrap_look(&self, inner: Look) -> Look {
        inner
    }

    /// Nothing while it waits.
    fn wrap_needs(&self, inner: Needs) -> Needs {
        match self.waits() {
            true => Needs::Nothing,
            false => inner,
        }
    }

    /// One at first, so that no other number is that of every draw.
    fn wrap_num_groups(&self, inner: Option<usize>) -> Option<usize> {
        inner.filter(|&groups| self.draws == 0 || groups == 1)
    }

    /// None while it waits.
    fn wrap_wants(&self, inner: Option<Standing>) -> Option<Standing> {
        inner.filter(|_| !self.waits())
    }

    /// As they are while it waits: the inner grouping has not seen a draw.
    fn wrap_seen(&self, gradients: &ExampleGradients) -> Result<ExampleGradients, GroupError> {
        match self.waits() {
            true => Ok(gradients.clone()),
            false => self.inner.seen(gradients),
        }
    }

    fn wrap_group(&mut self, draw: &Draw<'_>, group: GroupBy<G>) -> Result<Groups, GroupError> {
        if !self.waits() {
            return group(&mut self.inner, draw);
        }
        let groups = Groups::one(draw.nonempty(OPERATION)?, draw.options());
        self.seen += 1;
        Ok(groups)
    }

    /// How many draws were seen, and the inner grouping's state.
    fn wrap_state(&self, inner: State) -> Result<State, GroupError> {
        State::new(OPERATION, &(self.seen, inner))
    }

    fn unwrap_state(&mut self, state: &State, _: &Device) -> Result<State, GroupError> {
        let (seen, inner): (u64, State) = state.read(OPERATION)?;
        self.seen = seen;
        Ok(inner)
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Tensor;

    use super::*;
    use crate::groupings::labels::Labels;

    #[test]
    fn one_group_first_and_the_other_grouping_then() {
        let losses = Tensor::from_floats([1.0, 2.0, 3.0], &Device::flex());
        let labels = [Some(0), Some(1), Some(0)];
        let draw = Draw::new(&losses).with_labels(&labels);
        let mut after = After::new(2, Labels::new(2));
        for _ in 0..2 {
            assert_eq!(after.needs(), Needs::Nothing);
            assert_eq!(after.group(&draw).unwrap().num_groups(), 1);
        }
        assert_eq!(after.needs(), Needs::Labels);
        assert_eq!(after.group(&draw).unwrap().assignment(), Some(&labels[..]));

        let mut again = After::new(2, Labels::new(2));
        again
            .restore(&after.state().unwrap(), &Device::flex())
            .unwrap();
        assert_eq!(again.group(&draw).unwrap().num_groups(), 2);
        assert!(again.restore(&State::none(), &Device::flex()).is_err());
    }
}
