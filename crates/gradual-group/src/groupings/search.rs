//! From similarities to groups: what all clusterings of a matrix share.

use burn::tensor::TensorCreationOptions;
use gradual_registry::{Arguments, BuildError, Parameter, Value};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::clustering::cosines::{Cosines, cosines};
use crate::clustering::least_size::join_small;
use crate::clustering::partition::{CutProblem, Partition};
use crate::clustering::rows::UnitRows;
use crate::clustering::similarity::SimilarityMatrix;
use crate::error::GroupError;
use crate::grouping::context::GroupingContext;
use crate::grouping::draw::Draw;
use crate::grouping::groups::{Average, Groups};
use crate::grouping::state::State;
use crate::how_many::HowMany;
use crate::linalg::eigenvalues::{Eigenvalues, EigenvaluesRecord, estimates};
use crate::parameters::{self, MANY_EXAMPLES, MANY_GROUPS, NONE};

/// Most groups that a rule answers unless told otherwise.
const AT_MOST: usize = 32;

/// Runs of k-means, of which the best counts, unless told otherwise.
const RUNS: usize = 10;

/// As many dimensions as groups.
const GROUPS: &str = "groups";

/// All dimensions.
const ALL: &str = "all";

/// The most groups that a rule may answer.
pub(crate) const MOST_GROUPS: Parameter = Parameter::count(
    "at_most",
    "most groups that a rule may find",
    AT_MOST as u64,
)
.at_least(1.0)
.at_most(MANY_GROUPS)
.only_if("k", parameters::FINDERS);

/// Leading directions that examples are clustered in.
pub(crate) const DIMENSIONS: Parameter = Parameter::count(
    "dimensions",
    "leading directions that examples are clustered in",
    1,
)
.at_least(1.0)
.at_most(MANY_EXAMPLES)
.or_words(&[GROUPS, ALL])
.word_by_default(GROUPS);

/// Runs of k-means.
pub(crate) const RESTARTS: Parameter = Parameter::count(
    "restarts",
    "runs of k-means, of which the best counts",
    RUNS as u64,
)
.at_least(1.0)
.at_most(1_000.0);

/// The least size of a group.
pub(crate) const LEAST_SIZE: Parameter = Parameter::count(
    "least_size",
    "fewest examples of a group; smaller ones join the most similar group",
    1,
)
.at_least(1.0)
.at_most(MANY_EXAMPLES)
.or_words(&[NONE])
.word_by_default(NONE);

/// Clusters of n examples.
#[derive(Debug, Clone)]
pub struct Clusters {
    /// The group of each example, `[n]`; none for an example that is like nothing.
    pub assignment: Vec<Option<usize>>,
    /// Number of groups k, empty ones included.
    pub groups: usize,
    /// Eigenvalues of the matrix that was clustered, as far as they were taken.
    pub spectrum: Eigenvalues,
    /// What each cheap estimator of the number of groups says of that spectrum.
    pub estimates: Vec<(&'static str, usize)>,
}

/// A clustering of matrices with all its settings, and its place in the random numbers.
#[derive(Debug, Clone)]
pub(crate) struct ClusterSearch {
    how_many: HowMany,
    at_most: usize,
    partition: Partition,
    dimensions: Option<usize>,
    restarts: usize,
    least_size: usize,
    average: Average,
    random: ChaCha8Rng,
}

impl ClusterSearch {
    pub(crate) fn new(how_many: HowMany, partition: Partition, seed: u64) -> Self {
        Self {
            how_many,
            at_most: AT_MOST,
            partition,
            dimensions: None,
            restarts: RUNS,
            least_size: 0,
            average: Average::Mean,
            random: ChaCha8Rng::seed_from_u64(seed),
        }
    }

    /// With the settings that the entries of all clusterings have.
    pub(crate) fn from_arguments(
        arguments: &Arguments,
        context: &GroupingContext,
        partition: Partition,
    ) -> Result<Self, BuildError> {
        let how_many = parameters::how_many(arguments, context)?;
        let search = Self::new(how_many, partition, context.seed);
        Ok(Self {
            at_most: arguments.count(MOST_GROUPS.name)?,
            restarts: arguments.count(RESTARTS.name)?,
            least_size: parameters::count(arguments, LEAST_SIZE.name)?.unwrap_or(0),
            average: parameters::average(arguments)?,
            ..search
        })
    }

    /// The same with the dimensions of entries that have them.
    pub(crate) fn in_dimensions_of(self, arguments: &Arguments) -> Result<Self, BuildError> {
        Ok(match arguments.value(DIMENSIONS.name)? {
            Value::Word(word) if word == GROUPS => self,
            Value::Word(_) => self.with_dimensions(DIMENSIONS.name, usize::MAX)?,
            _ => self.with_dimensions(DIMENSIONS.name, arguments.count(DIMENSIONS.name)?)?,
        })
    }

    pub(crate) fn with_partition(self, partition: Partition) -> Self {
        Self { partition, ..self }
    }

    pub(crate) fn with_at_most(
        self,
        operation: &'static str,
        groups: usize,
    ) -> Result<Self, GroupError> {
        let at_most = GroupError::at_least(operation, "the most groups", 1, groups)?;
        Ok(Self { at_most, ..self })
    }

    pub(crate) fn with_dimensions(
        self,
        operation: &'static str,
        dimensions: usize,
    ) -> Result<Self, GroupError> {
        let dimensions =
            GroupError::at_least(operation, "the number of dimensions", 1, dimensions)?;
        Ok(Self {
            dimensions: Some(dimensions),
            ..self
        })
    }

    pub(crate) fn with_restarts(
        self,
        operation: &'static str,
        restarts: usize,
    ) -> Result<Self, GroupError> {
        let restarts = GroupError::at_least(operation, "the number of runs", 1, restarts)?;
        Ok(Self { restarts, ..self })
    }

    pub(crate) fn with_least_size(self, least_size: usize) -> Self {
        Self { least_size, ..self }
    }

    pub(crate) fn with_average(self, average: Average) -> Self {
        Self { average, ..self }
    }

    /// What the loss of a group is of its examples' losses.
    pub(crate) fn average(&self) -> Average {
        self.average
    }

    /// Whether the number of groups fits n examples.
    pub(crate) fn check(&self, operation: &'static str, examples: usize) -> Result<(), GroupError> {
        match self.how_many {
            _ if examples == 0 => Err(GroupError::EmptyDraw { operation }),
            HowMany::Fixed(groups) => GroupError::filled_groups(operation, groups, examples),
            _ => Ok(()),
        }
    }

    /// The number of groups of every draw, where it is given.
    pub(crate) fn num_groups(&self) -> Option<usize> {
        self.how_many.fixed()
    }

    /// Clusters examples of known similarities. Each call draws new random numbers.
    pub(crate) fn clusters(
        &mut self,
        operation: &'static str,
        matrix: &SimilarityMatrix,
    ) -> Result<Clusters, GroupError> {
        self.check(operation, matrix.num_examples())?;
        let seed = self.random.random::<u64>();
        let present = matrix.present();
        let mut clusters = self.no_clusters(matrix.num_examples());
        if present.is_empty() {
            return Ok(clusters);
        }
        let at_most = self.at_most.min(present.len());
        let problem = CutProblem::new(
            matrix.restricted(&present),
            self.partition,
            self.restarts,
            self.dimensions,
            at_most.max(clusters.groups) + 1,
        )?;
        clusters.groups = self.how_many.choose(&problem, at_most, seed)?;
        let mut assignment = problem.cut(clusters.groups, seed)?;
        join_small(
            &mut assignment,
            clusters.groups,
            self.least_size,
            |one, other| problem.similarity(one, other),
        );
        clusters.fill(&present, assignment, problem.eigenvalues().clone(), at_most);
        Ok(clusters)
    }

    /// Examples of which none is like anything.
    fn no_clusters(&self, examples: usize) -> Clusters {
        Clusters {
            assignment: vec![None; examples],
            groups: self.how_many.fixed().unwrap_or(1),
            spectrum: Eigenvalues::from_all([]),
            estimates: Vec::new(),
        }
    }

    /// Clusters finite rows `[n, width]`, row-major, of a given number of groups by k-means: see [`UnitRows`]. Each call draws new random
    /// numbers.
    pub(crate) fn clusters_of_rows(
        &mut self,
        operation: &'static str,
        rows: &[f32],
        width: usize,
    ) -> Result<Clusters, GroupError> {
        let n = rows.len() / width;
        self.check(operation, n)?;
        let seed = self.random.random::<u64>();
        let mut clusters = self.no_clusters(n);
        let groups = clusters.groups;
        let (present, units) = UnitRows::of(rows, width)?;
        if present.is_empty() {
            return Ok(clusters);
        }
        let dimensions = self.dimensions.unwrap_or(groups);
        let mut assignment = units.cut(groups, dimensions, self.restarts, seed);
        join_small(&mut assignment, groups, self.least_size, |one, other| {
            units.cosine(one, other)
        });
        let at_most = self.at_most.min(present.len());
        clusters.fill(&present, assignment, units.eigenvalues(), at_most);
        Ok(clusters)
    }

    /// The place in the random numbers, as the state of the grouping called `operation`.
    pub(crate) fn state(&self, operation: &'static str) -> Result<State, GroupError> {
        State::new(operation, &self.random)
    }

    pub(crate) fn restore(
        &mut self,
        operation: &'static str,
        state: &State,
    ) -> Result<(), GroupError> {
        self.random = state.read(operation)?;
        Ok(())
    }

    /// The groups of a draw, from what `read` makes of the cosines of its gradients.
    pub(crate) fn group(
        &mut self,
        operation: &'static str,
        draw: &Draw<'_>,
        read: impl FnOnce(Cosines) -> SimilarityMatrix,
    ) -> Result<Groups, GroupError> {
        // Before the Gram matrix, which is expensive.
        draw.most_directions(operation)?;
        self.check(operation, draw.num_examples())?;
        let matrix = read(cosines(operation, draw)?);
        let clusters = self.clusters(operation, &matrix)?;
        clusters.into_groups(self.average, draw.options())
    }
}

/// The settings of a clustering, as methods of a type that holds a [`ClusterSearch`] in a field and has its name in
/// `OPERATION`: those of `at_most`, `dimensions`, `restarts`, `least_size` and `average` that are named.
macro_rules! search_settings {
    ($type:ty, $field:ident: $($setting:ident),+) => {
        impl $type {
            $(search_settings!(@ $field $setting);)+
        }
    };
    (@ $field:ident at_most) => {
        /// Most groups that a rule may answer (32 by default).
        ///
        /// # Errors
        ///
        /// [`GroupError::Parameter`] for none.
        pub fn with_at_most(mut self, groups: usize) -> Result<Self, GroupError> {
            self.$field = self.$field.with_at_most(OPERATION, groups)?;
            Ok(self)
        }
    };
    (@ $field:ident dimensions) => {
        /// Clusters in the leading `dimensions` directions, as many as groups by default; `usize::MAX` for all of them.
        ///
        /// # Errors
        ///
        /// [`GroupError::Parameter`] for none.
        pub fn with_dimensions(mut self, dimensions: usize) -> Result<Self, GroupError> {
            self.$field = self.$field.with_dimensions(OPERATION, dimensions)?;
            Ok(self)
        }
    };
    (@ $field:ident restarts) => {
        /// Takes the best of `restarts` runs of k-means, ten by default.
        ///
        /// # Errors
        ///
        /// [`GroupError::Parameter`] for none.
        pub fn with_restarts(mut self, restarts: usize) -> Result<Self, GroupError> {
            self.$field = self.$field.with_restarts(OPERATION, restarts)?;
            Ok(self)
        }
    };
    (@ $field:ident least_size) => {
        /// Joins groups of fewer than `examples` examples to the group they are most alike to. None are by default.
        #[must_use]
        pub fn with_least_size(mut self, examples: usize) -> Self {
            self.$field = self.$field.with_least_size(examples);
            self
        }
    };
    (@ $field:ident average) => {
        /// The same clusters with another group loss.
        #[must_use]
        pub fn with_average(mut self, average: Average) -> Self {
            self.$field = self.$field.with_average(average);
            self
        }
    };
}

pub(crate) use search_settings;

/// [`Clusters`] as plain data.
#[derive(Serialize, Deserialize)]
pub(crate) struct ClustersRecord {
    assignment: Vec<Option<usize>>,
    groups: usize,
    spectrum: EigenvaluesRecord,
    estimates: Vec<(String, usize)>,
}

impl ClustersRecord {
    pub(crate) fn restored(self, operation: &'static str) -> Result<Clusters, GroupError> {
        let outside = |group: &usize| *group >= self.groups;
        if self.groups == 0 || self.assignment.iter().flatten().any(outside) {
            return Err(GroupError::state(
                operation,
                "not every example is of a known group",
            ));
        }
        // Only what was estimated here has a name that lasts.
        let names = estimates(&Eigenvalues::from_all([]), 1);
        let named = |(name, said): (String, usize)| {
            let known = names.iter().find(|(known, _)| *known == name);
            known.map(|(known, _)| (*known, said)).ok_or_else(|| {
                GroupError::state(operation, format!("there is no estimator '{name}'"))
            })
        };
        Ok(Clusters {
            assignment: self.assignment,
            groups: self.groups,
            spectrum: self.spectrum.restored(),
            estimates: self
                .estimates
                .into_iter()
                .map(named)
                .collect::<Result<_, _>>()?,
        })
    }
}

impl Clusters {
    /// The groups of those examples that have a gradient, with the spectrum that they come from.
    fn fill(
        &mut self,
        present: &[usize],
        assignment: Vec<usize>,
        spectrum: Eigenvalues,
        at_most: usize,
    ) {
        for (&example, group) in present.iter().zip(assignment) {
            self.assignment[example] = Some(group);
        }
        self.estimates = estimates(&spectrum, at_most);
        self.spectrum = spectrum;
    }

    pub(crate) fn record(&self) -> ClustersRecord {
        let named = |(name, said): &(&'static str, usize)| ((*name).to_owned(), *said);
        ClustersRecord {
            assignment: self.assignment.clone(),
            groups: self.groups,
            spectrum: self.spectrum.record(),
            estimates: self.estimates.iter().map(named).collect(),
        }
    }

    /// The same as groups on a device, with the roots of the eigenvalues as their spectrum.
    ///
    /// # Errors
    ///
    /// Those of [`Groups::hard`].
    pub fn into_groups(
        mut self,
        average: Average,
        options: impl Into<TensorCreationOptions>,
    ) -> Result<Groups, GroupError> {
        let assignment = std::mem::take(&mut self.assignment);
        let groups = Groups::hard(assignment, self.groups, average, options)?;
        Ok(self.describe(groups))
    }

    /// Groups with the spectrum and the estimates that they were found by.
    pub(crate) fn describe(&self, groups: Groups) -> Groups {
        let spectrum = self.spectrum.values().iter().map(|value| value.sqrt());
        groups
            .with_spectrum(spectrum.collect())
            .with_estimates(self.estimates.clone())
    }
}
