//! Groups that can't be learned weigh less.

use burn::tensor::{Device, Tensor};
use gradual_registry::{Entry, Parameter};
use serde::{Deserialize, Serialize};

use crate::error::GroupError;
use crate::grouping::Grouping;
use crate::grouping::context::GroupingContext;
use crate::grouping::draw::Draw;
use crate::grouping::groups::Groups;
use crate::grouping::look::Look;
use crate::grouping::state::State;
use crate::parameters;
use crate::read::host_together;
use crate::wrappers::wrapper::{GroupBy, Wrapper};

const OPERATION: &str = "damped groups";

/// In the [registry](crate::registry).
pub(crate) static ENTRY: Entry<(GroupingContext, Box<dyn Grouping>), Box<dyn Grouping>> = Entry {
    name: "damped",
    about: "groups whose loss stands still while that of others moves weigh less",
    facts: &[
        ("wrapper", "[`Damped`]"),
        ("needs more", "nothing"),
        ("cost", "k n"),
        (
            "use it",
            "so that groups that can't be learned don't hold the weight",
        ),
    ],
    parameters: &[
        Parameter::number(
            "memory",
            "how much of a group's mean loss a draw leaves",
            0.99,
        )
        .at_least(0.0)
        .below(1.0),
        Parameter::count(
            "patience",
            "draws without a move until a group is damped",
            500,
        )
        .at_least(1.0)
        .at_most(parameters::MANY_DRAWS),
        Parameter::number(
            "least_move",
            "least relative change of a mean loss that is a move",
            0.05,
        )
        .at_least(0.0)
        .at_most(1.0),
        Parameter::number("floor", "least factor of a damped group", 0.05)
            .at_least(0.0)
            .at_most(1.0),
    ],
    build: |arguments, (_, inner)| {
        let damped = Damped::new(inner)
            .with_memory(arguments.number("memory")?)?
            .with_patience(u64::try_from(arguments.count("patience")?)?)?
            .with_least_move(arguments.number("least_move")?)?
            .with_floor(arguments.number("floor")?)?;
        Ok(Box::new(damped))
    },
};

/// Lowers the weight of groups whose loss stands still while that of others moves.
///
/// # The idea
///
/// A group that can't be learned, such as one of random labels, keeps its loss, and a loss that favours the worst
/// group keeps its weight on it for ever. What distinguishes it is a loss that does not respond to training. So each
/// group has a clock, and a group whose clock has run out
/// weighs less:
///
/// 1. m_g is the exponential mean of the group's losses over about 1/(1 − `memory`) draws.
/// 2. A group *moves* when m_g leaves the range from (1 − `least`) to (1 + `least`) times its mark,
///    up or down. Then m_g is its new mark, and its clock t_g is 0. The first mark is set when as
///    many draws were seen as the mean holds.
/// 3. In any other draw t_g grows by one, but only within `patience` draws of a move of any group:
///    where nothing moves, as on the plateau at the start, no group stands out.
/// 4. s_g ← d_g s_g with d_g = max(`floor`, 2^−max(0, t_g − `patience`)/`patience`): untouched for
///    `patience` draws, then halved every `patience` draws.
///
/// A damped group still has the share `floor`, and a single move gives it back its whole weight.
///
/// # When to use it
///
/// With groups that keep their identity, some of which may hold noise only. `patience` has to be
/// longer than the time that the slowest capability that counts takes from the first move of any
/// other to its own. Where reference losses are known, `gradual_loss::ExcessLoss` needs no
/// patience. Where groups have [identities](Groups::identities), a new one starts with a new clock.
/// Costs 2k numbers copied to the host per draw.
#[derive(Debug, Clone)]
pub struct Damped<G> {
    inner: G,
    memory: f64,
    patience: u64,
    least: f64,
    floor: f64,
    clocks: Clocks,
}

/// What is remembered of the groups.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Clocks {
    groups: Vec<Clock>,
    /// Draws since any group moved.
    since_move: Option<u64>,
}

/// What is remembered of one group.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Clock {
    identity: Option<u64>,
    /// Sum and weight of the exponential mean, and how many draws it has seen.
    sum: f64,
    weight: f64,
    draws: u64,
    mark: Option<f64>,
    still: u64,
}

impl<G: Grouping> Damped<G> {
    /// The groups of `inner`, damped with a memory of 0.99, a patience of 500 draws, moves of 5 %
    /// and a floor of 5 %.
    pub fn new(inner: G) -> Self {
        Self {
            inner,
            memory: 0.99,
            patience: 500,
            least: 0.05,
            floor: 0.05,
            clocks: Clocks::default(),
        }
    }

    /// How much of a group's mean loss a new draw leaves, 0 to below 1.
    ///
    /// # Errors
    ///
    /// [`GroupError::Parameter`] for any other memory.
    pub fn with_memory(self, memory: f64) -> Result<Self, GroupError> {
        match (0.0..1.0).contains(&memory) {
            true => Ok(Self { memory, ..self }),
            false => Err(GroupError::Parameter {
                operation: OPERATION,
                parameter: "the memory",
                expected: "from 0 to below 1",
                got: memory,
            }),
        }
    }

    /// After how many draws without a move a group is damped.
    ///
    /// # Errors
    ///
    /// [`GroupError::Parameter`] for none.
    pub fn with_patience(self, draws: u64) -> Result<Self, GroupError> {
        match draws {
            0 => Err(GroupError::Parameter {
                operation: OPERATION,
                parameter: "the patience",
                expected: "at least 1",
                got: 0.0,
            }),
            patience => Ok(Self { patience, ..self }),
        }
    }

    /// The least relative change of a mean loss that is a move: several times what its noise is.
    ///
    /// # Errors
    ///
    /// [`GroupError::Parameter`] unless from 0 to 1.
    pub fn with_least_move(self, least: f64) -> Result<Self, GroupError> {
        let least = GroupError::share(OPERATION, "the least move", least)?;
        Ok(Self { least, ..self })
    }

    /// The least factor of a damped group. 0 gives it up for good: untrained it won't move again.
    ///
    /// # Errors
    ///
    /// [`GroupError::Parameter`] unless from 0 to 1.
    pub fn with_floor(self, floor: f64) -> Result<Self, GroupError> {
        let floor = GroupError::share(OPERATION, "the floor", floor)?;
        Ok(Self { floor, ..self })
    }

    /// The factors d `[k]` that the last draw's weights were multiplied by.
    pub fn factors(&self) -> Vec<f64> {
        let patience = self.patience as f64;
        let factor = |clock: &Clock| {
            let over = clock.still.saturating_sub(self.patience) as f64;
            (-over / patience).exp2().max(self.floor)
        };
        self.clocks.groups.iter().map(factor).collect()
    }

    /// Takes in the losses of the groups that are present.
    fn observe(
        &self,
        groups: &Groups,
        losses: &[f32],
        weights: &[f32],
    ) -> Result<Clocks, GroupError> {
        let mut clocks = self.clocks.clone();
        clocks.groups.resize(groups.num_groups(), Clock::default());
        let present = || (0..groups.num_groups()).filter(|&group| weights[group] > 0.0);
        if let Some(group) = present().find(|&group| !losses[group].is_finite()) {
            return Err(GroupError::Loss {
                operation: OPERATION,
                group,
                got: losses[group],
            });
        }
        for (clock, &identity) in clocks.groups.iter_mut().zip(groups.identities()) {
            if clock.identity != Some(identity) {
                *clock = Clock {
                    identity: Some(identity),
                    ..Clock::default()
                };
            }
        }
        let moved: Vec<usize> = present()
            .filter(|&group| clocks.groups[group].moves(losses[group], self.memory, self.least))
            .collect();
        clocks.since_move = match moved.is_empty() {
            true => clocks.since_move.map(|draws| draws.saturating_add(1)),
            false => Some(0),
        };
        let moving = clocks.since_move.is_some_and(|draws| draws < self.patience);
        for group in present() {
            let clock = &mut clocks.groups[group];
            if moving && clock.mark.is_some() && !moved.contains(&group) {
                clock.still = clock.still.saturating_add(1);
            }
        }
        Ok(clocks)
    }
}

impl Clock {
    /// Takes in a loss and says whether the group moved.
    fn moves(&mut self, loss: f32, memory: f64, least: f64) -> bool {
        self.sum = memory * self.sum + f64::from(loss);
        self.weight = memory * self.weight + 1.0;
        self.draws = self.draws.saturating_add(1);
        let mean = self.sum / self.weight;
        match self.mark {
            Some(mark) if (mean - mark).abs() > least * mark.abs() => {
                self.mark = Some(mean);
                self.still = 0;
                true
            }
            None if self.draws as f64 * (1.0 - memory) >= 1.0 - 1e-9 => {
                self.mark = Some(mean);
                false
            }
            _ => false,
        }
    }
}

impl<G: Grouping + Clone> Wrapper for Damped<G> {
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

    fn wrap_check(&self, _: usize) -> Result<(), GroupError> {
        let operation = OPERATION;
        match (self.inner.is_signed(), self.inner.keeps_identity()) {
            (true, _) => Err(GroupError::Signed { operation }),
            (false, false) => Err(GroupError::Anew { operation }),
            (false, true) => Ok(()),
        }
    }

    fn wrap_group(&mut self, draw: &Draw<'_>, group: GroupBy<G>) -> Result<Groups, GroupError> {
        let groups = group(&mut self.inner, draw)?;
        if groups.is_signed() {
            return Err(GroupError::Signed {
                operation: OPERATION,
            });
        }
        let losses = groups.losses(draw.losses().clone().inner());
        // Who is where may be on the device still: then it is read together with the losses.
        let unread = groups
            .unread()
            .unwrap_or_else(|| Tensor::zeros([0], &draw.device()));
        let read = [losses, groups.weights().clone(), unread];
        let [losses, weights, unread] = host_together(OPERATION, read)?;
        let groups = groups.settled(&unread)?;
        self.clocks = self.observe(&groups, &losses, &weights)?;
        Ok(groups.weighed(&self.factors()))
    }

    /// The groups' mean losses and clocks, and the inner grouping's state.
    fn wrap_state(&self, inner: State) -> Result<State, GroupError> {
        State::new(OPERATION, &(&self.clocks, inner))
    }

    fn unwrap_state(&mut self, state: &State, _: &Device) -> Result<State, GroupError> {
        let (clocks, inner): (Clocks, State) = state.read(OPERATION)?;
        self.clocks = clocks;
        Ok(inner)
    }
}
