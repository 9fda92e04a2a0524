//! Fixed weights for groups.

use gradual_registry::{Entry, Parameter};

use crate::error::GroupError;
use crate::grouping::Grouping;
use crate::grouping::context::GroupingContext;
use crate::grouping::draw::Draw;
use crate::grouping::groups::Groups;
use crate::grouping::look::Look;
use crate::wrappers::wrapper::{GroupBy, Wrapper};

/// In the [registry](crate::registry).
pub(crate) static ENTRY: Entry<(GroupingContext, Box<dyn Grouping>), Box<dyn Grouping>> = Entry {
    name: "priors",
    about: "fixed weights of the groups, by which theirs are multiplied",
    facts: &[
        ("wrapper", "[`Priors`]"),
        ("needs more", "nothing"),
        ("cost", "k"),
        ("use it", "to weigh its groups"),
    ],
    parameters: &[Parameter::numbers("weights", "the weight of each group").at_least(0.0)],
    build: |arguments, (_, inner)| {
        let weights = arguments.numbers("weights")?.to_vec();
        Ok(Box::new(Priors::new(inner, weights)?))
    },
};

impl Groups {
    /// The same groups with their weights multiplied by `priors` `[k]`: s_g ← π_g s_g.
    ///
    /// # Errors
    ///
    /// [`GroupError::Priors`] unless there is one prior per group, [`GroupError::Prior`] for one
    /// that is negative or not finite, [`GroupError::Signed`] for [signed](Self::is_signed) groups.
    pub fn with_priors(self, priors: &[f64]) -> Result<Self, GroupError> {
        if self.is_signed() {
            return Err(GroupError::Signed {
                operation: "priors",
            });
        }
        let k = self.num_groups();
        if priors.len() != k {
            return Err(GroupError::Priors {
                weights: priors.len(),
                groups: k,
            });
        }
        checked(priors)?;
        Ok(self.weighed(priors))
    }
}

fn checked(priors: &[f64]) -> Result<(), GroupError> {
    if priors.is_empty() {
        let problem = "no weight is given; give one for each group";
        return Err(GroupError::other("priors", problem));
    }
    let fine = |prior: &f64| prior.is_finite() && *prior >= 0.0;
    match priors.iter().position(|prior| !fine(prior)) {
        None if priors.iter().all(|prior| *prior == 0.0) => Err(GroupError::other(
            "priors",
            "all of them are 0, so that no group would count",
        )),
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
    inner: G,
    priors: Vec<f64>,
}

impl<G: Grouping> Priors<G> {
    /// The groups of `inner` with one prior each.
    ///
    /// # Errors
    ///
    /// [`GroupError::Prior`] for a prior that is negative or not finite, [`GroupError::Other`] where all are 0.
    pub fn new(inner: G, priors: Vec<f64>) -> Result<Self, GroupError> {
        checked(&priors)?;
        Ok(Self { inner, priors })
    }
}

/// The state is that of the inner grouping.
impl<G: Grouping + Clone> Wrapper for Priors<G> {
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

    fn wrap_check(&self, examples: usize) -> Result<(), GroupError> {
        if self.inner.is_signed() {
            return Err(GroupError::Signed {
                operation: "priors",
            });
        }
        match self.inner.num_groups(examples) {
            Some(groups) if groups != self.priors.len() => Err(GroupError::Priors {
                weights: self.priors.len(),
                groups,
            }),
            Some(_) if self.inner.keeps_identity() => Ok(()),
            _ => Err(GroupError::PriorsOfUnknown {
                weights: self.priors.len(),
            }),
        }
    }

    fn wrap_group(&mut self, draw: &Draw<'_>, group: GroupBy<G>) -> Result<Groups, GroupError> {
        group(&mut self.inner, draw)?.with_priors(&self.priors)
    }
}
