//! Groups that keep their numbers from draw to draw.

use std::collections::BTreeSet;

use burn::tensor::Device;
use gradual_grad::{ExampleGradients, GradError, GradientsRecord};
use gradual_registry::Entry;
use serde::{Deserialize, Serialize};

use crate::clustering::cosines::{cosines, cross_cosines};
use crate::clustering::similarity::{Similarity, SimilarityMatrix};
use crate::error::GroupError;
use crate::grouping::Grouping;
use crate::grouping::context::GroupingContext;
use crate::grouping::draw::Draw;
use crate::grouping::groups::Groups;
use crate::grouping::look::Look;
use crate::grouping::needs::Needs;
use crate::grouping::state::State;
use crate::over_time::identities::Identities;
use crate::over_time::matching::follow;
use crate::parameters;
use crate::wrappers::wrapper::{GroupBy, Wrapper};

const OPERATION: &str = "tracked groups";

/// In the [registry](crate::registry).
pub(crate) static ENTRY: Entry<(GroupingContext, Box<dyn Grouping>), Box<dyn Grouping>> = Entry {
    name: "tracked",
    about: "groups keep their numbers from draw to draw",
    facts: &[
        ("wrapper", "[`Tracked`]"),
        ("needs more", "gradients"),
        ("cost", "two more Gram matrices"),
        (
            "use it",
            "so that groups keep their numbers from draw to draw",
        ),
    ],
    parameters: &[parameters::SIMILARITY],
    build: |arguments, (_, inner)| {
        let tracked = Tracked::new(inner);
        Ok(Box::new(
            tracked.with_similarity(parameters::similarity(arguments)?),
        ))
    },
};

/// Gives the hard groups of another grouping an identity over time.
///
/// # The idea
///
/// Clusters are formed anew in every draw, from other examples, and come out in any order. But the
/// gradients of two draws can be compared: each example of the new draw belongs, as far as the old
/// groups go, to the one whose examples its gradient is most alike to (largest mean similarity). It
/// must be nearer in similarity to what the examples of that group have among themselves than to what
/// they have with all others; else it belongs to no old group. That makes two groupings of one draw,
/// and the new groups take the numbers of those that they share most examples with ([`follow`]).
///
/// # Steps and cost
///
/// The inner grouping; two more Gram matrices, of the draw and of it with the previous one; n²
/// operations and one matching. The previous draw's gradients are kept in factored form.
///
/// # When to use it
///
/// With a composition that keeps something for each group (running means, group DRO), and to see how
/// groups come and go: [`Groups::identities`] and [`Groups::churn`] tell. The previous gradients were
/// taken under the previous parameters; with draws far apart groups are lost that a grouping with
/// standing examples would keep. Soft groups pass through as they are. Group weights are made anew,
/// and groups that come and go can't have [`Priors`](crate::Priors).
#[derive(Debug, Clone)]
pub struct Tracked<G> {
    inner: G,
    similarity: Similarity,
    previous: Option<PreviousDraw>,
    identities: Identities,
}

/// The previous draw.
#[derive(Debug, Clone)]
struct PreviousDraw {
    gradients: ExampleGradients,
    assignment: Vec<Option<usize>>,
    /// The least mean similarity to a group, for each group, that makes an example one of it.
    least: Vec<f64>,
}

impl<G: Grouping> Tracked<G> {
    /// Follows the groups of `inner`, by squared cosines.
    pub fn new(inner: G) -> Self {
        Self {
            inner,
            similarity: Similarity::default(),
            previous: None,
            identities: Identities::default(),
        }
    }

    /// Follows groups by another reading of cosines.
    #[must_use]
    pub fn with_similarity(self, similarity: Similarity) -> Self {
        Self { similarity, ..self }
    }
}

impl<G: Grouping + Clone> Wrapper for Tracked<G> {
    type Inner = G;

    fn inner(&self) -> &G {
        &self.inner
    }

    fn inner_mut(&mut self) -> &mut G {
        &mut self.inner
    }

    fn wrap_identity(&self, _: bool) -> bool {
        true
    }

    fn wrap_look(&self, inner: Look) -> Look {
        inner.max(Look::Vectors)
    }

    /// A group that is lost keeps its number, and a new one gets its own.
    fn wrap_num_groups(&self, _: Option<usize>) -> Option<usize> {
        None
    }

    /// Gradients, whatever the inner grouping needs.
    fn wrap_needs(&self, inner: Needs) -> Needs {
        inner.and(Needs::Gradients)
    }

    fn wrap_group(&mut self, draw: &Draw<'_>, group: GroupBy<G>) -> Result<Groups, GroupError> {
        let gradients = draw.gradients(OPERATION)?;
        let groups = group(&mut self.inner, draw)?.known_now()?;
        let Some(next) = groups.assignment() else {
            return Ok(groups);
        };
        let (assignment, churn, fresh) = match &self.previous {
            None => (next.to_vec(), None, BTreeSet::new()),
            Some(previous) => {
                let cosines = cross_cosines(OPERATION, gradients, &previous.gradients)?;
                let expected = previous.nearest(&cosines, self.similarity);
                let followed = follow(&expected, next);
                let fresh: BTreeSet<usize> = followed.fresh.iter().copied().collect();
                let alive = numbers(&followed.assignment);
                let mut churn = followed.churn;
                // An old group that no example of this draw is near to is dead as well.
                churn.deaths = numbers(&previous.assignment)
                    .iter()
                    .filter(|&old| !alive.contains(old) || fresh.contains(old))
                    .count();
                (followed.assignment, Some(churn), fresh)
            }
        };
        let most = numbers(&assignment).last().map_or(0, |most| most + 1);
        let count = groups.num_groups().max(most);
        let groups = groups.renumbered(assignment.clone(), count)?;
        let groups = match churn {
            None => groups,
            Some(churn) => groups.with_churn(churn),
        };
        let similarities = cosines(OPERATION, draw)?.similarity(self.similarity);
        self.previous = Some(PreviousDraw {
            gradients: gradients.clone(),
            least: halfway(&similarities, &assignment, count),
            assignment,
        });
        self.identities.renew(count, &fresh);
        Ok(groups.with_identities(self.identities.current(count)))
    }

    /// The previous draw, the identities and the inner grouping's state.
    fn wrap_state(&self, inner: State) -> Result<State, GroupError> {
        let previous = self.previous.as_ref().map(PreviousDraw::record);
        let record = TrackedRecord {
            previous: previous
                .transpose()
                .map_err(GroupError::gradients(OPERATION))?,
            identities: self.identities.clone(),
            inner,
        };
        State::new(OPERATION, &record)
    }

    fn unwrap_state(&mut self, state: &State, device: &Device) -> Result<State, GroupError> {
        let record: TrackedRecord = state.read(OPERATION)?;
        let previous = record.previous.map(|previous| previous.restored(device));
        self.previous = previous.transpose()?;
        self.identities = record.identities;
        Ok(record.inner)
    }
}

/// [`Tracked`] as plain data.
#[derive(Serialize, Deserialize)]
struct TrackedRecord {
    previous: Option<PreviousDrawRecord>,
    identities: Identities,
    inner: State,
}

#[derive(Serialize, Deserialize)]
struct PreviousDrawRecord {
    gradients: GradientsRecord,
    assignment: Vec<Option<usize>>,
    least: Vec<f64>,
}

impl PreviousDrawRecord {
    fn restored(self, device: &Device) -> Result<PreviousDraw, GroupError> {
        let gradients = ExampleGradients::restored(&self.gradients, device);
        let gradients = gradients.map_err(GroupError::gradients(OPERATION))?;
        let outside = |group: &usize| *group >= self.least.len();
        if self.assignment.len() != gradients.num_examples()
            || self.assignment.iter().flatten().any(outside)
        {
            return Err(GroupError::state(
                OPERATION,
                "not every example is of a known group",
            ));
        }
        Ok(PreviousDraw {
            gradients,
            assignment: self.assignment,
            least: self.least,
        })
    }
}

impl PreviousDraw {
    fn record(&self) -> Result<PreviousDrawRecord, GradError> {
        Ok(PreviousDrawRecord {
            gradients: self.gradients.record()?,
            assignment: self.assignment.clone(),
            least: self.least.clone(),
        })
    }

    /// For each new example the old group with the largest mean similarity, if that is enough.
    fn nearest(&self, cosines: &[f32], similarity: Similarity) -> Vec<Option<usize>> {
        let groups = self.least.len();
        let mut sizes = vec![0.0f64; groups];
        self.assignment
            .iter()
            .flatten()
            .for_each(|&group| sizes[group] += 1.0);
        let nearest = |row: &[f32]| {
            // A zero gradient is at cosine 0 to all, and so is hardly any other.
            if row.iter().all(|&cosine| cosine == 0.0) {
                return None;
            }
            let mut sums = vec![0.0f64; groups];
            for (&cosine, group) in row.iter().zip(&self.assignment) {
                if let Some(group) = *group {
                    sums[group] += f64::from(similarity.of(cosine)) / sizes[group];
                }
            }
            let filled = (0..groups).filter(|&group| sizes[group] > 0.0);
            filled
                .max_by(|&a, &b| sums[a].total_cmp(&sums[b]).then(b.cmp(&a)))
                .filter(|&group| sums[group] >= self.least[group])
        };
        cosines
            .chunks(self.assignment.len().max(1))
            .map(nearest)
            .collect()
    }
}

/// For each group the mean of two: the mean similarity between its examples (1 for a single one), and
/// that between them and the examples of other groups (0 if there are none).
fn halfway(
    similarities: &SimilarityMatrix,
    assignment: &[Option<usize>],
    groups: usize,
) -> Vec<f64> {
    // Sum and number of pairs, within and without.
    let mut pairs = vec![[(0.0f64, 0.0f64); 2]; groups];
    for (one, group) in assignment.iter().enumerate() {
        let Some(group) = *group else { continue };
        let row = similarities.row(one).iter().zip(assignment).enumerate();
        for (_, (&similarity, other)) in row.filter(|(other, _)| *other != one) {
            let Some(other) = *other else { continue };
            let (sum, number) = &mut pairs[group][usize::from(other != group)];
            *sum += f64::from(similarity);
            *number += 1.0;
        }
    }
    let mean = |(sum, number): (f64, f64), none: f64| match number > 0.0 {
        true => sum / number,
        false => none,
    };
    pairs
        .into_iter()
        .map(|[within, without]| (mean(within, 1.0) + mean(without, 0.0)) / 2.0)
        .collect()
}

/// The groups that have an example.
fn numbers(assignment: &[Option<usize>]) -> BTreeSet<usize> {
    assignment.iter().copied().flatten().collect()
}
