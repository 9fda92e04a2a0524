//! Hard groups: k-means on normalised gradients.

use burn::tensor::Device;
use gradual_registry::Entry;

use crate::clustering::cosines::Cosines;
use crate::clustering::partition::Partition;
use crate::error::GroupError;
use crate::grouping::Grouping;
use crate::grouping::context::GroupingContext;
use crate::grouping::draw::Draw;
use crate::grouping::groups::{Average, Groups};
use crate::grouping::look::Look;
use crate::grouping::needs::Needs;
use crate::grouping::state::State;
use crate::groupings::search;
use crate::groupings::search::ClusterSearch;
use crate::groupings::search::search_settings;
use crate::how_many::HowMany;
use crate::parameters;
use crate::read::{finite_rows, host};
use crate::wrappers::in_metric::in_metric;

const OPERATION: &str = "k-means";

/// In the [registry](crate::registry).
pub(crate) static ENTRY: Entry<GroupingContext, Box<dyn Grouping>> = Entry {
    name: "kmeans",
    about: "k-means clusters of unit gradients, found anew in every draw",
    facts: &[
        ("grouping", "[`KMeans`]"),
        ("needs", "gradients"),
        (
            "cost per draw of n",
            "Gram matrix + n² k + n k² per iteration, or n m² of a sketch",
        ),
        ("use it", "for the post's own proposal"),
    ],
    parameters: &[
        parameters::KNOWN_GROUPS,
        search::MOST_GROUPS,
        search::DIMENSIONS,
        search::RESTARTS,
        search::LEAST_SIZE,
        parameters::AVERAGE,
        parameters::sketch("dimensions of the sketch whose rows are clustered"),
    ],
    build: |arguments, context| {
        let search = ClusterSearch::from_arguments(arguments, &context, Partition::KMeans)?;
        let kmeans = KMeans {
            search: search.in_dimensions_of(arguments)?,
            sketch: None,
        };
        let kmeans = match parameters::count(arguments, "sketch")? {
            Some(dimensions) => kmeans.with_sketch(dimensions, context.seed)?,
            None => kmeans,
        };
        Ok(in_metric(context.metric, kmeans))
    },
};

/// k-means clusters of the normalised gradients of a draw (A. Jermyn, 2022, second proposal).
///
/// # The idea
///
/// Examples whose gradients point the same way are learned together, so clusters of unit gradients
/// stand in for capabilities. Distances between unit gradients depend on their inner products
/// alone: the rows of UΣ, from the spectrum of the cosine matrix, are points with exactly those
/// inner products, and k-means runs on them in the leading `dimensions` directions. With
/// `dimensions` = k the k-means cost found there is within a factor 2 of the best one in all
/// directions (Drineas et al. 2004, doi:10.1023/B:MACH.0000033113.59016.96).
///
/// # Steps and cost
///
/// Gram matrix, its leading directions (10 n² `dimensions`), then Lloyd's algorithm from greedy k-means++ seeds:
/// n k `dimensions` operations per iteration and restart. [From a sketch](Self::with_sketch) of m dimensions, n m² in the place of
/// the first two, so that a draw of thousands costs what its examples do, and no more. A single run ends up to 20 % above the best sum of squared
/// distances that is known, the best of ten within 2 % in nine draws of ten (`tests/restarts.rs` prints the table).
///
/// # When to use it
///
/// Where groups should be hard and labels are missing. Clusters are formed anew in every draw, so
/// they have no identity over time. Raw Euclidean gradients do not separate capabilities well
/// before those emerge. An example with a zero gradient belongs to no group; fewer distinct
/// gradients than k leave groups empty, with weight zero.
#[derive(Debug, Clone)]
pub struct KMeans {
    search: ClusterSearch,
    /// Dimensions, and the seed of the projection.
    sketch: Option<(usize, u64)>,
}

impl KMeans {
    /// A given number of clusters, or one chosen by a rule, in as many dimensions; the best of ten runs of k-means in
    /// every draw.
    pub fn new(groups: impl Into<HowMany>, seed: u64) -> Self {
        Self {
            search: ClusterSearch::new(groups.into(), Partition::KMeans, seed),
            sketch: None,
        }
    }

    /// Clusters the rows of a sketch of `dim` dimensions in the place of the exact inner products: n t (d + e) `dim` + n `dim`²
    /// operations and n `dim` numbers, instead of n² (d + e) and n². For draws of many more examples than dimensions. Cosines are
    /// then off by about 1/√`dim`. Under a rule for the number of groups, which looks at all pairs, the n² inner products of these rows are
    /// taken all the same.
    ///
    /// # Errors
    ///
    /// [`GroupError::Parameter`] for a sketch without dimensions.
    pub fn with_sketch(self, dim: usize, seed: u64) -> Result<Self, GroupError> {
        let dim = GroupError::at_least(OPERATION, "the dimensions of the sketch", 1, dim)?;
        Ok(Self {
            sketch: Some((dim, seed)),
            ..self
        })
    }
}

search_settings!(KMeans, search: at_most, dimensions, restarts, least_size, average);

impl Grouping for KMeans {
    fn needs(&self) -> Needs {
        Needs::Gradients
    }

    /// Its own sketch is one of the gradients, not of another sketch.
    fn looks_at(&self) -> Look {
        match self.sketch {
            None => Look::InnerProducts,
            Some(_) => Look::Layers,
        }
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
        let Some((dim, seed)) = self.sketch else {
            return self.search.group(OPERATION, draw, Cosines::signed);
        };
        let gradients = draw.gradients(OPERATION)?;
        // Before the sketch, which is expensive.
        self.search.check(OPERATION, draw.num_examples())?;
        let clusters = match self.search.num_groups() {
            Some(_) => {
                let rows: Vec<f32> = finite_rows(OPERATION, &gradients.sketch(dim, seed))?;
                self.search.clusters_of_rows(OPERATION, &rows, dim)?
            }
            None => {
                let gram = host(OPERATION, &gradients.sketch_gram(dim, seed))?;
                let cosines = Cosines::from_gram(OPERATION, gram, draw.num_examples())?;
                self.search.clusters(OPERATION, &cosines.signed())?
            }
        };
        clusters.into_groups(self.search.average(), draw.options())
    }

    /// The place in the random numbers.
    fn state(&self) -> Result<State, GroupError> {
        self.search.state(OPERATION)
    }

    fn restore(&mut self, state: &State, _: &Device) -> Result<(), GroupError> {
        self.search.restore(OPERATION, state)
    }
}
