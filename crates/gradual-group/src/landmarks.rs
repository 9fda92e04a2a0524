//! Groups that last: standing examples that keep their group.

use burn::tensor::{Tensor, TensorData};
use gradual_grad::{ExampleGradients, Metric};

use crate::cosines::Cosines;
use crate::search::Clusters;
use crate::spectrum::{Spectrum, host};
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
    average: Average,
    standing: Option<Found>,
    /// Draws since the standing examples were shown.
    since: usize,
}

/// How landmarks are summed up.
#[derive(Debug, Clone, Copy)]
struct Axes {
    /// Directions of each group.
    count: usize,
    /// Singular pairs that are kept of each direction in each weight.
    rank: usize,
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
    now: Now,
}

/// What new examples are compared with.
#[derive(Debug, Clone)]
enum Now {
    /// The landmarks; entry (l, g) of the weights is 1 / (n_g ‖landmark l‖²) if l is of group g.
    Examples(ExampleGradients, Box<Tensor<2>>),
    /// The leading axes of each group, those of one group together, each as long as the root mean
    /// square of the unit landmarks' components along it.
    Axes(ExampleGradients),
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

    /// Compares new examples with the `kept` landmarks of each group that are most alike to it
    /// (`usize::MAX` for all) instead of with axes: the mean squared cosine itself, at the cost of as
    /// many inner products. Needs about as many landmarks as were clustered: a few are too noisy.
    #[must_use]
    pub fn with_kept(self, kept: usize) -> Self {
        Self {
            kept: kept.max(1),
            axes: None,
            ..self
        }
    }

    /// Sums the landmarks of each group up by their `count` leading axes, of which the `rank`
    /// leading singular pairs are kept in every weight: one and one by default.
    #[must_use]
    pub fn with_axes(self, count: usize, rank: usize) -> Self {
        let (count, rank) = (count.max(1), rank.max(1));
        Self {
            axes: Some(Axes { count, rank }),
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
            now: Now::Axes(gradients.clone()),
        })
    }
}

impl Found {
    /// The same landmarks with their gradients under the current model.
    fn renew(
        &mut self,
        gradients: &ExampleGradients,
        axes: Option<Axes>,
    ) -> Result<(), GroupError> {
        if self.kept.is_empty() {
            return Ok(());
        }
        let gradients = gradients.choose(&self.kept).map_err(refused)?;
        self.now = match axes {
            None => self.examples(gradients)?,
            Some(axes) => self.axes(&gradients, axes)?,
        };
        Ok(())
    }

    /// Number of landmarks in each group, `[k]`.
    fn sizes(&self) -> Vec<f64> {
        let mut sizes = vec![0.0; self.clusters.groups];
        for &group in &self.assignment {
            sizes[group] += 1.0;
        }
        sizes
    }

    fn examples(&self, gradients: ExampleGradients) -> Result<Now, GroupError> {
        let (l, k) = (self.kept.len(), self.clusters.groups);
        let norms = host(OPERATION, &gradients.norms())?;
        let all: Vec<usize> = (0..l).collect();
        self.finite(&norms, 1, &all)?;
        let sizes = self.sizes();
        let mut weights = vec![0.0f32; l * k];
        for (landmark, (&group, &norm)) in self.assignment.iter().zip(&norms).enumerate() {
            if norm > 0.0 {
                let square = f64::from(norm) * f64::from(norm);
                weights[landmark * k + group] = (1.0 / (sizes[group] * square)) as f32;
            }
        }
        let weights = Tensor::from_data(TensorData::new(weights, [l, k]), &gradients.device());
        Ok(Now::Examples(gradients, Box::new(weights)))
    }

    fn axes(&self, gradients: &ExampleGradients, axes: Axes) -> Result<Now, GroupError> {
        let condensed = (0..self.clusters.groups).map(|group| {
            let members = self.assignment.iter().enumerate();
            let members: Vec<usize> = members
                .filter(|(_, of)| **of == group)
                .map(|(landmark, _)| landmark)
                .collect();
            if members.is_empty() {
                let nothing = Tensor::zeros([axes.count, self.kept.len()], &gradients.device());
                return gradients.condense(&nothing, axes.rank).map_err(refused);
            }
            let own = gradients.choose(&members).map_err(refused)?;
            let gram = host(OPERATION, &own.gram())?;
            self.finite(&gram, members.len(), &members)?;
            own.condense(&leading(gram, axes.count, &own)?, axes.rank)
                .map_err(refused)
        });
        let condensed = condensed.collect::<Result<Vec<_>, _>>()?;
        let condensed = ExampleGradients::concat(&condensed).map_err(refused)?;
        Ok(Now::Axes(condensed))
    }

    /// Whether all numbers of some landmarks, `width` of each, are finite.
    fn finite(&self, values: &[f32], width: usize, of: &[usize]) -> Result<(), GroupError> {
        match values.iter().position(|value| !value.is_finite()) {
            None => Ok(()),
            Some(entry) => Err(GroupError::NotFinite {
                operation: OPERATION,
                example: self.kept[of[entry / width]],
            }),
        }
    }

    /// How alike n examples are to each group, up to a factor for each example, `[n, k]`.
    fn alike(
        &self,
        gradients: &ExampleGradients,
        axes: Option<Axes>,
    ) -> Result<Tensor<2>, GroupError> {
        match (&self.now, axes) {
            (Now::Examples(landmarks, weights), _) => {
                let products = gradients.cross_gram(landmarks).map_err(refused)?;
                Ok((products.clone() * products).matmul((**weights).clone()))
            }
            (Now::Axes(axes), Some(Axes { count, .. })) => {
                let (n, k) = (gradients.examples(), self.clusters.groups);
                let products = gradients.cross_gram(axes).map_err(refused)?;
                let squares = (products.clone() * products).reshape([n, k, count]);
                Ok(squares.sum_dim(2).reshape([n, k]))
            }
            (Now::Axes(_), None) => Err(GroupError::NoStanding {
                operation: OPERATION,
            }),
        }
    }

    /// The group of each of n examples: that of the largest mean squared cosine. None for a zero
    /// gradient.
    fn assign(
        &self,
        gradients: &ExampleGradients,
        axes: Option<Axes>,
    ) -> Result<Vec<Option<usize>>, GroupError> {
        let k = self.clusters.groups;
        if self.kept.is_empty() {
            return Ok(vec![None; gradients.examples()]);
        }
        let alike = host(OPERATION, &self.alike(gradients, axes)?)?;
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

/// Coefficients `[count, n]` of the leading axes of n gradients with this Gram matrix, each axis as
/// long as the root mean square of the unit gradients' components along it.
fn leading(
    gram: Vec<f32>,
    count: usize,
    gradients: &ExampleGradients,
) -> Result<Tensor<2>, GroupError> {
    let n = gradients.examples();
    let norms: Vec<f32> = (0..n).map(|j| gram[j * n + j].max(0.0).sqrt()).collect();
    let cosines = Cosines::of_gram(OPERATION, gram, n)?;
    let spectrum = Spectrum::leading_host(cosines.entries(), n, count.min(n))?;
    let mut coefficients = vec![0.0f32; count * n];
    let lengths = spectrum.singular_values().iter().enumerate();
    for (axis, &length) in lengths.filter(|(_, length)| **length > 0.0) {
        // a = Σ_l u_l ĝ_l / √n, with σ u from the spectrum.
        let scale = 1.0 / (length * (n as f64).sqrt());
        for (at, component) in spectrum.components(axis).enumerate() {
            if norms[at] > 0.0 {
                coefficients[axis * n + at] = (component * scale) as f32 / norms[at];
            }
        }
    }
    let coefficients = TensorData::new(coefficients, [count, n]);
    Ok(Tensor::from_data(coefficients, &gradients.device()))
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
        let found = self.standing.insert(found);
        found.renew(&gradients, self.axes)?;
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
            assignment: found.assign(&gradients, self.axes)?,
            ..found.clusters.clone()
        };
        self.since += 1;
        clusters.into_groups(self.average, &draw.device())
    }
}
