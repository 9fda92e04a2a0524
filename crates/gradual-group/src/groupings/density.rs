//! Density-based clusters: groups where there are some, and no group for the rest.

use gradual_registry::{Entry, Parameter};
use hdbscan::{DistanceMetric, Hdbscan as Library, HdbscanHyperParams};

use crate::clustering::cosines::cosines;
use crate::clustering::similarity::{Similarity, SimilarityMatrix};
use crate::error::GroupError;
use crate::grouping::Grouping;
use crate::grouping::context::GroupingContext;
use crate::grouping::draw::Draw;
use crate::grouping::groups::{Average, Groups};
use crate::grouping::look::Look;
use crate::grouping::needs::Needs;
use crate::parameters;
use crate::wrappers::in_metric::in_metric;

/// As many neighbours as examples in the smallest group.
const AS_LEAST_SIZE: &str = "least-size";

/// In the [registry](crate::registry).
pub(crate) static ENTRY: Entry<GroupingContext, Box<dyn Grouping>> = Entry {
    name: "hdbscan",
    about: "parts of the draw that are denser than what is around them (HDBSCAN), found anew in every draw",
    facts: &[
        ("grouping", "[`Hdbscan`]"),
        ("needs", "gradients"),
        ("cost per draw of n", "Gram matrix + n²"),
        ("use it", "where much belongs to no group"),
    ],
    parameters: &[
        Parameter::count("least_size", "fewest examples of a group", 5)
            .at_least(2.0)
            .at_most(parameters::MANY_EXAMPLES),
        Parameter::count("neighbours", "neighbours that a density is taken over", 1)
            .at_least(1.0)
            .at_most(parameters::MANY_EXAMPLES)
            .or_words(&[AS_LEAST_SIZE])
            .word_by_default(AS_LEAST_SIZE),
        parameters::SIMILARITY,
        parameters::AVERAGE,
    ],
    build: |arguments, context| {
        let mut hdbscan = Hdbscan::new(arguments.count("least_size")?)?
            .with_similarity(parameters::similarity(arguments)?)
            .with_average(parameters::average(arguments)?);
        if let Some(neighbours) = parameters::count(arguments, "neighbours")? {
            hdbscan = hdbscan.with_neighbours(neighbours)?;
        }
        Ok(in_metric(context.metric, hdbscan))
    },
};

const OPERATION: &str = "hdbscan";

/// Distances below this are rounding. They must not be zero: the library divides by them.
const LEAST_DISTANCE: f32 = 1e-6;

/// HDBSCAN on the gradients of a draw (Campello, Moulavi & Sander 2013,
/// doi:10.1007/978-3-642-37456-2_14).
///
/// # The idea
///
/// Groups are parts of the draw that are denser than what is around them: at distance 1 − S, S the
/// similarity of two gradients, those parts that stay together longest as ever smaller distances are
/// asked for. Their number comes out by itself, and so do examples that belong to none.
///
/// # Steps and cost
///
/// The Gram matrix; a minimum spanning tree of the distances, n²; the tree's stable branches.
///
/// # When to use it
///
/// Where much of the data belongs to no capability. In many dimensions all gradients are nearly equally far from each
/// other, densities differ little, and it leaves most examples
/// out: examples in no group are not trained on by a loss over groups. [`Spectral`](crate::Spectral)
/// finds the groups there that this one does not. At least two groups, or none.
#[derive(Debug, Clone)]
pub struct Hdbscan {
    least_size: usize,
    samples: usize,
    similarity: Similarity,
    average: Average,
}

impl Hdbscan {
    /// Groups of at least `least_size` examples. Densities are taken over as many neighbours.
    ///
    /// # Errors
    ///
    /// [`GroupError::Parameter`] for less than two.
    pub fn new(least_size: usize) -> Result<Self, GroupError> {
        let least_size = GroupError::at_least(OPERATION, "the least size", 2, least_size)?;
        Ok(Self {
            least_size,
            samples: least_size,
            similarity: Similarity::default(),
            average: Average::Mean,
        })
    }

    /// Takes densities over `neighbours` neighbours: fewer make more examples belong somewhere.
    ///
    /// # Errors
    ///
    /// [`GroupError::Parameter`] for none.
    pub fn with_neighbours(self, neighbours: usize) -> Result<Self, GroupError> {
        let samples = GroupError::at_least(OPERATION, "the number of neighbours", 1, neighbours)?;
        Ok(Self { samples, ..self })
    }

    /// Reads cosines otherwise.
    #[must_use]
    pub fn with_similarity(self, similarity: Similarity) -> Self {
        Self { similarity, ..self }
    }

    /// The same clusters with another group loss.
    #[must_use]
    pub fn with_average(self, average: Average) -> Self {
        Self { average, ..self }
    }

    /// The group of each example of known similarities, and the number of groups.
    ///
    /// # Errors
    ///
    /// [`GroupError::Hdbscan`] when the distances can't be clustered.
    pub fn clusters(
        &self,
        similarities: &SimilarityMatrix,
    ) -> Result<(Vec<Option<usize>>, usize), GroupError> {
        let mut assignment = vec![None; similarities.num_examples()];
        let present = similarities.present();
        // A draw with room for one group only has no two parts to tell apart.
        if present.len() < self.least_size.saturating_mul(2) {
            return Ok((assignment, 0));
        }
        let distances: Vec<Vec<f32>> = present
            .iter()
            .map(|&i| {
                let distance = |&j: &usize| match i == j {
                    true => 0.0,
                    // The library insists on symmetry to the last bit.
                    false => (1.0 - similarities.row(i.min(j))[i.max(j)]).max(LEAST_DISTANCE),
                };
                present.iter().map(distance).collect()
            })
            .collect();
        let parameters = HdbscanHyperParams::builder()
            .min_cluster_size(self.least_size)
            .min_samples(self.samples.min(present.len()))
            .dist_metric(DistanceMetric::Precalculated)
            .build();
        let labels = Library::new(&distances, parameters)
            .cluster()
            .map_err(|error| GroupError::Hdbscan {
                problem: error.to_string(),
            })?;
        for (&example, &label) in present.iter().zip(&labels) {
            assignment[example] = usize::try_from(label).ok();
        }
        let groups = labels.iter().max().map_or(0, |&most| most + 1);
        Ok((assignment, usize::try_from(groups).unwrap_or(0)))
    }
}

impl Grouping for Hdbscan {
    fn needs(&self) -> Needs {
        Needs::Gradients
    }

    fn looks_at(&self) -> Look {
        Look::InnerProducts
    }

    /// Without any cluster all examples with a gradient are one group, which is the plain mean.
    fn keeps_identity(&self) -> bool {
        false
    }

    fn group(&mut self, draw: &Draw<'_>) -> Result<Groups, GroupError> {
        let similarities = cosines(OPERATION, draw)?.similarity(self.similarity);
        let (mut assignment, mut groups) = self.clusters(&similarities)?;
        if groups == 0 {
            groups = 1;
            for example in similarities.present() {
                assignment[example] = Some(0);
            }
        }
        Groups::hard(assignment, groups, self.average, draw.options())
    }
}
