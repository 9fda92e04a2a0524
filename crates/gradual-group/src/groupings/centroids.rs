//! Lasting groups: centroids that move with the draws.

mod formed;

use burn::tensor::{Device, Tensor};
use gradual_grad::{ExampleGradients, Metric, MetricRecord};
use gradual_registry::{Entry, Parameter};

use crate::clustering::cosines::Cosines;
use crate::clustering::partition::Partition;
use crate::clustering::sign::Sign;
use crate::clustering::similarity::Similarity;
use crate::error::GroupError;
use crate::grouping::Grouping;
use crate::grouping::context::GroupingContext;
use crate::grouping::draw::Draw;
use crate::grouping::groups::{Average, Groups};
use crate::grouping::needs::Needs;
use crate::grouping::standing::Standing;
use crate::grouping::state::State;
use crate::groupings::search;
use crate::groupings::search::ClusterSearch;
use crate::groupings::search::search_settings;
use crate::how_many::HowMany;
use crate::metric;
use crate::parameters::{self, NONE};
use crate::read::host;
use formed::{CentroidGroups, CentroidGroupsRecord, Sketch};

const OPERATION: &str = "centroids";

/// In the [registry](crate::registry).
pub(crate) static ENTRY: Entry<GroupingContext, Box<dyn Grouping>> = Entry {
    name: "centroids",
    about: "groups found once, whose centroids stay in a random sketch and move with the draws",
    facts: &[
        ("grouping", "[`Centroids`]"),
        ("needs", "gradients"),
        ("cost per draw of n", "a sketch + n k times its dimensions"),
        (
            "use it",
            "the same where groups are plain and examples can't stand",
        ),
    ],
    parameters: &[
        parameters::FOUND_GROUPS,
        Parameter::choice(
            "clusters",
            "how groups are formed: by direction, by axis, or spectral clusters",
            &["direction", "axis", "spectral"],
        ),
        search::MOST_GROUPS,
        search::RESTARTS,
        search::LEAST_SIZE,
        Parameter::count("examples", "examples that groups are formed from", 1_500)
            .at_least(1.0)
            .at_most(parameters::MANY_STANDING),
        Parameter::count("every", "draws until groups are formed again", 1)
            .at_least(1.0)
            .at_most(parameters::MANY_DRAWS)
            .or_words(&[NONE])
            .word_by_default(NONE),
        Parameter::number("memory", "how much of a centroid a draw leaves", 0.99)
            .at_least(0.0)
            .at_most(1.0),
        Parameter::count("sketch", "dimensions of the sketch", 1_024)
            .at_least(1.0)
            .at_most(parameters::MANY_DIMENSIONS),
        parameters::AVERAGE,
    ],
    build: |arguments, context| {
        let metric = context.metric.clone().unwrap_or_else(Metric::euclidean);
        let mut centroids = Centroids::new(HowMany::Eigengap, metric, context.seed);
        // Groups are averaged when they are joined, not when they are formed.
        let forming = ClusterSearch::from_arguments(arguments, &context, Partition::Spectral)?;
        centroids = Centroids {
            forming,
            ..centroids
        }
        .with_partition()
        .with_examples(arguments.count("examples")?)?
        .with_memory(arguments.number("memory")?)?
        .with_sketch(arguments.count("sketch")?, context.seed)?
        .with_average(parameters::average(arguments)?);
        if let Some(every) = parameters::count(arguments, "every")? {
            centroids = centroids.with_every(every)?;
        }
        Ok(Box::new(match arguments.word("clusters")? {
            "axis" => centroids.sign_free(),
            "spectral" => centroids.spectral(),
            _ => centroids,
        }))
    },
};

/// k-means whose centroids stay, in a fixed random sketch, and move by an exponential mean.
///
/// # The idea
///
/// One large draw is clustered; from then on a new example joins the group whose centroid its
/// gradient is nearest to, and centroids follow the examples that join (sequential k-means: MacQueen
/// 1967, here with a constant step, so that the past is forgotten). A centroid must be comparable
/// with gradients of any later draw, so it lives in a [sketch] of the gradients with one seed for
/// ever:
///
/// ```text
/// c_g ← memory c_g + (1 − memory) mean of the unit sketches that join g in this draw
/// ```
///
/// A draw may be as small as one example and have fewer examples than groups; a group that a draw
/// lacks keeps its centroid. [`sign_free`](Self::sign_free), a group is the axis of its centroid: the
/// nearest one has the largest squared cosine, and examples are turned to point along it before they
/// are averaged.
///
/// [sketch]: gradual_grad::ExampleGradients::sketch
///
/// # Steps and cost
///
/// To form groups: a fresh draw of `examples` examples, their Gram matrix in the metric and its
/// clusters by direction, as of [`SphericalKMeans`](crate::SphericalKMeans), or
/// [spectral ones](Self::spectral). Once, or [again](Self::with_every) every r draws: the new groups
/// then take the numbers of the old ones whose centroids are most alike to theirs (the Hungarian
/// method, [`best_matching`](crate::best_matching); at a cosine of ½ at least), and
/// [`Groups::churn`] tells from then on what changed. Each draw of n: the sketch,
/// n t (d + e) `dimensions` operations for a weight `[d, e]` at t positions, 2 n k `dimensions` to
/// compare and to follow, and an update of the metric's moments. Nothing of it is read from the device but
/// a number of each parameter, where the metric has moments.
///
/// # When to use it
///
/// For small draws and many groups where gradients agree well within groups (cosines of a few tenths
/// and more), or where no large draw can be shown again and again: nothing but k centroids is kept.
/// The noise of a cosine in the sketch is 1/√dimensions and more. Groups whose examples agree less
/// than that need [`Landmarks`](crate::Landmarks), whose inner products are exact: on multitask
/// sparse parity they do better (`docs/finding-capabilities.md`).
#[derive(Debug, Clone)]
pub struct Centroids {
    forming: ClusterSearch,
    sign: Sign,
    spectral: bool,
    metric: Metric,
    sketch: Sketch,
    examples: usize,
    every: Option<usize>,
    memory: f64,
    average: Average,
    formed: Option<CentroidGroups>,
    /// Draws since groups were formed.
    since: usize,
}

impl Centroids {
    /// Groups in a metric, a given number or by a rule: signs kept, formed once from 1 500 examples,
    /// in a sketch of 1 024 dimensions, with a memory of 0.99.
    pub fn new(groups: impl Into<HowMany>, metric: Metric, seed: u64) -> Self {
        let partition = Partition::Spherical(Sign::Kept);
        Self {
            forming: ClusterSearch::new(groups.into(), partition, seed),
            sign: Sign::Kept,
            spectral: false,
            metric,
            sketch: Sketch {
                dimensions: 1_024,
                seed,
            },
            examples: 1_500,
            every: None,
            memory: 0.99,
            average: Average::Mean,
            formed: None,
            since: 0,
        }
    }

    /// Opposite gradients are alike: a group is an axis.
    #[must_use]
    pub fn sign_free(self) -> Self {
        Self {
            sign: Sign::Ignored,
            ..self
        }
        .with_partition()
    }

    /// Forms groups by spectral clustering of squared cosines instead. As these see no sign, this is
    /// [`sign_free`](Self::sign_free).
    #[must_use]
    pub fn spectral(self) -> Self {
        Self {
            spectral: true,
            ..self.sign_free()
        }
        .with_partition()
    }

    fn with_partition(self) -> Self {
        let partition = match self.spectral {
            true => Partition::Spectral,
            false => Partition::Spherical(self.sign),
        };
        Self {
            forming: self.forming.with_partition(partition),
            ..self
        }
    }

    /// How many examples groups are formed from.
    ///
    /// # Errors
    ///
    /// [`GroupError::Parameter`] for none.
    pub fn with_examples(self, examples: usize) -> Result<Self, GroupError> {
        let examples = GroupError::at_least(OPERATION, "the number of examples", 1, examples)?;
        Ok(Self { examples, ..self })
    }

    /// Forms groups anew every so many draws.
    ///
    /// # Errors
    ///
    /// [`GroupError::Parameter`] for none.
    pub fn with_every(self, draws: usize) -> Result<Self, GroupError> {
        let parameter = "the number of draws until groups are formed again";
        let every = GroupError::at_least(OPERATION, parameter, 1, draws)?;
        Ok(Self {
            every: Some(every),
            ..self
        })
    }

    /// How much of a centroid a draw leaves, 0 to 1; at 1 centroids stay where they were formed.
    ///
    /// # Errors
    ///
    /// [`GroupError::Parameter`] for any other memory.
    pub fn with_memory(self, memory: f64) -> Result<Self, GroupError> {
        let memory = GroupError::share(OPERATION, "the memory", memory)?;
        Ok(Self { memory, ..self })
    }

    /// The dimensions of the sketch, and its seed.
    ///
    /// # Errors
    ///
    /// [`GroupError::Parameter`] for a sketch without dimensions.
    pub fn with_sketch(self, dimensions: usize, seed: u64) -> Result<Self, GroupError> {
        let parameter = "the dimensions of the sketch";
        let dimensions = GroupError::at_least(OPERATION, parameter, 1, dimensions)?;
        Ok(Self {
            sketch: Sketch { dimensions, seed },
            ..self
        })
    }

    /// The same groups with another group loss.
    #[must_use]
    pub fn with_average(self, average: Average) -> Self {
        Self { average, ..self }
    }

    /// The centroids in the sketch, `[k, dimensions]`, once there are any; zero for a number that no group
    /// has now.
    pub fn centroids(&self) -> Option<&Tensor<2>> {
        self.formed.as_ref().map(CentroidGroups::centroids)
    }
}

search_settings!(Centroids, forming: at_most, restarts, least_size);

impl Grouping for Centroids {
    fn needs(&self) -> Needs {
        Needs::Gradients
    }

    /// Whether groups can be formed of the standing examples; a draw may have any size.
    fn check(&self, _: usize) -> Result<(), GroupError> {
        let checked = self.forming.check(OPERATION, self.examples);
        checked.map_err(|error| error.of_standing(OPERATION))
    }

    /// Groups that are formed again may get numbers of their own.
    fn num_groups(&self, _: usize) -> Option<usize> {
        self.forming.num_groups().filter(|_| self.every.is_none())
    }

    fn wants(&self) -> Option<Standing> {
        let due = self.every.is_some_and(|every| self.since >= every);
        (due || self.formed.is_none()).then_some(Standing::Fresh(self.examples))
    }

    /// Forms the groups from these examples.
    fn stand(&mut self, standing: &Draw<'_>) -> Result<(), GroupError> {
        let gradients = standing.gradients(OPERATION)?;
        let n = gradients.num_examples();
        let (mut metric, mut forming) = (self.metric.clone(), self.forming.clone());
        let gradients = metric::observed(OPERATION, &mut metric, gradients)?;
        let cosines = Cosines::from_gram(OPERATION, host(OPERATION, &gradients.gram())?, n)?;
        let matrix = match self.spectral {
            true => cosines.similarity(Similarity::Squared),
            false => cosines.signed(),
        };
        let clusters = forming.clusters(OPERATION, &matrix)?;
        let units = self.sketch.units(&gradients);
        let formed = CentroidGroups::next(self.formed.clone(), clusters, &units, self.sign)?;
        self.formed = Some(formed);
        (self.metric, self.forming) = (metric, forming);
        self.since = 0;
        Ok(())
    }

    fn group(&mut self, draw: &Draw<'_>) -> Result<Groups, GroupError> {
        let before = self.clone();
        let groups = self.group_ahead(draw)?.known_now();
        if groups.is_err() {
            *self = before;
        }
        groups
    }

    fn group_ahead(&mut self, draw: &Draw<'_>) -> Result<Groups, GroupError> {
        let gradients = draw.gradients(OPERATION)?;
        let formed = self.formed.as_mut().ok_or(GroupError::NoStanding {
            operation: OPERATION,
        })?;
        let mut metric = self.metric.clone();
        let gradients = metric::observed(OPERATION, &mut metric, gradients)?;
        let units = self.sketch.units(&gradients);
        let joined = formed.nearest(&units, self.sign);
        formed.follow(units, &joined, self.memory);
        self.metric = metric;
        self.since = self.since.saturating_add(1);
        let groups = Groups::ahead(joined.unread, self.average, draw.precision());
        let groups = formed.clusters.describe(groups);
        let groups = groups.with_identities(formed.identities());
        Ok(match formed.churn {
            Some(churn) => groups.with_churn(churn),
            None => groups,
        })
    }

    fn seen(&self, gradients: &ExampleGradients) -> Result<ExampleGradients, GroupError> {
        metric::seen(OPERATION, &self.metric, gradients)
    }

    /// The centroids, the metric's running moments and the place in the random numbers.
    fn state(&self) -> Result<State, GroupError> {
        let metric = metric::recorded(OPERATION, &self.metric)?;
        let forming = self.forming.state(OPERATION)?;
        let formed = self
            .formed
            .as_ref()
            .map(CentroidGroups::record)
            .transpose()?;
        State::new(OPERATION, &(metric, forming, formed, self.since))
    }

    fn restore(&mut self, state: &State, device: &Device) -> Result<(), GroupError> {
        type Record = (MetricRecord, State, Option<CentroidGroupsRecord>, usize);
        let (moments, random, formed, since): Record = state.read(OPERATION)?;
        let metric = metric::restored(OPERATION, &self.metric, &moments, device)?;
        let mut forming = self.forming.clone();
        forming.restore(OPERATION, &random)?;
        let formed = formed.map(|formed| formed.restored(self.sketch, device));
        self.formed = formed.transpose()?;
        (self.metric, self.forming, self.since) = (metric, forming, since);
        Ok(())
    }
}
