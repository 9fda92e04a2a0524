//! The examples that stand for groups.

use burn::tensor::{Tensor, TensorData};
use gradual_grad::ExampleGradients;

use super::{OPERATION, refused};
use crate::GroupError;
use crate::cosines::Cosines;
use crate::search::Clusters;
use crate::spectrum::{Spectrum, host};

/// How landmarks are summed up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Axes {
    /// Directions of each group.
    pub(super) count: usize,
    /// Singular pairs that are kept of each direction in each weight.
    pub(super) rank: usize,
}

/// The standing examples.
#[derive(Debug, Clone)]
pub(super) struct Found {
    /// How many are shown.
    pub(super) shown: usize,
    /// Which of them stay, and the group of each.
    pub(super) kept: Vec<usize>,
    pub(super) assignment: Vec<usize>,
    pub(super) clusters: Clusters,
    pub(super) now: Now,
}

/// What new examples are compared with.
#[derive(Debug, Clone)]
pub(super) enum Now {
    /// The landmarks; entry (l, g) of the weights is 1 / (n_g ‖landmark l‖²) if l is of group g.
    Examples(ExampleGradients, Box<Tensor<2>>),
    /// The leading axes of each group, those of one group together, each as long as the root mean
    /// square of the unit landmarks' components along it.
    Axes(ExampleGradients),
}

impl Found {
    /// The same landmarks with their gradients under the current model.
    pub(super) fn renew(
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

    pub(super) fn examples(&self, gradients: ExampleGradients) -> Result<Now, GroupError> {
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
    pub(super) fn assign(
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
