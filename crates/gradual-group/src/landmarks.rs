//! Groups that last: standing examples that keep their group.

use burn::tensor::{Tensor, TensorData};
use gradual_grad::{ExampleGradients, Metric};

use crate::cosines::Cosines;
use crate::search::Clusters;
use crate::spectrum::host;
use crate::{Average, Draw, GroupError, Grouping, Groups, HowMany, Needs, Spectral, Standing};

const OPERATION: &str = "landmarks";

/// Groups found once in a large draw, whose examples then stay as landmarks.
///
/// # The idea
///
/// Groups formed anew in every draw are noisy, need large draws and have no identity. Here one large
/// draw is clustered once, before training, and its examples stay: they keep their group for ever,
/// and only their gradients are taken again as the model changes. A new example joins the group
/// with the largest mean squared cosine to its landmarks. Squares do not see the sign: examples of
/// one capability with opposite labels have opposite gradients.
///
/// # Steps and cost
///
/// Once: the gradients of `examples` examples, [`Spectral`] clustering of their squared cosines in
/// the metric, and in each group the `kept` examples most alike to it. Every `every` draws: the
/// gradients of the standing examples again. In each draw of n: the inner products of n gradients
/// with k·`kept` landmarks, 2 n k `kept` (d + e) operations for a layer `[d, e]` at one position.
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
    every: usize,
    average: Average,
    standing: Option<Found>,
    /// Draws since the standing examples were shown.
    since: usize,
}

/// The standing examples.
#[derive(Debug, Clone)]
struct Found {
    /// How many are shown.
    shown: usize,
    /// Which of them stay, and the group of each.
    kept: Vec<usize>,
    assignment: Vec<usize>,
    clusters: Clusters,
    gradients: ExampleGradients,
    /// Entry (l, g) is 1 / (n_g ‖landmark l‖²) if l is of group g.
    weights: Tensor<2>,
}

impl Landmarks {
    /// Groups in a metric: 1 500 examples, 16 kept in each group, gradients taken again every 10
    /// draws. The number of groups may be given or chosen by a rule.
    pub fn new(groups: impl Into<HowMany>, metric: Metric, seed: u64) -> Self {
        Self {
            spectral: Spectral::new(groups, seed),
            metric,
            examples: 1_500,
            kept: 16,
            every: 10,
            average: Average::Mean,
            standing: None,
            since: 0,
        }
    }

    /// How many examples are clustered.
    #[must_use]
    pub fn with_examples(self, examples: usize) -> Self {
        Self {
            examples: examples.max(1),
            ..self
        }
    }

    /// How many landmarks stay in each group; `usize::MAX` for all.
    #[must_use]
    pub fn with_kept(self, kept: usize) -> Self {
        Self {
            kept: kept.max(1),
            ..self
        }
    }

    /// After how many draws the landmarks' gradients are taken again.
    #[must_use]
    pub fn with_every(self, every: usize) -> Self {
        Self {
            every: every.max(1),
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

    /// The group of each standing example at the time that it was found, `[examples]`, once there
    /// are any.
    pub fn found(&self) -> Option<&[Option<usize>]> {
        let found = self.standing.as_ref()?;
        Some(&found.clusters.assignment)
    }

    /// Clusters the standing examples.
    fn find(&mut self, gradients: &ExampleGradients) -> Result<Found, GroupError> {
        let n = gradients.examples();
        let cosines = Cosines::of_gram(OPERATION, host(OPERATION, &gradients.gram())?, n)?;
        let similarities = cosines.similarity(self.spectral.similarity());
        let clusters = self.spectral.clusters(&similarities)?;
        let (mut kept, mut assignment) = (Vec::new(), Vec::new());
        for group in 0..clusters.groups {
            let members: Vec<usize> = (0..n)
                .filter(|&j| clusters.assignment[j] == Some(group))
                .collect();
            let alike = |j: usize| -> f32 {
                let row = similarities.row(j);
                members.iter().map(|&other| row[other]).sum()
            };
            let mut ranked: Vec<(f32, usize)> = members.iter().map(|&j| (alike(j), j)).collect();
            ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            for (_, j) in ranked.into_iter().take(self.kept) {
                kept.push(j);
                assignment.push(group);
            }
        }
        Ok(Found {
            shown: n,
            kept,
            assignment,
            clusters,
            gradients: gradients.clone(),
            weights: Tensor::zeros([1, 1], &gradients.norms().device()),
        })
    }
}

impl Found {
    /// The same landmarks with their gradients under the current model.
    fn renewed(self, gradients: &ExampleGradients) -> Result<Self, GroupError> {
        let gradients = gradients.choose(&self.kept).map_err(refused)?;
        let (l, k) = (self.kept.len(), self.clusters.groups);
        let norms = gradients.norms();
        let device = norms.device();
        let norms = host(OPERATION, &norms)?;
        if let Some(example) = norms.iter().position(|norm| !norm.is_finite()) {
            return Err(GroupError::NotFinite {
                operation: OPERATION,
                example: self.kept[example],
            });
        }
        let mut sizes = vec![0.0f64; k];
        for &group in &self.assignment {
            sizes[group] += 1.0;
        }
        let mut weights = vec![0.0f32; l * k];
        for (landmark, (&group, &norm)) in self.assignment.iter().zip(&norms).enumerate() {
            if norm > 0.0 {
                let square = f64::from(norm) * f64::from(norm);
                weights[landmark * k + group] = (1.0 / (sizes[group] * square)) as f32;
            }
        }
        Ok(Self {
            weights: Tensor::from_data(TensorData::new(weights, [l, k]), &device),
            gradients,
            ..self
        })
    }

    /// The group of each of n examples: that of the largest mean squared cosine. None for a zero
    /// gradient.
    fn assign(&self, gradients: &ExampleGradients) -> Result<Vec<Option<usize>>, GroupError> {
        let k = self.clusters.groups;
        if self.kept.is_empty() {
            return Ok(vec![None; gradients.examples()]);
        }
        let products = gradients.cross_gram(&self.gradients).map_err(refused)?;
        let alike = (products.clone() * products).matmul(self.weights.clone());
        let alike = host(OPERATION, &alike)?;
        if let Some(entry) = alike.iter().position(|value| !value.is_finite()) {
            return Err(GroupError::NotFinite {
                operation: OPERATION,
                example: entry / k,
            });
        }
        let best = |row: &[f32]| {
            let best = row.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
            best.filter(|(_, alike)| **alike > 0.0)
                .map(|(group, _)| group)
        };
        Ok(alike.chunks(k).map(best).collect())
    }
}

fn refused(source: gradual_grad::GradError) -> GroupError {
    GroupError::Gradients {
        operation: OPERATION,
        source,
    }
}

impl Grouping for Landmarks {
    fn needs(&self) -> Needs {
        Needs::Gradients
    }

    fn wants(&self) -> Option<Standing> {
        match &self.standing {
            None => Some(Standing::Fresh(self.examples)),
            Some(_) if self.since >= self.every => Some(Standing::Again),
            Some(_) => None,
        }
    }

    fn stand(&mut self, standing: &Draw<'_>) -> Result<(), GroupError> {
        let gradients = standing.gradients(OPERATION)?;
        self.metric.observe(gradients).map_err(refused)?;
        let gradients = self.metric.apply(gradients).map_err(refused)?;
        let found = match self.standing.take() {
            Some(found) if found.shown != gradients.examples() => {
                let expected = found.shown;
                self.standing = Some(found);
                return Err(GroupError::Standing {
                    operation: OPERATION,
                    expected,
                    got: gradients.examples(),
                });
            }
            Some(found) => found,
            None => self.find(&gradients)?,
        };
        self.standing = Some(found.renewed(&gradients)?);
        self.since = 0;
        Ok(())
    }

    fn group(&mut self, draw: &Draw<'_>) -> Result<Groups, GroupError> {
        let gradients = draw.gradients(OPERATION)?;
        let found = self.standing.as_ref().ok_or(GroupError::NoStanding {
            operation: OPERATION,
        })?;
        let gradients = self.metric.apply(gradients).map_err(refused)?;
        let clusters = Clusters {
            assignment: found.assign(&gradients)?,
            ..found.clusters.clone()
        };
        self.since += 1;
        clusters.into_groups(self.average, &draw.device())
    }
}
