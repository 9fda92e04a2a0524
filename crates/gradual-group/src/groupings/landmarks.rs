//! Lasting groups: standing examples that keep their group.

mod found;
mod record;

use std::collections::BTreeSet;

use burn::tensor::Device;
use gradual_grad::{ExampleGradients, Metric};
use gradual_registry::{Entry, Parameter, Value};

use crate::clustering::cosines::Cosines;
use crate::clustering::similarity::SimilarityMatrix;
use crate::error::GroupError;
use crate::grouping::Grouping;
use crate::grouping::context::GroupingContext;
use crate::grouping::draw::Draw;
use crate::grouping::groups::{Average, Groups};
use crate::grouping::look::Look;
use crate::grouping::needs::Needs;
use crate::grouping::standing::Standing;
use crate::grouping::state::State;
use crate::grouping::unread::UnreadAssignment;
use crate::groupings::search;
use crate::groupings::spectral::Spectral;
use crate::how_many::HowMany;
use crate::metric;
use crate::over_time::split_merge::SplitMerge;
use crate::parameters::{self, NONE};
use crate::read::host;
use found::{Axes, StandingGroups};

const OPERATION: &str = "landmarks";

/// Whether groups part and join.
const SPLIT_MERGE: &str = "split_merge";

/// All landmarks of a group.
const ALL: &str = "all";

/// In the [registry](crate::registry).
pub(crate) static ENTRY: Entry<GroupingContext, Box<dyn Grouping>> = Entry {
    name: "landmarks",
    about: "groups found once by spectral clustering, whose examples stay as landmarks that others join",
    facts: &[
        ("grouping", "[`Landmarks`]"),
        ("needs", "gradients"),
        ("cost per draw of n", "a cross Gram matrix"),
        (
            "use it",
            "to keep groups that were found once, in small draws",
        ),
    ],
    parameters: &[
        parameters::FOUND_GROUPS,
        parameters::SIMILARITY,
        search::MOST_GROUPS,
        search::RESTARTS,
        search::LEAST_SIZE,
        Parameter::count("examples", "examples that are clustered", 1_500)
            .at_least(1.0)
            .at_most(parameters::MANY_STANDING),
        Parameter::count("every", "draws until their gradients are taken again", 20)
            .at_least(1.0)
            .at_most(parameters::MANY_DRAWS),
        Parameter::count("axes", "directions that stand for a group", 1)
            .at_least(1.0)
            .at_most(100.0)
            .only_if("kept", &[NONE]),
        Parameter::count("rank", "singular pairs that are kept of a direction", 1)
            .at_least(1.0)
            .at_most(100.0)
            .only_if("kept", &[NONE]),
        Parameter::count(
            "kept",
            "landmarks of a group that are kept one by one, without axes",
            1,
        )
        .at_least(1.0)
        .at_most(parameters::MANY_STANDING)
        .or_words(&[NONE, ALL])
        .word_by_default(NONE),
        Parameter::number(
            "refresh",
            "share of the examples that newer ones replace",
            0.0,
        )
        .at_least(0.0)
        .at_most(1.0),
        Parameter::flag(SPLIT_MERGE, "whether groups may split and merge", false),
        Parameter::number("split_below", "likeness below which a group splits", 0.3)
            .at_least(0.0)
            .only_if(SPLIT_MERGE, &["true"]),
        Parameter::number("merge_above", "likeness above which two groups merge", 0.7)
            .above(0.0)
            .only_if(SPLIT_MERGE, &["true"]),
        Parameter::count("patience", "regroupings in a row that must agree", 3)
            .at_least(1.0)
            .at_most(parameters::MANY_DRAWS)
            .only_if(SPLIT_MERGE, &["true"]),
        Parameter::count("least_part", "fewest examples of a part that splits off", 8)
            .at_least(2.0)
            .at_most(parameters::MANY_STANDING)
            .only_if(SPLIT_MERGE, &["true"]),
        Parameter::count("most_parts", "most groups that splitting may lead to", 64)
            .at_least(1.0)
            .at_most(parameters::MANY_STANDING)
            .only_if(SPLIT_MERGE, &["true"]),
        parameters::AVERAGE,
    ],
    build: |arguments, context| {
        let metric = context.metric.clone().unwrap_or_else(Metric::euclidean);
        let mut landmarks = Landmarks::new(HowMany::Eigengap, metric, context.seed)
            .with_spectral(Spectral::from_arguments(arguments, &context)?)
            .with_examples(arguments.count("examples")?)?
            .with_every(arguments.count("every")?)?
            .with_axes(arguments.count("axes")?, arguments.count("rank")?)?
            .with_refresh(arguments.number("refresh")?)?
            .with_average(parameters::average(arguments)?);
        landmarks = match arguments.value("kept")? {
            Value::Word(word) if word == NONE => landmarks,
            Value::Word(_) => landmarks.with_kept(usize::MAX)?,
            _ => landmarks.with_kept(arguments.count("kept")?)?,
        };
        if arguments.flag(SPLIT_MERGE)? {
            let below = arguments.number("split_below")?;
            let above = arguments.number("merge_above")?;
            let rule = SplitMerge::new(below, above)?
                .with_patience(arguments.count("patience")?)?
                .with_least_size(arguments.count("least_part")?)?
                .with_at_most(arguments.count("most_parts")?)?;
            landmarks = landmarks.with_split_merge(rule);
        }
        Ok(Box::new(landmarks))
    },
};

/// Groups found once in a large draw, whose examples then stay as landmarks.
///
/// # The idea
///
/// Groups formed anew in every draw are noisy, need large draws and have no identity. Here one large draw is clustered
/// once, before training, and its examples stay: they keep their group for ever, and only their gradients are taken
/// again as the model changes. A new example joins the group with the largest mean squared cosine to its landmarks.
/// Squares do not see the sign: examples of one capability with opposite labels have opposite gradients. An example
/// that is orthogonal to all landmarks joins the largest group, since it would not be trained on in none; one whose
/// gradient is zero is in no group.
///
/// That mean is Σ_r (ĝ·a_r)² over the axes of the group, the eigenvectors of its unit gradients'
/// second moments, each as long as the root of its eigenvalue. The leading axis is what the
/// landmarks have in common; the others are mostly noise. Of the axis, which is a matrix in every
/// weight, the leading singular pair is again what is common. So one outer product for each group
/// stands for all of its landmarks, and assigns new examples as well as they do one by one.
///
/// # Steps and cost
///
/// Once: the gradients of `examples` examples, and [`Spectral`] clustering of their squared cosines
/// in the metric. Every `every` draws: the gradients of the standing examples again, their inner
/// products within groups, and the axes. In each draw of n: the inner products of n gradients with
/// one axis for each of k groups, 2 n k (d + e) operations for a layer `[d, e]` at one position.
///
/// # Landmarks that change
///
/// [`with_refresh`](Self::with_refresh) lets examples of newer draws take the place of the oldest, first
/// in first out. They join a group as any new example does, and keep it. So landmarks stay those of
/// the data that is trained on now, at the price that a wrong assignment lasts as long as the example
/// stands. [`with_split_merge`](Self::with_split_merge) lets groups part and join, each time the
/// landmarks' gradients are taken again; [`Groups::identities`] and [`Groups::churn`] tell.
///
/// # When to use it
///
/// For training on found groups: on multitask sparse parity, with a [`Metric::whitened`] metric on
/// the first layer, it does as well as the true groups (`docs/finding-capabilities.md`). The trainer
/// shows the standing examples by itself; in a loop of your own call `gradual_train::stand` while
/// the objective wants it.
#[derive(Debug, Clone)]
pub struct Landmarks {
    spectral: Spectral,
    metric: Metric,
    examples: usize,
    kept: usize,
    axes: Option<Axes>,
    every: usize,
    refresh: f64,
    split_merge: Option<SplitMerge>,
    average: Average,
    standing: Option<StandingGroups>,
    /// Draws since the standing examples were shown.
    since: usize,
}

impl Landmarks {
    /// Groups in a metric: 1 500 examples, summed up by one axis for each group, gradients taken
    /// again every 20 draws. The number of groups may be given or chosen by a rule.
    pub fn new(groups: impl Into<HowMany>, metric: Metric, seed: u64) -> Self {
        Self {
            spectral: Spectral::new(groups, seed),
            metric,
            examples: 1_500,
            kept: usize::MAX,
            axes: Some(Axes { count: 1, rank: 1 }),
            every: 20,
            refresh: 0.0,
            split_merge: None,
            average: Average::Mean,
            standing: None,
            since: 0,
        }
    }

    /// How many examples are clustered.
    ///
    /// # Errors
    ///
    /// [`GroupError::Parameter`] for none.
    pub fn with_examples(self, examples: usize) -> Result<Self, GroupError> {
        let examples = GroupError::at_least(OPERATION, "the number of examples", 1, examples)?;
        Ok(Self { examples, ..self })
    }

    /// Compares new examples with the `kept` landmarks of each group that are most alike to it
    /// (`usize::MAX` for all) instead of with axes: the mean squared cosine itself, at the cost of as
    /// many inner products. Needs about as many landmarks as were clustered: a few are too noisy.
    ///
    /// # Errors
    ///
    /// [`GroupError::Parameter`] for none.
    pub fn with_kept(self, kept: usize) -> Result<Self, GroupError> {
        let kept = GroupError::at_least(OPERATION, "the number of landmarks kept", 1, kept)?;
        Ok(Self {
            kept,
            axes: None,
            ..self
        })
    }

    /// Sums the landmarks of each group up by their `count` leading axes, of which the `rank`
    /// leading singular pairs are kept in every weight: one and one by default.
    ///
    /// # Errors
    ///
    /// [`GroupError::Parameter`] for none of either.
    pub fn with_axes(self, count: usize, rank: usize) -> Result<Self, GroupError> {
        let axes = Axes {
            count: GroupError::at_least(OPERATION, "the number of axes", 1, count)?,
            rank: GroupError::at_least(OPERATION, "the rank of an axis", 1, rank)?,
        };
        Ok(Self {
            axes: Some(axes),
            ..self
        })
    }

    /// After how many draws the landmarks' gradients are taken again.
    ///
    /// # Errors
    ///
    /// [`GroupError::Parameter`] for none.
    pub fn with_every(self, every: usize) -> Result<Self, GroupError> {
        let draws = "the number of draws until gradients are taken again";
        let every = GroupError::at_least(OPERATION, draws, 1, every)?;
        Ok(Self { every, ..self })
    }

    /// The share of the standing examples, 0 (the default) to 1, that fresh ones take the place of
    /// whenever the landmarks' gradients are taken again: [`Standing::Replace`]. A group whose examples
    /// have all gone keeps its last axes, until a fresh example joins it. Where landmarks are
    /// [kept one by one](Self::with_kept), fresh ones are kept where there is room.
    ///
    /// # Errors
    ///
    /// [`GroupError::Parameter`] for any other share.
    pub fn with_refresh(self, share: f64) -> Result<Self, GroupError> {
        let refresh = GroupError::share(OPERATION, "the share", share)?;
        Ok(Self { refresh, ..self })
    }

    /// Splits and merges groups when the landmarks' gradients are taken again. Takes all their inner
    /// products then, not only those within groups. The number of groups may change: not for
    /// compositions that remember groups.
    #[must_use]
    pub fn with_split_merge(self, rule: SplitMerge) -> Self {
        Self {
            split_merge: Some(rule),
            ..self
        }
    }

    /// Another clustering of the first draw, such as one with a least group size.
    #[must_use]
    pub fn with_spectral(self, spectral: Spectral) -> Self {
        Self { spectral, ..self }
    }

    /// The same groups with another group loss.
    #[must_use]
    pub fn with_average(self, average: Average) -> Self {
        Self { average, ..self }
    }

    /// The group of each standing example, `[examples]`, the oldest first, once there are any.
    pub fn found(&self) -> Option<&[Option<usize>]> {
        let found = self.standing.as_ref()?;
        Some(&found.clusters.assignment)
    }

    /// The cosines of gradients, as similarities.
    fn similarities(&self, gradients: &ExampleGradients) -> Result<SimilarityMatrix, GroupError> {
        let gram = host(OPERATION, &gradients.gram())?;
        let cosines = Cosines::from_gram(OPERATION, gram, gradients.num_examples())?;
        Ok(cosines.similarity(self.spectral.similarity()))
    }
}

impl Grouping for Landmarks {
    fn needs(&self) -> Needs {
        Needs::Gradients
    }

    fn looks_at(&self) -> Look {
        match self.metric.is_euclidean() {
            true => Look::Vectors,
            false => Look::Layers,
        }
    }

    /// Whether the standing examples can be clustered; a draw may have any size.
    fn check(&self, _: usize) -> Result<(), GroupError> {
        let checked = self.spectral.check(self.examples);
        checked.map_err(|error| error.of_standing(OPERATION))
    }

    fn num_groups(&self, examples: usize) -> Option<usize> {
        let groups = self.spectral.num_groups(examples);
        groups.filter(|_| self.split_merge.is_none())
    }

    fn wants(&self) -> Option<Standing> {
        match &self.standing {
            None => Some(Standing::Fresh(self.examples)),
            Some(found) if self.since >= self.every => Some(match self.refresh > 0.0 {
                true => Standing::Replace(found.share(self.refresh)),
                false => Standing::Again,
            }),
            Some(_) => None,
        }
    }

    fn stand(&mut self, standing: &Draw<'_>) -> Result<(), GroupError> {
        let wanted = self.wants();
        let gradients = standing.gradients(OPERATION)?;
        let (mut metric, mut spectral) = (self.metric.clone(), self.spectral.clone());
        let gradients = metric::observed(OPERATION, &mut metric, gradients)?;
        let mut gone = BTreeSet::new();
        let mut found = match &self.standing {
            None => {
                let similarities = self.similarities(&gradients)?;
                let clusters = spectral.clusters(&similarities)?;
                StandingGroups::new(clusters, &similarities, self.kept)
            }
            Some(found) => {
                GroupError::standing(OPERATION, found.shown, gradients.num_examples())?;
                let mut found = found.clone();
                if let Some(Standing::Replace(fresh)) = wanted {
                    found.replace(fresh, &gradients, self.kept, self.axes)?;
                }
                if let Some(rule) = self.split_merge.filter(|_| !found.kept.is_empty()) {
                    let own = gradients
                        .choose(&found.kept)
                        .map_err(GroupError::gradients(OPERATION))?;
                    gone = found.regroup(&rule, &self.similarities(&own)?)?;
                }
                found
            }
        };
        found.renew(&gradients, self.axes, &gone)?;
        self.standing = Some(found);
        (self.metric, self.spectral) = (metric, spectral);
        self.since = 0;
        Ok(())
    }

    fn group(&mut self, draw: &Draw<'_>) -> Result<Groups, GroupError> {
        let before = self.since;
        let groups = self.group_ahead(draw)?.known_now();
        if groups.is_err() {
            self.since = before;
        }
        groups
    }

    fn group_ahead(&mut self, draw: &Draw<'_>) -> Result<Groups, GroupError> {
        let gradients = draw.gradients(OPERATION)?;
        let found = self.standing.as_ref().ok_or(GroupError::NoStanding {
            operation: OPERATION,
        })?;
        let gradients = self.seen(gradients)?;
        let alike = found.alike(&gradients, self.axes)?;
        let groups = found.describe(Groups::ahead(
            UnreadAssignment::highest(OPERATION, alike),
            self.average,
            draw.precision(),
        ));
        self.since = self.since.saturating_add(1);
        Ok(groups)
    }

    /// Unless standing examples are exchanged, or groups split and merged.
    fn is_lasting(&self) -> bool {
        self.refresh == 0.0 && self.split_merge.is_none()
    }

    fn regroup(
        &self,
        draw: &Draw<'_>,
        assignment: Vec<Option<usize>>,
    ) -> Result<Groups, GroupError> {
        let found = self.standing.as_ref().ok_or(GroupError::NoStanding {
            operation: OPERATION,
        })?;
        let groups = found.clusters.groups;
        let groups = Groups::hard(assignment, groups, self.average, draw.options())?;
        Ok(found.describe(groups))
    }

    fn seen(&self, gradients: &ExampleGradients) -> Result<ExampleGradients, GroupError> {
        metric::seen(OPERATION, &self.metric, gradients)
    }

    /// The landmarks with their groups and gradients, and the metric's running moments.
    fn state(&self) -> Result<State, GroupError> {
        State::new(OPERATION, &self.record()?)
    }

    fn restore(&mut self, state: &State, device: &Device) -> Result<(), GroupError> {
        self.restore_record(state.read(OPERATION)?, device)
    }
}
