//! Hard groups: clusters of gradients by direction.

use burn::tensor::Device;
use gradual_registry::{Entry, Parameter};

use crate::clustering::cosines::Cosines;
use crate::clustering::partition::Partition;
use crate::clustering::sign::Sign;
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
use crate::wrappers::in_metric::in_metric;

const OPERATION: &str = "spherical k-means";

/// In the [registry](crate::registry).
pub(crate) static ENTRY: Entry<GroupingContext, Box<dyn Grouping>> = Entry {
    name: "spherical",
    about: "clusters of gradients by direction, or by axis where signs are ignored, found anew in every draw",
    facts: &[
        ("grouping", "[`SphericalKMeans`]"),
        ("needs", "gradients"),
        (
            "cost per draw of n",
            "Gram matrix + n² k + n k² per iteration",
        ),
        (
            "use it",
            "for groups along one axis each, with or without signs",
        ),
    ],
    parameters: &[
        parameters::KNOWN_GROUPS,
        Parameter::choice(
            "sign",
            "whether opposite gradients differ",
            &["kept", "ignored"],
        ),
        search::MOST_GROUPS,
        search::DIMENSIONS,
        search::RESTARTS,
        search::LEAST_SIZE,
        parameters::AVERAGE,
    ],
    build: |arguments, context| {
        let sign = match arguments.word("sign")? {
            "ignored" => Sign::Ignored,
            _ => Sign::Kept,
        };
        let search =
            ClusterSearch::from_arguments(arguments, &context, Partition::Spherical(sign))?;
        let search = search.in_dimensions_of(arguments)?;
        Ok(in_metric(context.metric, SphericalKMeans { search }))
    },
};

/// Clusters of gradients by direction alone.
///
/// # The idea
///
/// A cluster is a unit vector m_c, and an example belongs to the one that its gradient points along
/// most. With signs kept that is the largest cosine, and m_c the normalised mean of its unit
/// gradients (spherical k-means: Dhillon & Modha 2001, doi:10.1023/A:1007612920971). With signs
/// ignored it is the largest *squared* cosine, and m_c the leading singular direction of its
/// gradients (diametrical clustering: Dhillon, Marcotte & Roshan 2003,
/// doi:10.1093/bioinformatics/btg209): two examples of one capability with opposite labels have
/// opposite gradients, and should be one cluster.
///
/// # Steps and cost
///
/// The Gram matrix, and points with these cosines in the leading `dimensions` directions (as many
/// as groups by default, `usize::MAX` for exact cosines) as [`KMeans`](crate::KMeans) takes them:
/// 10 n² `dimensions`. Then, from starts drawn like those of k-means++ by their distance from the
/// nearest cluster so far, n k `dimensions` per iteration: assign, and move each m_c to the mean or
/// by one step of the power method. Neither can lower the sum of (squared) cosines. The best of
/// `restarts` runs counts.
///
/// # When to use it
///
/// [`sign_free`](Self::sign_free) where a capability is one axis in the space of gradients; then it needs no matrix of
/// squares and tells the axis. [`Spectral`](crate::Spectral) also finds clusters of more than one dimension. With signs
/// kept it is k-means that doesn't see how much of a gradient lies in the leading directions. An example with a zero
/// gradient belongs to no group; fewer distinct gradients (or axes) than k leave groups empty, with weight zero.
#[derive(Debug, Clone)]
pub struct SphericalKMeans {
    search: ClusterSearch,
}

impl SphericalKMeans {
    /// Clusters with their signs kept, a given number or by a rule. The best of ten runs.
    pub fn new(groups: impl Into<HowMany>, seed: u64) -> Self {
        let partition = Partition::Spherical(Sign::Kept);
        Self {
            search: ClusterSearch::new(groups.into(), partition, seed),
        }
    }

    /// Opposite gradients are alike: diametrical clustering.
    #[must_use]
    pub fn sign_free(self) -> Self {
        Self {
            search: self
                .search
                .with_partition(Partition::Spherical(Sign::Ignored)),
        }
    }
}

search_settings!(SphericalKMeans, search: at_most, dimensions, restarts, least_size, average);

impl Grouping for SphericalKMeans {
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
        self.search.group(OPERATION, draw, Cosines::signed)
    }

    /// The place in the random numbers.
    fn state(&self) -> Result<State, GroupError> {
        self.search.state(OPERATION)
    }

    fn restore(&mut self, state: &State, _: &Device) -> Result<(), GroupError> {
        self.search.restore(OPERATION, state)
    }
}
