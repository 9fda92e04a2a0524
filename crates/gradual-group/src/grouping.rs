//! The rule that yields groups, what it may look at, and what it yields.
//!
//! # The order of calls
//!
//! A run calls the methods of a [`Grouping`] in this order.
//!
//! 1. Before it starts, [`check`](Grouping::check) with the number of examples that a draw will have. Settings that
//!    can't work are refused here, before any model is trained. A run that was stopped then calls
//!    [`restore`](Grouping::restore) with the [`State`] that it wrote down.
//! 2. Before each step, [`wants`](Grouping::wants), and [`stand`](Grouping::stand) with the examples that were asked
//!    for, until no more are: most groupings want none. [`Standing`] says which they are.
//! 3. In each step [`needs`](Grouping::needs), which decides whether per-example gradients are taken at all, and then
//!    [`group_ahead`](Grouping::group_ahead) with the step's [`Draw`]. It yields [`Groups`]. Where these are not known
//!    to the host yet, the step reads [`unread`](Groups::unread) together with the losses and calls
//!    [`settled`](Groups::settled). A loop of one's own may call [`group`](Grouping::group) instead, which waits for
//!    the device and is the same otherwise.
//! 4. At a checkpoint, [`state`](Grouping::state).
//!
//! What `needs` and `wants` answer may change from step to step, so both are asked every time. A call that fails leaves
//! the grouping as it was, so that the same call can be made again with another draw.

pub(crate) mod boxed;
pub(crate) mod churn;
pub(crate) mod context;
pub(crate) mod draw;
pub(crate) mod groups;
pub(crate) mod look;
pub(crate) mod needs;
pub(crate) mod standing;
pub(crate) mod state;
pub(crate) mod unread;

use burn::tensor::Device;
use dyn_clone::DynClone;
use gradual_grad::ExampleGradients;

use crate::error::GroupError;
use draw::Draw;
use groups::{Average, Groups};
use look::Look;
use needs::Needs;
use standing::Standing;
use state::State;

/// A rule that yields groups for a draw. It may keep state from draw to draw.
///
/// # A grouping of one's own
///
/// Two methods have to be written: [`needs`](Self::needs) and [`group`](Self::group). A grouping that learns from draw
/// to draw needs [`state`](Self::state) and [`restore`](Self::restore) as well. It is [`Clone`]: wrappers put back a
/// clone when a call fails. Errors of its own are [`GroupError::Other`]. `examples/own_grouping.rs` is one that
/// uses gradients, labels and state.
///
/// # The order of calls
///
/// [`check`](Self::check) before a run, [`wants`](Self::wants) and [`stand`](Self::stand) before each step,
/// [`needs`](Self::needs) and [`group_ahead`](Self::group_ahead) in it, [`state`](Self::state) at a checkpoint,
/// [`restore`](Self::restore) when a stopped run is resumed. A call that fails leaves the grouping as it was.
pub trait Grouping: DynClone + Send {
    /// What [`group`](Self::group) has to be shown. A step that shows no gradients costs no more
    /// than an ordinary step.
    fn needs(&self) -> Needs;

    /// Whether it looks at the model, so that a [lens] makes a difference: at gradients, or at
    /// [losses as they are seen](Draw::seen_losses).
    ///
    /// [lens]: https://docs.rs/gradual-train/latest/gradual_train/lens/
    fn goes_with_lens(&self) -> bool {
        self.needs().gradients()
    }

    /// How much of the gradients it looks at. All of them by default, so that a grouping is never shown less than it may
    /// need.
    fn looks_at(&self) -> Look {
        Look::Layers
    }

    /// Whether these settings go with draws of `examples` examples, or with as many standing ones as are asked for: a
    /// run asks before it starts, so that it does not fail at its first step.
    ///
    /// The gradients are not known at that time. If a draw has fewer distinct gradients than groups, groups stay
    /// empty, with weight 0.
    ///
    /// # Errors
    ///
    /// [`GroupError::TooManyGroups`] for more groups than examples, [`GroupError::NoGroups`] for none.
    fn check(&self, examples: usize) -> Result<(), GroupError> {
        let _ = examples;
        Ok(())
    }

    /// The number of groups of every draw of `examples` examples, empty ones included, where it is known before the
    /// first draw. What is made for a number of groups is checked by it.
    fn num_groups(&self, examples: usize) -> Option<usize> {
        let _ = examples;
        None
    }

    /// Whether the groups of any draw will be [signed](Groups::is_signed), of which only the sum of squares is defined.
    fn is_signed(&self) -> bool {
        false
    }

    /// Whether a group of one draw is the group of that number in the next: what remembers groups from draw to draw needs
    /// it. Not so where groups are found anew in each draw. True by default.
    fn keeps_identity(&self) -> bool {
        true
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
    /// the host may not know them yet ([`Groups::unread`]). A step groups by this, and reads the assignment together
    /// with the losses.
    ///
    /// # Errors
    ///
    /// Those of [`group`](Self::group), but for gradients with NaN or infinity, which are found by
    /// [`Groups::settled`].
    fn group_ahead(&mut self, draw: &Draw<'_>) -> Result<Groups, GroupError> {
        self.group(draw)
    }

    /// Whether an example's group depends on its own gradient alone, and stays what it is as long as the gradient does: no
    /// other example of a draw has a say in it, and the grouping learns nothing from draws. Not so by default.
    ///
    /// A run that groups finite data under a frozen model then groups each example once, and
    /// [regroups](Self::regroup) it from there on.
    fn is_lasting(&self) -> bool {
        false
    }

    /// The groups of a draw whose examples have had these groups before, of a grouping that [lasts](Self::is_lasting). By
    /// default hard groups whose loss is a mean.
    ///
    /// # Errors
    ///
    /// [`GroupError::EmptyDraw`], and [`GroupError::LabelRange`] for a group that is none.
    fn regroup(
        &self,
        draw: &Draw<'_>,
        assignment: Vec<Option<usize>>,
    ) -> Result<Groups, GroupError> {
        let used = assignment.iter().flatten().max();
        let used = used.map_or(1, |last| last + 1);
        let groups = self.num_groups(assignment.len()).unwrap_or(used);
        Groups::hard(assignment, groups, Average::Mean, draw.options())
    }

    /// Gradients as this grouping compares them: in its metric, if it has one. They are as they are by default.
    ///
    /// For those who want to know which examples of a group are most alike to the others.
    ///
    /// # Errors
    ///
    /// [`GroupError::Gradients`] for gradients that the metric can't take.
    fn seen(&self, gradients: &ExampleGradients) -> Result<ExampleGradients, GroupError> {
        Ok(gradients.clone())
    }

    /// What the grouping has learned from the draws so far, its place in its random numbers included:
    /// with equal settings and this state, another one continues with the same groups, bit for bit. A
    /// grouping that learns from draw to draw must write this and [`restore`](Self::restore), or a run
    /// that is resumed differs from one that never stopped.
    ///
    /// # Errors
    ///
    /// [`GroupError::State`] and [`GroupError::Read`] when it can't be saved.
    fn state(&self) -> Result<State, GroupError> {
        Ok(State::none())
    }

    /// Restores a state that [`state`](Self::state) returned under the same settings; tensors go to
    /// `device`.
    ///
    /// # Errors
    ///
    /// [`GroupError::State`] for the state of another grouping, or of other settings. This one is then as it was.
    fn restore(&mut self, state: &State, device: &Device) -> Result<(), GroupError> {
        let _ = device;
        state.expect_none("grouping")
    }
}
