//! All examples together.

use crate::error::GroupError;
use crate::grouping::draw::Draw;
use crate::grouping::groups::Groups;
use crate::grouping::{Grouping, Needs};

/// All examples in one group: with the mean of group losses this is ERM.
#[derive(Debug, Clone, Copy, Default)]
pub struct OneGroup;

impl Grouping for OneGroup {
    fn needs(&self) -> Needs {
        Needs::Nothing
    }

    fn group(&mut self, draw: &Draw<'_>) -> Result<Groups, GroupError> {
        let n = draw.nonempty("one group")?;
        Ok(Groups::one(n, draw.options()))
    }
}
