//! When, where, in which metric and into how many groups a lens looks, chosen without labels.
//!
//! # The idea
//!
//! A look at a model (a layer, a metric and a number of groups) is worth something if two things are so.
//!
//! - What it finds does not depend on the examples that it was found in. So let two independent sets of standing examples
//!   find groups, let each assign the same fresh examples, and compare the two assignments by the adjusted Rand index: the
//!   *stability* of the look. It is the prediction strength of Tibshirani & Walther (2005,
//!   doi:10.1198/106186005X59243) with another index; von Luxburg (2010, arXiv 1007.1075) reviews such criteria. Where
//!   groups are too many, they split at other places in each set; where they are too few, sets merge different ones; where
//!   the look shows nothing, they are arbitrary.
//! - Examples of a group are learned together. Much is stable that has nothing to do with learning: the gradients of fresh
//!   weights fall into groups by the characters that examples are written in. So take by how much the loss of each fresh
//!   example has fallen since fresh weights, and the share of its variance that is between groups, corrected for their
//!   number: what the look *explains* of learning ([`explained_share`](gradual_group::explained_share)).
//!
//! # The steps
//!
//! 1. After each of some [`steps`](LensSearch::with_steps), three sets of [`examples`](LensSearch::with_examples) are
//!    drawn, and their gradients are taken under a snapshot of the model.
//! 2. For every layer, [metric](LensSearch::with_metrics) and [number of groups](LensSearch::with_groups), two sets find
//!    groups, and assign the third.
//! 3. The rule: of the looks whose stability is at least [`stability`](LensSearch::with_stability), the one that explains
//!    most. Where there is none, or none that explains [a twentieth](LensSearch::with_explained), nothing is chosen at this
//!    step. At step 0 that is so, for nothing has been learned.
//! 4. The first step that has such a look opens the lens, and groups are found anew in standing examples of its own. A
//!    later step exchanges it if its look explains more than the one that is held does of the same: the later examples are
//!    grouped under the earlier snapshot, too, by groups that are found again in the sets of that step, since how much
//!    can be explained differs from step to step. A search that [waits](LensSearch::waiting) opens the lens after the last
//!    of the steps, with the look and the snapshot that it holds by then.
//!
//! # The cost
//!
//! Three times as many gradients as a set has examples, a forward pass of fresh weights for one of the sets, and two
//! clusterings for every look, at each step of the search; and three sets of gradients for the look that is held.
//! Evaluations count the gradients, and the run folder keeps the table of looks (`looks.jsonl`).
//!
//! # When to use it
//!
//! Where nobody knows which layer shows the groups, when, and how many there are. It sees no labels; where examples carry
//! them, the table also says how well each look recovers them, for readers.

use std::fmt;
use std::sync::Arc;

use gradual_grad::{Metric, Part, Whitening};
use gradual_group::{GroupError, Grouping, Landmarks, Standing};
use serde::{Deserialize, Serialize};

use crate::error::TrainError;

/// The names of the metrics that are tried by default.
pub(crate) const WHITENED: &str = "whitened";
pub(crate) const KRONECKER: &str = "kronecker";

/// Makes the grouping of a look, in a metric, into so many groups.
pub type LookGrouping =
    dyn Fn(Metric, usize) -> Result<Box<dyn Grouping>, GroupError> + Send + Sync;

/// A search for a lens. See the [module](self).
///
/// ```
/// use gradual_train::{Lens, LensSearch};
///
/// let search = LensSearch::new(&["blocks.*.weight"], 800, 0)
///     .with_steps(&[100, 200])?
///     .with_groups(&[4, 8, 12])?;
/// let lens = Lens::searched(search);
/// # drop(lens);
/// # Ok::<(), gradual_train::TrainError>(())
/// ```
#[derive(Clone)]
pub struct LensSearch {
    pub(crate) steps: Vec<u64>,
    /// Globs; every parameter that matches one is looked at by itself.
    pub(crate) layers: Vec<String>,
    pub(crate) metrics: Vec<(String, Metric)>,
    pub(crate) groups: Vec<usize>,
    pub(crate) examples: usize,
    pub(crate) stability: f64,
    pub(crate) explained: f64,
    pub(crate) waits: bool,
    grouping: Arc<LookGrouping>,
}

impl fmt::Debug for LensSearch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LensSearch")
            .field("steps", &self.steps)
            .field("layers", &self.layers)
            .field("groups", &self.groups)
            .finish_non_exhaustive()
    }
}

impl LensSearch {
    /// A search over the parameters that match one of these globs, each by itself, in the metrics `whitened` and `kronecker`
    /// (damping 0.1), for 4, 6, 8 and 12 groups, after 50, 100, 200 and 300 steps, with sets of 400 examples, a
    /// stability of at least 0.9, and at least 0.05 of learning explained. The lens has [`Landmarks`] of `standing` examples, all of which are kept.
    pub fn new(layers: &[&str], standing: usize, seed: u64) -> Self {
        let landmarks = move |metric, groups: usize| -> Result<Box<dyn Grouping>, GroupError> {
            let landmarks = Landmarks::new(groups, metric, seed);
            let landmarks = landmarks.with_examples(standing)?.with_kept(usize::MAX)?;
            Ok(Box::new(landmarks))
        };
        Self::by(layers, landmarks)
    }

    /// The same with a grouping of one's own, made for a metric and a number of groups. It has to be one that keeps
    /// standing examples.
    pub fn by(
        layers: &[&str],
        grouping: impl Fn(Metric, usize) -> Result<Box<dyn Grouping>, GroupError>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self {
            steps: vec![50, 100, 200, 300],
            layers: layers.iter().map(|&glob| glob.to_owned()).collect(),
            metrics: metrics(Part::Gradients, 0.1),
            groups: vec![4, 6, 8, 12],
            examples: 400,
            stability: 0.9,
            explained: 0.05,
            waits: false,
            grouping: Arc::new(grouping),
        }
    }

    /// After how many steps of the run, or of its phase, looks are taken.
    ///
    /// # Errors
    ///
    /// [`TrainError::Search`] for none.
    pub fn with_steps(self, steps: &[u64]) -> Result<Self, TrainError> {
        let mut steps = steps.to_vec();
        steps.sort_unstable();
        steps.dedup();
        match steps.is_empty() {
            true => Err(refused("there are no steps at which looks are taken")),
            false => Ok(Self { steps, ..self }),
        }
    }

    /// The metrics, by the names that they have in the table of looks. What they look at is chosen.
    ///
    /// # Errors
    ///
    /// [`TrainError::Search`] for none.
    pub fn with_metrics(self, metrics: Vec<(String, Metric)>) -> Result<Self, TrainError> {
        match metrics.is_empty() {
            true => Err(refused("there are no metrics")),
            false => Ok(Self { metrics, ..self }),
        }
    }

    /// The numbers of groups.
    ///
    /// # Errors
    ///
    /// [`TrainError::Search`] for none, and for a number below 2: any two sets agree on a single group.
    pub fn with_groups(self, groups: &[usize]) -> Result<Self, TrainError> {
        match groups.iter().min() {
            None => Err(refused("there are no numbers of groups")),
            Some(&least) if least < 2 => Err(refused(
                "a number of groups is below 2; any two sets of examples agree on a single group",
            )),
            Some(_) => Ok(Self {
                groups: groups.to_vec(),
                ..self
            }),
        }
    }

    /// The number of examples of each set.
    ///
    /// # Errors
    ///
    /// [`TrainError::Setting`] for none.
    pub fn with_examples(self, examples: usize) -> Result<Self, TrainError> {
        match examples {
            0 => Err(TrainError::Setting {
                name: "examples of a look",
                least: 1,
                got: 0,
            }),
            examples => Ok(Self { examples, ..self }),
        }
    }

    /// The least stability of a look that may be chosen, 0 to 1.
    ///
    /// # Errors
    ///
    /// [`TrainError::Search`] for any other.
    pub fn with_stability(self, stability: f64) -> Result<Self, TrainError> {
        match (0.0..=1.0).contains(&stability) {
            true => Ok(Self { stability, ..self }),
            false => Err(refused("the least stability is a number from 0 to 1")),
        }
    }

    /// The least share of learning that a look which may be chosen explains, 0 to 1. Groups that have nothing to do with
    /// learning explain a little by chance: k of them among n examples 0 on average, with a deviation of about √(2(k − 1))/n.
    ///
    /// # Errors
    ///
    /// [`TrainError::Search`] for any other.
    pub fn with_explained(self, explained: f64) -> Result<Self, TrainError> {
        match (0.0..=1.0).contains(&explained) {
            true => Ok(Self { explained, ..self }),
            false => Err(refused("the least share explained is a number from 0 to 1")),
        }
    }

    /// Opens the lens after the last of the steps, with the look that explains most, in the place of the first step that has
    /// a look.
    #[must_use]
    pub fn waiting(self) -> Self {
        Self {
            waits: true,
            ..self
        }
    }

    /// The grouping of a look at the parameter `layer`.
    pub(crate) fn grouping(&self, look: &Look) -> Result<Box<dyn Grouping>, TrainError> {
        let (_, metric) = self
            .metrics
            .get(look.metric)
            .ok_or_else(|| refused("it has no such metric"))?;
        let metric = metric.clone().with_layers(&[look.layer.as_str()])?;
        Ok((self.grouping)(metric, look.groups)?)
    }

    /// Refuses what no look can be taken with.
    pub(crate) fn check(&self) -> Result<(), TrainError> {
        if self.layers.is_empty() {
            return Err(refused(
                "there are no layers to look at; name some by globs, as \"blocks.*.weight\"",
            ));
        }
        let most = self.groups.iter().max().copied().unwrap_or_default();
        if most > self.examples {
            return Err(refused(&format!(
                "a set of {} can't be {most} groups",
                match self.examples {
                    1 => String::from("1 example"),
                    examples => format!("{examples} examples"),
                }
            )));
        }
        let grouping = self.grouping(&Look {
            layer: self.layers[0].clone(),
            metric: 0,
            groups: most,
        })?;
        match grouping.wants() {
            Some(Standing::Fresh(_)) => Ok(grouping.check(self.examples)?),
            _ => Err(refused(
                "the grouping keeps no standing examples, so that two sets of them can't be compared; take landmarks",
            )),
        }
    }
}

/// The metrics that are tried by default, of a side of the layers, with the damping of the second.
pub(crate) fn metrics(part: Part, damping: f64) -> Vec<(String, Metric)> {
    let kronecker = Whitening::Kronecker { damping };
    let both = [
        (WHITENED, Metric::whitened()),
        (KRONECKER, Metric::whitened().with_whitening(kronecker)),
    ];
    let named = |(name, metric): (&str, Metric)| (name.to_owned(), metric.with_part(part));
    both.map(named).to_vec()
}

fn refused(problem: &str) -> TrainError {
    TrainError::Search {
        problem: problem.to_owned(),
    }
}

/// A layer, a metric by its place in the list, and a number of groups.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Look {
    pub(crate) layer: String,
    pub(crate) metric: usize,
    pub(crate) groups: usize,
}

/// The rule: of the looks with a stability of at least `least`, given beside what each explains, the one that explains
/// most; of equals the more stable, then the first. None where none of them explains anything, or `explained` of it.
pub(crate) fn choose(
    looks: &[(Option<f64>, Option<f64>)],
    least: f64,
    explained: f64,
) -> Option<usize> {
    let enough = explained;
    let mut best: Option<(f64, f64, usize)> = None;
    for (at, &(explained, stability)) in looks.iter().enumerate() {
        let stable = stability.filter(|&stability| stability >= least);
        let explains = explained.filter(|&explained| explained > 0.0 && explained >= enough);
        let (Some(stability), Some(explained)) = (stable, explains) else {
            continue;
        };
        let better = |(most, stablest, _): &(f64, f64, usize)| {
            explained > *most || (explained == *most && stability > *stablest)
        };
        if best.as_ref().is_none_or(better) {
            best = Some((explained, stability, at));
        }
    }
    best.map(|(_, _, at)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_takes_what_explains_most_and_is_stable() {
        let looks = [
            (Some(0.4), Some(0.99)),
            (Some(0.7), Some(0.91)),
            (Some(0.7), Some(0.95)),
            (Some(0.7), Some(0.95)),
            (Some(0.8), Some(0.89)),
            (Some(0.9), None),
            (None, Some(1.0)),
        ];
        assert_eq!(choose(&looks, 0.9, 0.05), Some(2));
        assert_eq!(choose(&looks, 0.85, 0.05), Some(4));
        assert_eq!(choose(&looks, 0.96, 0.05), Some(0));
        assert_eq!(choose(&looks, 1.0, 0.05), None);
        assert_eq!(choose(&[], 0.0, 0.0), None);
        // Groups that have nothing to do with learning.
        assert_eq!(
            choose(
                &[(Some(-0.01), Some(1.0)), (Some(0.0), Some(1.0))],
                0.9,
                0.0
            ),
            None
        );
        let little = [(Some(0.02), Some(1.0))];
        assert_eq!(choose(&little, 0.9, 0.05), None);
        assert_eq!(choose(&little, 0.9, 0.0), Some(0));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let search = || LensSearch::new(&["*"], 10, 0);
        for (refused, expected) in [
            (search().with_steps(&[]), "no steps"),
            (search().with_groups(&[]), "no numbers of groups"),
            (search().with_groups(&[4, 1]), "below 2"),
            (search().with_metrics(Vec::new()), "no metrics"),
            (search().with_stability(1.5), "from 0 to 1"),
            (search().with_stability(f64::NAN), "from 0 to 1"),
            (search().with_explained(-0.1), "least share explained"),
            (search().with_examples(0), "at least 1"),
        ] {
            let said = refused.map(drop).unwrap_err().to_string();
            assert!(said.contains(expected), "{said}");
        }
        let few = search().with_examples(8).unwrap().check().unwrap_err();
        assert!(few.to_string().contains("can't be 12 groups"), "{few}");
        let none = LensSearch::new(&[], 10, 0).check().unwrap_err();
        assert!(none.to_string().contains("no layers"), "{none}");
    }
}
