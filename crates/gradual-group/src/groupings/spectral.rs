//! Normalised spectral clustering of similarities.

use burn::tensor::Device;
use gradual_registry::{Arguments, BuildError, Entry};

use crate::clustering::cosines::Cosines;
use crate::clustering::partition::Partition;
use crate::clustering::similarity::{Similarity, SimilarityMatrix};
use crate::error::GroupError;
use crate::grouping::Grouping;
use crate::grouping::context::GroupingContext;
use crate::grouping::draw::Draw;
use crate::grouping::groups::{Average, Groups};
use crate::grouping::look::Look;
use crate::grouping::needs::Needs;
use crate::grouping::state::State;
use crate::groupings::search;
use crate::groupings::search::search_settings;
use crate::groupings::search::{ClusterSearch, Clusters};
use crate::how_many::HowMany;
use crate::parameters;
use crate::wrappers::in_metric::in_metric;

const OPERATION: &str = "spectral";

/// In the [registry](crate::registry).
pub(crate) static ENTRY: Entry<GroupingContext, Box<dyn Grouping>> = Entry {
    name: "spectral",
    about: "spectral clusters of the similarities of gradients, found anew in every draw",
    facts: &[
        ("grouping", "[`Spectral`]"),
        ("needs", "gradients"),
        (
            "cost per draw of n",
            "Gram matrix + n² k + n k² per iteration",
        ),
        (
            "use it",
            "to find capabilities: it sees no signs and groups of any shape",
        ),
    ],
    parameters: &[
        parameters::KNOWN_GROUPS,
        parameters::SIMILARITY,
        search::MOST_GROUPS,
        search::RESTARTS,
        search::LEAST_SIZE,
        parameters::AVERAGE,
    ],
    build: |arguments, context| {
        let spectral = Spectral::from_arguments(arguments, &context)?;
        Ok(in_metric(context.metric, spectral))
    },
};

/// Spectral clusters of the gradients of a draw, or of any matrix of similarities.
///
/// # The idea
///
/// Similarities S are the weights of a graph; groups are parts of it with much weight inside and
/// little between (the relaxed normalised cut: von Luxburg 2007, doi:10.1007/s11222-007-9033-z).
/// The leading k eigenvectors of the normalised matrix D^-½ S D^-½, D the row sums, are nearly
/// constant on such parts. The rows of these eigenvectors, each scaled to length one, are clustered
/// by k-means (Ng, Jordan & Weiss 2002, "On spectral clustering").
///
/// # Steps and cost
///
/// The Gram matrix; similarities (n²); the leading `at_most` + 1 directions (10 n² `at_most`, all of
/// them at 9n³ if n is small); k-means with restarts, n k² per iteration. The number of groups comes
/// from a [`HowMany`], some of which cluster many times.
///
/// # When to use it
///
/// The best finder of capabilities known here: with [`Similarity::Squared`] (the default) in a
/// whitened metric, on a draw of some fifty examples for each group, and the number of groups from
/// [`HowMany::Eigengap`]. Clusters are formed anew in every draw; give them an identity over time
/// with [`Tracked`](crate::Tracked). An example with a zero gradient belongs to no group;
/// fewer distinct gradients than k leave groups empty, with weight zero.
#[derive(Debug, Clone)]
pub struct Spectral {
    search: ClusterSearch,
    similarity: Similarity,
}

impl Spectral {
    /// A given number of groups, or one chosen by a rule; squared cosines; the best of ten runs of
    /// k-means.
    pub fn new(groups: impl Into<HowMany>, seed: u64) -> Self {
        Self {
            search: ClusterSearch::new(groups.into(), Partition::Spectral, seed),
            similarity: Similarity::default(),
        }
    }

    /// With the settings of an entry of the registry.
    pub(crate) fn from_arguments(
        arguments: &Arguments,
        context: &GroupingContext,
    ) -> Result<Self, BuildError> {
        Ok(Self {
            search: ClusterSearch::from_arguments(arguments, context, Partition::Spectral)?,
            similarity: parameters::similarity(arguments)?,
        })
    }

    /// Reads cosines otherwise.
    #[must_use]
    pub fn with_similarity(self, similarity: Similarity) -> Self {
        Self { similarity, ..self }
    }

    /// The similarity that cosines are read as.
    pub fn similarity(&self) -> Similarity {
        self.similarity
    }

    /// Clusters examples whose similarities `[n, n]` are known. Those that are not even like
    /// themselves (zero on the diagonal) belong to no group.
    ///
    /// # Errors
    ///
    /// [`GroupError::EmptyDraw`], [`GroupError::NoGroups`], [`GroupError::TooManyGroups`] for a fixed
    /// number above n, [`GroupError::Negative`] for a negative similarity.
    pub fn clusters(&mut self, similarities: &SimilarityMatrix) -> Result<Clusters, GroupError> {
        let n = similarities.num_examples();
        self.search.check(OPERATION, n)?;
        // Rounding may leave a similarity that should be zero a little below.
        let negative = similarities.entries().iter().position(|&s| s < -1e-6);
        if let Some(entry) = negative {
            return Err(GroupError::Negative {
                operation: OPERATION,
                one: entry / n,
                other: entry % n,
            });
        }
        self.search.clusters(OPERATION, similarities)
    }
}

search_settings!(Spectral, search: at_most, restarts, least_size, average);

impl Grouping for Spectral {
    fn needs(&self) -> Needs {
        Needs::Gradients
    }

    fn looks_at(&self) -> Look {
        Look::InnerProducts
    }

    fn check(&self, examples: usize) -> Result<(), GroupError> {
        self.search.check(OPERATION, examples)
    }

    fn num_groups(&self, _: usize) -> Option<usize> {
        self.search.num_groups()
    }

    fn keeps_identity(&self) -> bool {
        false
    }

    fn group(&mut self, draw: &Draw<'_>) -> Result<Groups, GroupError> {
        let similarity = self.similarity;
        let read = |cosines: Cosines| cosines.similarity(similarity);
        self.search.group(OPERATION, draw, read)
    }

    /// The place in the random numbers.
    fn state(&self) -> Result<State, GroupError> {
        self.search.state(OPERATION)
    }

    fn restore(&mut self, state: &State, _: &Device) -> Result<(), GroupError> {
        self.search.restore(OPERATION, state)
    }
}
