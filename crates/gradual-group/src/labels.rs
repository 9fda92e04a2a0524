//! Groups that somebody named.

use crate::{Average, Draw, GroupError, Grouping, Groups, Needs};

/// Groups by known label: example j belongs to group `labels[j]`, or to none.
///
/// Costs k·n operations. The mission's grouped loss, and the yardstick for groupings that have to
/// find the capabilities themselves.
#[derive(Debug, Clone)]
pub struct Labels {
    groups: usize,
    average: Average,
}

impl Labels {
    /// Labels `0..groups`; group losses are means.
    pub fn new(groups: usize) -> Self {
        Self {
            groups,
            average: Average::Mean,
        }
    }

    /// The same labels with another group loss.
    #[must_use]
    pub fn with_average(self, average: Average) -> Self {
        Self { average, ..self }
    }
}

impl Grouping for Labels {
    fn needs(&self) -> Needs {
        Needs::Labels
    }

    fn group(&mut self, draw: &Draw<'_>) -> Result<Groups, GroupError> {
        let labels = draw.labels("labels")?.to_vec();
        Groups::hard(labels, self.groups, self.average, &draw.device())
    }
}
