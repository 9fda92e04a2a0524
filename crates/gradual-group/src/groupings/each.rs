//! Every example on its own.

use burn::tensor::{Tensor, TensorCreationOptions};
use gradual_registry::Entry;

use crate::error::GroupError;
use crate::grouping::Grouping;
use crate::grouping::context::GroupingContext;
use crate::grouping::draw::Draw;
use crate::grouping::groups::Groups;
use crate::grouping::needs::Needs;

/// In the [registry](crate::registry).
pub(crate) static ENTRY: Entry<GroupingContext, Box<dyn Grouping>> = Entry {
    name: "each-example",
    about: "every example its own group, for compositions of single examples",
    facts: &[
        ("grouping", "[`EachExample`]"),
        ("needs", "nothing"),
        ("cost per draw of n", "n²"),
        ("use it", "for compositions of single examples"),
    ],
    parameters: &[],
    build: |_, _| Ok(Box::new(EachExample)),
};

/// Every example its own group, of weight 1/n.
///
/// A composition over it is one over examples: the mean of squared losses, the focal loss, the
/// worst fraction of the examples. Group j of one draw has nothing to do with group j of the next,
/// so it does not go with compositions that remember groups.
///
/// The membership matrix is the identity, n² numbers.
#[derive(Debug, Clone, Copy, Default)]
pub struct EachExample;

impl Groups {
    /// Every example its own group: M = 1 `[n, n]`, s = 1/n; on a device, or with
    /// [`Draw::options`] in the precision of a draw.
    ///
    /// # Errors
    ///
    /// [`GroupError::EmptyDraw`] without examples.
    pub fn each(
        examples: usize,
        options: impl Into<TensorCreationOptions>,
    ) -> Result<Self, GroupError> {
        if examples == 0 {
            return Err(GroupError::EmptyDraw {
                operation: "each example",
            });
        }
        let options = options.into();
        let membership = Tensor::<2>::eye(examples, &options.device);
        let weights = Tensor::full([examples], 1.0 / examples as f64, options);
        let membership = membership.cast(weights.dtype());
        Ok(Self::from_parts(membership, weights, vec![1.0; examples]))
    }
}

impl Grouping for EachExample {
    fn needs(&self) -> Needs {
        Needs::Nothing
    }

    fn check(&self, examples: usize) -> Result<(), GroupError> {
        GroupError::groups("each example", examples, examples)
    }

    fn num_groups(&self, examples: usize) -> Option<usize> {
        Some(examples)
    }

    fn keeps_identity(&self) -> bool {
        false
    }

    fn group(&mut self, draw: &Draw<'_>) -> Result<Groups, GroupError> {
        Groups::each(draw.nonempty("each example")?, draw.options())
    }
}
