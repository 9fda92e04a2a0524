//! Some groups matter more.

use burn::tensor::Device;

use crate::error::GroupError;
use crate::grouping::draw::Draw;
use crate::grouping::groups::Groups;
use crate::grouping::standing::Standing;
use crate::grouping::state::State;
use crate::grouping::{Grouping, Needs};

impl Groups {
    /// The same groups with their weights multiplied by `priors` `[k]`: s_g ← π_g s_g.
    ///
    /// # Errors
    ///
    /// [`GroupError::Weights`] unless there is one prior per group, [`GroupError::Prior`] for one
    /// that is negative or not finite, [`GroupError::Signed`] for [signed](Self::is_signed) groups.
    pub fn with_priors(self, priors: &[f32]) -> Result<Self, GroupError> {
        if self.is_signed() {
            return Err(GroupError::Signed {
                operation: "priors",
            });
        }
        let k = self.count();
        if priors.len() != k {
            return Err(GroupError::Weights {
                membership: k,
                weights: priors.len(),
            });
        }
        checked(priors)?;
        let priors: Vec<f64> = priors.iter().copied().map(f64::from).collect();
        Ok(self.weighed(&priors))
    }
}

fn checked(priors: &[f32]) -> Result<(), GroupError> {
    let fine = |prior: &f32| prior.is_finite() && *prior >= 0.0;
    match priors.iter().position(|prior| !fine(prior)) {
        None => Ok(()),
        Some(group) => Err(GroupError::Prior {
            group,
            got: priors[group],
        }),
    }
}

/// A grouping whose groups get fixed weights: s_g ← π_g s_g in every draw.
///
/// In `Σ_g s_g ℓ̄_g²` a group of prior 2 counts as much as two groups; one of prior 0 has no part.
/// For groupings whose groups keep their identity from draw to draw, as labels do.
#[derive(Debug, Clone)]
pub struct Priors<G> {
    grouping: G,
    priors: Vec<f32>,
}

impl<G: Grouping> Priors<G> {
    /// The groups of `grouping` with one prior each.
    ///
    /// # Errors
    ///
    /// [`GroupError::Prior`] for a prior that is negative or not finite.
    pub fn new(grouping: G, priors: Vec<f32>) -> Result<Self, GroupError> {
        checked(&priors)?;
        Ok(Self { grouping, priors })
    }
}

impl<G: Grouping> Grouping for Priors<G> {
    fn needs(&self) -> Needs {
        self.grouping.needs()
    }

    fn check(&self, examples: usize) -> Result<(), GroupError> {
        self.grouping.check(examples)
    }

    fn wants(&self) -> Option<Standing> {
        self.grouping.wants()
    }

    fn stand(&mut self, standing: &Draw<'_>) -> Result<(), GroupError> {
        self.grouping.stand(standing)
    }

    fn group(&mut self, draw: &Draw<'_>) -> Result<Groups, GroupError> {
        self.grouping.group(draw)?.with_priors(&self.priors)
    }

    fn group_ahead(&mut self, draw: &Draw<'_>) -> Result<Groups, GroupError> {
        self.grouping.group_ahead(draw)?.with_priors(&self.priors)
    }

    /// That of the inner grouping.
    fn state(&self) -> Result<State, GroupError> {
        self.grouping.state()
    }

    fn restore(&mut self, state: &State, device: &Device) -> Result<(), GroupError> {
        self.grouping.restore(state, device)
    }
}
