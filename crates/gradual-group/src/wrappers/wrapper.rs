//! A grouping around another one.

use burn::tensor::Device;
use gradual_grad::ExampleGradients;

use crate::error::GroupError;
use crate::grouping::Grouping;
use crate::grouping::draw::Draw;
use crate::grouping::groups::Groups;
use crate::grouping::look::Look;
use crate::grouping::needs::Needs;
use crate::grouping::standing::Standing;
use crate::grouping::state::State;

/// One of the two ways to group: [`Grouping::group`] or [`Grouping::group_ahead`].
pub type GroupBy<G> = fn(&mut G, &Draw<'_>) -> Result<Groups, GroupError>;

/// A grouping around another one, which says only what it changes.
///
/// Whatever implements this is a [`Grouping`]: every call is passed on to the inner grouping, by way of the method here
/// that has the call's name. [`wrap_group`](Self::wrap_group) stands for both ways to group, so that neither can be
/// forgotten. A call that fails, in the inner grouping or around it, leaves both as they were.
///
/// ```
/// use burn::tensor::{Device, Tensor};
/// use gradual_group::{Draw, GroupBy, GroupError, Grouping, Groups, Labels, State, Wrapper};
///
/// /// Says how many groups there were.
/// #[derive(Clone)]
/// struct Counted<G> {
///     inner: G,
///     groups: usize,
/// }
///
/// impl<G: Grouping + Clone> Wrapper for Counted<G> {
///     type Inner = G;
///
///     fn inner(&self) -> &G {
///         &self.inner
///     }
///
///     fn inner_mut(&mut self) -> &mut G {
///         &mut self.inner
///     }
///
///     fn wrap_group(&mut self, draw: &Draw<'_>, group: GroupBy<G>) -> Result<Groups, GroupError> {
///         let groups = group(&mut self.inner, draw)?;
///         self.groups += groups.num_groups();
///         Ok(groups)
///     }
///
///     fn wrap_state(&self, inner: State) -> Result<State, GroupError> {
///         State::new("counted", &(self.groups, inner))
///     }
///
///     fn unwrap_state(&mut self, state: &State, _: &Device) -> Result<State, GroupError> {
///         let inner;
///         (self.groups, inner) = state.read("counted")?;
///         Ok(inner)
///     }
/// }
///
/// let losses = Tensor::<1>::from_floats([1.0, 3.0], &Device::flex());
/// let mut counted = Counted { inner: Labels::new(2), groups: 0 };
/// counted.group_ahead(&Draw::new(&losses).with_labels(&[Some(0), Some(1)]))?;
/// assert_eq!(counted.groups, 2);
/// # Ok::<(), gradual_group::GroupError>(())
/// ```
pub trait Wrapper: Clone + Send {
    /// What is wrapped.
    type Inner: Grouping;

    /// What is wrapped.
    fn inner(&self) -> &Self::Inner;

    /// What is wrapped.
    fn inner_mut(&mut self) -> &mut Self::Inner;

    /// What both need, where the inner grouping needs `inner`: the same by default.
    fn wrap_needs(&self, inner: Needs) -> Needs {
        inner
    }

    /// How much of the gradients both look at, where the inner grouping looks at `inner`. All of them by default.
    fn wrap_look(&self, inner: Look) -> Look {
        inner.max(Look::Layers)
    }

    /// Whether the wrapper's own settings go with draws of `examples` examples. The inner grouping has been asked
    /// already.
    ///
    /// # Errors
    ///
    /// Whatever is wrong with them; nothing is by default.
    fn wrap_check(&self, examples: usize) -> Result<(), GroupError> {
        let _ = examples;
        Ok(())
    }

    /// The number of groups of every draw, where that of the inner grouping is `inner`: the same by default.
    fn wrap_num_groups(&self, inner: Option<usize>) -> Option<usize> {
        inner
    }

    /// Whether a group keeps its number from draw to draw, where those of the inner grouping do or do not: the same by default.
    fn wrap_identity(&self, inner: bool) -> bool {
        inner
    }

    /// What is to stand, where the inner grouping wants `inner`: the same by default.
    fn wrap_wants(&self, inner: Option<Standing>) -> Option<Standing> {
        inner
    }

    /// Shows the inner grouping the standing examples, as they are by default.
    ///
    /// # Errors
    ///
    /// Those of the inner grouping, and of what is done around it.
    fn wrap_stand(&mut self, standing: &Draw<'_>) -> Result<(), GroupError> {
        self.inner_mut().stand(standing)
    }

    /// Groups a draw, the inner grouping by `group`.
    ///
    /// # Errors
    ///
    /// Those of the inner grouping, and of what is done around it.
    fn wrap_group(
        &mut self,
        draw: &Draw<'_>,
        group: GroupBy<Self::Inner>,
    ) -> Result<Groups, GroupError>;

    /// Gradients as both compare them: as the inner grouping does by default.
    ///
    /// # Errors
    ///
    /// Those of the inner grouping, and of what is done around it.
    fn wrap_seen(&self, gradients: &ExampleGradients) -> Result<ExampleGradients, GroupError> {
        self.inner().seen(gradients)
    }

    /// The state of both, where that of the inner grouping is `inner`: the same by default, of a wrapper without state.
    ///
    /// # Errors
    ///
    /// [`GroupError::State`] and [`GroupError::Read`] when it can't be saved.
    fn wrap_state(&self, inner: State) -> Result<State, GroupError> {
        Ok(inner)
    }

    /// Goes back to the wrapper's own part of a state that [`wrap_state`](Self::wrap_state) made, and gives the inner
    /// grouping's part.
    ///
    /// # Errors
    ///
    /// [`GroupError::State`] for the state of another grouping.
    fn unwrap_state(&mut self, state: &State, device: &Device) -> Result<State, GroupError> {
        let _ = device;
        Ok(state.clone())
    }
}

/// Calls, and puts everything back if the call fails.
fn attempt<W: Wrapper, T>(
    wrapper: &mut W,
    call: impl FnOnce(&mut W) -> Result<T, GroupError>,
) -> Result<T, GroupError> {
    let before = wrapper.clone();
    let result = call(wrapper);
    if result.is_err() {
        *wrapper = before;
    }
    result
}

// A method that is added to the trait has to be passed on here.
#[deny(clippy::missing_trait_methods)]
impl<W: Wrapper> Grouping for W {
    fn needs(&self) -> Needs {
        self.wrap_needs(self.inner().needs())
    }

    fn goes_with_lens(&self) -> bool {
        self.inner().goes_with_lens() || self.needs().gradients()
    }

    fn looks_at(&self) -> Look {
        self.wrap_look(self.inner().looks_at())
    }

    fn check(&self, examples: usize) -> Result<(), GroupError> {
        self.inner().check(examples)?;
        self.wrap_check(examples)
    }

    fn num_groups(&self, examples: usize) -> Option<usize> {
        self.wrap_num_groups(self.inner().num_groups(examples))
    }

    fn is_signed(&self) -> bool {
        self.inner().is_signed()
    }

    fn keeps_identity(&self) -> bool {
        self.wrap_identity(self.inner().keeps_identity())
    }

    fn wants(&self) -> Option<Standing> {
        self.wrap_wants(self.inner().wants())
    }

    fn stand(&mut self, standing: &Draw<'_>) -> Result<(), GroupError> {
        attempt(self, |wrapper| wrapper.wrap_stand(standing))
    }

    fn group(&mut self, draw: &Draw<'_>) -> Result<Groups, GroupError> {
        attempt(self, |wrapper| wrapper.wrap_group(draw, W::Inner::group))
    }

    fn group_ahead(&mut self, draw: &Draw<'_>) -> Result<Groups, GroupError> {
        attempt(self, |wrapper| {
            wrapper.wrap_group(draw, W::Inner::group_ahead)
        })
    }

    /// What a wrapper does to groups may depend on the draw, or on those before it.
    fn is_lasting(&self) -> bool {
        false
    }

    /// Those of the inner grouping would lack what the wrapper does.
    fn regroup(&self, _: &Draw<'_>, _: Vec<Option<usize>>) -> Result<Groups, GroupError> {
        Err(GroupError::other(
            "regroup",
            "groups of a wrapper do not last",
        ))
    }

    fn seen(&self, gradients: &ExampleGradients) -> Result<ExampleGradients, GroupError> {
        self.wrap_seen(gradients)
    }

    fn state(&self) -> Result<State, GroupError> {
        self.wrap_state(self.inner().state()?)
    }

    fn restore(&mut self, state: &State, device: &Device) -> Result<(), GroupError> {
        attempt(self, |wrapper| {
            let inner = wrapper.unwrap_state(state, device)?;
            wrapper.inner_mut().restore(&inner, device)
        })
    }
}
