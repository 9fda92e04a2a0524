//! The rule that yields groups, what it may look at, and what it yields.

pub(crate) mod churn;
pub(crate) mod draw;
pub(crate) mod groups;
pub(crate) mod standing;
pub(crate) mod state;
pub(crate) mod unread;

use burn::tensor::Device;

use crate::error::GroupError;
use draw::Draw;
use groups::Groups;
use standing::Standing;
use state::State;

/// What a grouping has to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Only the number of examples.
    Nothing,
    /// The label of every example.
    Labels,
    /// The gradient of every example.
    Gradients,
}

/// A rule that yields groups for a draw. It may keep state from draw to draw.
pub trait Grouping: Send {
    /// What [`group`](Self::group) has to be shown. A step that shows no gradients costs no more
    /// than an ordinary step.
    fn needs(&self) -> Needs;

    /// Whether these settings go with draws of `examples` examples, or with as many standing ones as are asked for: a
    /// run asks before it starts, so that it does not fail at its first step.
    ///
    /// What gradients turn out to be can't be known before. With fewer distinct ones in a draw than groups asked for,
    /// groups stay empty, with weight 0.
    ///
    /// # Errors
    ///
    /// [`GroupError::TooManyGroups`] for more groups than examples, [`GroupError::NoGroups`] for none.
    fn check(&self, examples: usize) -> Result<(), GroupError> {
        let _ = examples;
        Ok(())
    }

    /// Which standing examples [`stand`](Self::stand) has to be shown before the next
    /// [`group`](Self::group), if any.
    fn wants(&self) -> Option<Standing> {
        None
    }

    /// Shows the standing examples, with their gradients under the current model, in the same order
    /// every time.
    ///
    /// # Errors
    ///
    /// [`GroupError`] when they do not fit what was asked for.
    fn stand(&mut self, standing: &Draw<'_>) -> Result<(), GroupError> {
        let _ = standing;
        Ok(())
    }

    /// Groups the examples of `draw`.
    ///
    /// # Errors
    ///
    /// [`GroupError`] when the draw is empty, lacks what [`needs`](Self::needs) asks for, or does
    /// not fit the grouping's settings.
    fn group(&mut self, draw: &Draw<'_>) -> Result<Groups, GroupError>;

    /// [`group`](Self::group) without waiting for the device, for groupings that can do so: memberships are there, but
    /// the host may not know them yet ([`Groups::unread`]). A step groups by this, and reads who is where together with
    /// the losses.
    ///
    /// # Errors
    ///
    /// Those of [`group`](Self::group), but for gradients with NaN or infinity, which are found by
    /// [`Groups::settled`].
    fn group_ahead(&mut self, draw: &Draw<'_>) -> Result<Groups, GroupError> {
        self.group(draw)
    }

    /// What the grouping has learned from the draws so far, its place in its random numbers included:
    /// with equal settings and this state, another one goes on to the same groups, bit for bit. A
    /// grouping that learns from draw to draw must write this and [`restore`](Self::restore), or a run
    /// that is resumed differs from one that never stopped.
    ///
    /// # Errors
    ///
    /// [`GroupError::State`] and [`GroupError::Read`] when it can't be written down.
    fn state(&self) -> Result<State, GroupError> {
        Ok(State::none())
    }

    /// Goes back to a state that [`state`](Self::state) gave under the same settings; tensors go to
    /// `device`.
    ///
    /// # Errors
    ///
    /// [`GroupError::State`] for what is no state of this grouping, which is then as it was.
    fn restore(&mut self, state: &State, device: &Device) -> Result<(), GroupError> {
        let _ = device;
        state.expect_none("grouping")
    }
}
