//! What `grouping-quality` needs to know of a task.

use gradual::prelude::*;
use gradual::train::{Drawn, Task, TrainError};

use super::cut::Cut;
use super::look::Look;

/// A task whose capabilities are known, and the representations of its model that are compared.
pub(crate) trait Subject {
    type Task: Task;

    /// What the report calls the task.
    const NAME: &'static str;

    fn task(&self) -> &Self::Task;

    /// Examples that are grouped.
    fn num_examples(&self) -> usize;

    /// Looks, and how each is cut.
    fn rows(&self) -> Vec<(Look, Vec<Cut>)>;

    /// Whether the rules for the number of groups are asked about a look.
    fn estimated(&self, look: &Look) -> bool;

    /// What groups are compared with, the capabilities first.
    fn known(&self, drawn: &Drawn<Batch<Self>>) -> Vec<Known>;

    /// Codes that announce capabilities, where each has several.
    fn aliases(&self, _drawn: &Drawn<Batch<Self>>) -> Option<Aliases> {
        None
    }

    /// What can be seen of the examples without any model.
    fn controls(&self, _drawn: &Drawn<Batch<Self>>) -> Result<Vec<Control>, TrainError> {
        Ok(Vec::new())
    }
}

/// The examples of a draw.
pub(crate) type Batch<S> = <<S as Subject>::Task as Task>::Batch;

/// A known grouping of the examples of a draw.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    /// What its groups are, such as `tasks`.
    pub(crate) against: &'static str,
    /// The group of each example.
    pub(crate) labels: Vec<Option<usize>>,
    /// How many there are.
    pub(crate) groups: usize,
    /// Their names; with names it is written down which of them share a found group.
    pub(crate) names: Vec<String>,
}

/// Examples of code c ask for the capability c / `each`.
#[derive(Debug, Clone)]
pub(crate) struct Aliases {
    pub(crate) codes: Vec<usize>,
    pub(crate) each: usize,
}

/// Features of the examples, seen as the gradients of a linear model of them.
pub(crate) struct Control {
    /// What the report calls them.
    pub(crate) name: &'static str,
    pub(crate) traced: Traced,
    /// Looks, and how each is cut.
    pub(crate) rows: Vec<(Look, Vec<Cut>)>,
}
