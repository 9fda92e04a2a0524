//! A grouping whose type is known at run time alone.

use burn::tensor::Device;
use gradual_grad::ExampleGradients;

use super::Grouping;
use super::draw::Draw;
use super::groups::Groups;
use super::look::Look;
use super::needs::Needs;
use super::standing::Standing;
use super::state::State;
use crate::error::GroupError;

dyn_clone::clone_trait_object!(Grouping);

/// Whatever is in the box.
// A method that is added to the trait has to be passed on here.
#[deny(clippy::missing_trait_methods)]
impl Grouping for Box<dyn Grouping> {
    fn needs(&self) -> Needs {
        (**self).needs()
    }

    fn goes_with_lens(&self) -> bool {
        (**self).goes_with_lens()
    }

    fn looks_at(&self) -> Look {
        (**self).looks_at()
    }

    fn check(&self, examples: usize) -> Result<(), GroupError> {
        (**self).check(examples)
    }

    fn num_groups(&self, examples: usize) -> Option<usize> {
        (**self).num_groups(examples)
    }

    fn is_signed(&self) -> bool {
        (**self).is_signed()
    }

    fn keeps_identity(&self) -> bool {
        (**self).keeps_identity()
    }

    fn wants(&self) -> Option<Standing> {
        (**self).wants()
    }

    fn stand(&mut self, standing: &Draw<'_>) -> Result<(), GroupError> {
        (**self).stand(standing)
    }

    fn group(&mut self, draw: &Draw<'_>) -> Result<Groups, GroupError> {
        (**self).group(draw)
    }

    fn group_ahead(&mut self, draw: &Draw<'_>) -> Result<Groups, GroupError> {
        (**self).group_ahead(draw)
    }

    fn is_lasting(&self) -> bool {
        (**self).is_lasting()
    }

    fn regroup(
        &self,
        draw: &Draw<'_>,
        assignment: Vec<Option<usize>>,
    ) -> Result<Groups, GroupError> {
        (**self).regroup(draw, assignment)
    }

    fn seen(&self, gradients: &ExampleGradients) -> Result<ExampleGradients, GroupError> {
        (**self).seen(gradients)
    }

    fn state(&self) -> Result<State, GroupError> {
        (**self).state()
    }

    fn restore(&mut self, state: &State, device: &Device) -> Result<(), GroupError> {
        (**self).restore(state, device)
    }
}
