//! A grouping that waits.

use burn::tensor::Device;

use crate::error::GroupError;
use crate::grouping::draw::Draw;
use crate::grouping::groups::Groups;
use crate::grouping::standing::Standing;
use crate::grouping::state::State;
use crate::grouping::{Grouping, Needs};
use crate::groupings::one_group::OneGroup;

/// One group for the first draws, so that a step is one of ERM, and another grouping from then on.
///
/// Fresh weights may not show the capabilities; a few steps of training before any is learned can be
/// enough that they do.
#[derive(Debug, Clone)]
pub struct After<G> {
    draws: u64,
    seen: u64,
    then: G,
}

impl<G: Grouping> After<G> {
    /// `then`, after so many draws.
    pub fn new(draws: u64, then: G) -> Self {
        Self {
            draws,
            seen: 0,
            then,
        }
    }

    fn waits(&self) -> bool {
        self.seen < self.draws
    }
}

impl<G: Grouping> Grouping for After<G> {
    fn needs(&self) -> Needs {
        match self.waits() {
            true => OneGroup.needs(),
            false => self.then.needs(),
        }
    }

    fn check(&self, examples: usize) -> Result<(), GroupError> {
        self.then.check(examples)
    }

    fn wants(&self) -> Option<Standing> {
        match self.waits() {
            true => None,
            false => self.then.wants(),
        }
    }

    fn stand(&mut self, standing: &Draw<'_>) -> Result<(), GroupError> {
        self.then.stand(standing)
    }

    fn group(&mut self, draw: &Draw<'_>) -> Result<Groups, GroupError> {
        if self.waits() {
            let groups = OneGroup.group(draw)?;
            self.seen += 1;
            return Ok(groups);
        }
        self.then.group(draw)
    }

    fn state(&self) -> Result<State, GroupError> {
        State::of("after", &(self.seen, self.then.state()?))
    }

    fn restore(&mut self, state: &State, device: &Device) -> Result<(), GroupError> {
        let (seen, then): (u64, State) = state.read("after")?;
        self.then.restore(&then, device)?;
        self.seen = seen;
        Ok(())
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
            assert_eq!(after.group(&draw).unwrap().count(), 1);
        }
        assert_eq!(after.needs(), Needs::Labels);
        assert_eq!(after.group(&draw).unwrap().assignment(), Some(&labels[..]));

        let mut again = After::new(2, Labels::new(2));
        again
            .restore(&after.state().unwrap(), &Device::flex())
            .unwrap();
        assert_eq!(again.group(&draw).unwrap().count(), 2);
        assert!(again.restore(&State::none(), &Device::flex()).is_err());
    }
}
