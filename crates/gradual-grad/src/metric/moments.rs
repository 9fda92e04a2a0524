//! Running moments of the factors of one parameter, and the factors scaled by them.

use burn::tensor::{DType, IndexingUpdateOp, Tensor, TensorData};
use faer::linalg::solvers::DenseSolveCore;
use faer::{Mat, Side as Triangle};

use super::{Part, Whitening};
use crate::GradError;
use crate::factor::precision::widest_of;
use crate::factor::{Factor, Inputs, Lookups, Outer, Tied};
use crate::host::read;

/// A coordinate whose standard deviation is below this share of the largest one does not vary.
const FLAT: f64 = 1e-6;

/// Least share of the mean diagonal entry that is added to a covariance: a coordinate that is always
/// zero stays zero.
const LEAST_DAMPING: f64 = 1e-12;

/// Why moments can't be used.
pub(super) enum Problem {
    /// A covariance has no Cholesky factor.
    Singular,
    /// Moments could not be read from the device.
    Read(String),
    /// They are of a parameter of another shape.
    Shape,
    /// They are of another form of gradient.
    Form,
    /// A covariance is not finite, so a gradient is not.
    NotFinite,
}

impl Problem {
    pub(super) fn at(self, path: &str) -> GradError {
        let path = path.to_owned();
        let problem = match self {
            Self::NotFinite => return GradError::NotFinite { path },
            Self::Singular => "its covariance has no Cholesky factor; raise the damping".to_owned(),
            Self::Shape => "were taken of a parameter of another shape".to_owned(),
            Self::Form => "were taken where other kinds of layers used it; observe a draw of this \
                           model first"
                .to_owned(),
            Self::Read(problem) => format!("could not be read from the device: {problem}"),
        };
        GradError::Moments { path, problem }
    }
}

/// Running moments of a factor.
#[derive(Debug, Clone)]
pub(super) struct Moments {
    pub(super) kind: Kind,
    /// Running mean of the squared norm of a row in the metric.
    pub(super) size: Running<1>,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// Nothing is scaled but the whole.
    Plain,
    Outer {
        left: Box<Vectors>,
        right: Box<Vectors>,
    },
    Scatter {
        frequency: Box<Running<1>>,
        right: Box<Vectors>,
    },
    Stack(Vec<Kind>),
    Rows(Box<Vectors>),
}

/// An exponential mean without bias towards the start.
#[derive(Debug, Clone)]
pub(super) struct Running<const D: usize> {
    pub(super) sum: Tensor<D>,
    pub(super) weight: f64,
}

impl<const D: usize> Running<D> {
    fn after(before: Option<Self>, value: Tensor<D>, memory: f64) -> Self {
        match before {
            Some(before) if before.sum.dims() == value.dims() => Self {
                sum: before.sum.cast(value.dtype()) * memory + value,
                weight: before.weight * memory + 1.0,
            },
            _ => Self {
                sum: value,
                weight: 1.0,
            },
        }
    }

    fn mean(&self, precision: DType) -> Tensor<D> {
        self.sum.clone().cast(precision) / self.weight
    }
}

/// Moments of vectors `[rows, d]`.
#[derive(Debug, Clone)]
pub(super) struct Vectors {
    /// None where vectors are not centred.
    pub(super) mean: Option<Running<1>>,
    /// Of the squares of the coordinates.
    pub(super) square: Running<1>,
    /// Of all products, and the matrix that whitens by them: their covariance until [`whiten`] has read it.
    pub(super) product: Option<(Running<2>, Tensor<2>)>,
}

impl Vectors {
    fn after(
        before: Option<Self>,
        vectors: Tensor<2>,
        centred: bool,
        whitening: Whitening,
        memory: f64,
    ) -> Self {
        let [rows, d] = vectors.dims();
        let (mean, square, product) = match before {
            Some(before) => (before.mean, Some(before.square), before.product),
            None => (None, None, None),
        };
        let average = |values: Tensor<2>| values.mean_dim(0).reshape([d]);
        let mean = centred.then(|| Running::after(mean, average(vectors.clone()), memory));
        let square = Running::after(square, average(vectors.clone() * vectors.clone()), memory);
        let product = (whitening != Whitening::Coordinates).then(|| {
            let precision = vectors.dtype();
            let products = vectors.clone().transpose().matmul(vectors) / rows as f64;
            let running = Running::after(product.map(|(running, _)| running), products, memory);
            let mut covariance = running.mean(precision);
            if let Some(mean) = &mean {
                let mean = mean.mean(precision);
                covariance = covariance - mean.clone().reshape([d, 1]) * mean.reshape([1, d]);
            }
            (running, covariance)
        });
        Self {
            mean,
            square,
            product,
        }
    }

    /// Moments of squares alone, from their mean over a draw.
    fn of_squares(before: Option<Self>, squares: Tensor<1>, memory: f64) -> Self {
        Self {
            mean: None,
            square: Running::after(before.map(|before| before.square), squares, memory),
            product: None,
        }
    }

    fn apply<const D: usize>(&self, vectors: Tensor<D>) -> Tensor<D> {
        let (dims, precision) = (vectors.dims(), vectors.dtype());
        let d = dims[D - 1];
        let mut flat: Tensor<2> = vectors.reshape([-1, d as i32]);
        if let Some(mean) = &self.mean {
            flat = flat - mean.mean(precision).reshape([1, d]);
        }
        let flat = match &self.product {
            Some((_, matrix)) => flat.matmul(matrix.clone().cast(precision)),
            None => flat * self.scale(precision).reshape([1, d]),
        };
        flat.reshape(dims)
    }

    /// One over the standard deviation of each coordinate, or over its root mean square where vectors are not centred.
    fn scale(&self, precision: DType) -> Tensor<1> {
        let square = self.square.mean(precision);
        let variance = match &self.mean {
            None => square.clone(),
            Some(mean) => {
                let mean = mean.mean(precision);
                square.clone() - mean.clone() * mean
            }
        };
        inverse_root(variance, square)
    }
}

/// 1/√variance, 0 where the coordinate does not vary.
fn inverse_root(variance: Tensor<1>, square: Tensor<1>) -> Tensor<1> {
    // A variance is a difference of two numbers of the size of the mean square.
    let floor = square.clone() * FLAT + square.max() * (FLAT * FLAT);
    let flat = variance.clone().lower_equal(floor);
    variance.sqrt().recip().mask_fill(flat, 0.0)
}

/// Puts the whitening matrices in the place of their covariances, which are read together.
///
/// # Errors
///
/// The path of a parameter and what is wrong with its covariance.
pub(super) fn whiten(kinds: &mut [(String, Kind)], damping: f64) -> Result<(), GradError> {
    let mut matrices: Vec<(&str, &mut Tensor<2>)> = Vec::new();
    for (path, kind) in kinds {
        let mut own = Vec::new();
        kind.covariances(&mut own);
        matrices.extend(own.into_iter().map(|matrix| (path.as_str(), matrix)));
    }
    let Some((first, _)) = matrices.first() else {
        return Ok(());
    };
    let flat: Vec<Tensor<1>> = matrices
        .iter()
        .map(|(_, matrix)| (*matrix).clone().flatten(0, 1))
        .collect();
    let wide = widest_of(&flat).unwrap_or(DType::F32);
    let flat = flat.into_iter().map(|matrix| matrix.cast(wide)).collect();
    let values = read::<f64, 1>(Tensor::cat(flat, 0));
    let mut values = &*values.map_err(|problem| Problem::Read(problem).at(first))?;
    for (path, matrix) in matrices {
        let (covariance, rest) = values.split_at(matrix.shape().num_elements());
        *matrix = whitener(covariance, matrix, damping).map_err(|problem| problem.at(path))?;
        values = rest;
    }
    Ok(())
}

/// W with W Wᵀ = (C + damping)⁻¹, from the Cholesky factor on the host.
fn whitener(values: &[f64], like: &Tensor<2>, damping: f64) -> Result<Tensor<2>, Problem> {
    let [d, _] = like.dims();
    let like = (like.device(), like.dtype());
    if values.iter().any(|value| !value.is_finite()) {
        return Err(Problem::NotFinite);
    }
    let trace: f64 = (0..d).map(|i| values[i * d + i]).sum();
    if trace == 0.0 {
        return Ok(Tensor::zeros([d, d], (&like.0, like.1)));
    }
    let added = damping.max(LEAST_DAMPING) * trace / d as f64;
    let damped = Mat::from_fn(d, d, |i, j| {
        values[i * d + j] + if i == j { added } else { 0.0 }
    });
    // Of the inverse, so that the factor multiplies from the right.
    let inverse = damped
        .llt(Triangle::Lower)
        .map_err(|_| Problem::Singular)?
        .inverse();
    let factor = inverse
        .llt(Triangle::Lower)
        .map_err(|_| Problem::Singular)?;
    let lower = factor.L();
    let entries: Vec<f64> = (0..d * d)
        .map(|entry| lower[(entry / d, entry % d)])
        .collect();
    Ok(Tensor::from_data(
        TensorData::new(entries, [d, d]).convert_dtype(like.1),
        (&like.0, like.1),
    ))
}

impl Moments {
    /// The moments after one more draw, whose kind they are given.
    pub(super) fn after(
        kind: Kind,
        size: Option<Running<1>>,
        factor: &Factor,
        part: Part,
        memory: f64,
    ) -> Self {
        let scaled = kind.apply(factor.clone()).part(part);
        let norms = scaled.as_ref().map(Factor::squared_norms);
        let none = || Tensor::zeros([1], (&factor.device(), factor.dtype()));
        let norm = norms.unwrap_or_else(none);
        Self {
            size: Running::after(size, norm.mean(), memory),
            kind,
        }
    }

    /// Whether a factor has the coordinates that the moments are of.
    pub(super) fn fit(&self, factor: &Factor) -> Result<(), Problem> {
        self.kind.fit(factor)
    }

    /// The factor in the metric; none where it has no such part.
    pub(super) fn apply(&self, factor: Factor, part: Part, balanced: bool) -> Option<Factor> {
        let scaled = self.kind.apply(factor).part(part)?;
        if !balanced {
            return Some(scaled);
        }
        let size = self.size.mean(scaled.dtype());
        let zero = size.clone().lower_equal_elem(0.0);
        Some(scaled.scale(size.sqrt().recip().mask_fill(zero, 0.0)))
    }
}

impl Factor {
    /// One side of the layer, summed over positions; none where there is no such side.
    fn part(self, part: Part) -> Option<Self> {
        match (part, self) {
            (Part::Gradients, factor) => Some(factor),
            (_, Self::Outer(outer)) => Some(Self::sum(outer.side(part)?)),
            (Part::Inputs, Self::Scatter(lookups)) => Some(Self::Scatter(ones(&lookups))),
            (_, Self::Scatter(lookups)) => Some(Self::sum(lookups.deltas)),
            (_, Self::Tied(tied)) => {
                // The look-ups have their inputs left.
                let side = match tied.inputs() {
                    Inputs::Left => Self::sum(tied.outer.side(part)?),
                    _ => return None,
                };
                let looked = match part {
                    Part::Inputs => Self::Rows(Self::Scatter(ones(&tied.lookups)).rows()),
                    _ => Self::sum(tied.lookups.deltas),
                };
                Self::merge(vec![looked, side])
            }
            (_, Self::Stack(parts)) => {
                let parts: Option<Vec<_>> = parts.into_iter().map(|each| each.part(part)).collect();
                parts.map(Self::Stack)
            }
            (Part::Inputs, Self::Rows(_)) => None,
            (_, rows @ Self::Rows(_)) => Some(rows),
        }
    }
}

impl Outer {
    /// One side of the layer; none where sides are mixed.
    fn side(self, part: Part) -> Option<Tensor<3>> {
        match (part, self.inputs) {
            (_, Inputs::Mixed) => None,
            (Part::Inputs, Inputs::Left) | (Part::OutputGradients, Inputs::Right) => {
                Some(self.left)
            }
            _ => Some(self.right),
        }
    }
}

/// The one-hot inputs of look-ups, as look-ups of ones.
fn ones(lookups: &Lookups) -> Lookups {
    let [n, t, _] = lookups.deltas.dims();
    let like = (&lookups.deltas.device(), lookups.deltas.dtype());
    lookups.with_deltas(Tensor::ones([n, t, 1], like))
}

/// The share of positions that look up each row, `[rows]`.
fn frequency(lookups: &Lookups) -> Tensor<1> {
    let [n, t, _] = lookups.deltas.dims();
    let like = (&lookups.deltas.device(), lookups.deltas.dtype());
    let share = Tensor::<1>::full([n * t], 1.0 / (n * t) as f64, like);
    Tensor::<1>::zeros([lookups.rows], like).select_assign(
        0,
        lookups.indices.clone().reshape([n * t]),
        share,
        IndexingUpdateOp::Add,
    )
}

/// Look-ups whose rows and vectors are scaled: a one-hot input is not centred, to keep it one-hot.
fn scaled(lookups: &Lookups, rows: Tensor<1>, right: &Vectors) -> Lookups {
    let [n, t, _] = lookups.deltas.dims();
    let scale = rows.select(0, lookups.indices.clone().reshape([n * t]));
    let deltas = right.apply(lookups.deltas.clone());
    lookups.with_deltas(deltas * scale.reshape([n, t, 1]))
}

/// `[n, t, d]` as `[n t, d]`.
fn flat(side: &Tensor<3>) -> Tensor<2> {
    let [n, t, d] = side.dims();
    side.clone().reshape([n * t, d])
}

impl Kind {
    /// The moments after one more draw; where they have covariances, [`whiten`] comes next.
    pub(super) fn after(
        before: Option<Self>,
        factor: &Factor,
        whitening: Whitening,
        memory: f64,
    ) -> Self {
        if whitening == Whitening::None {
            return Self::Plain;
        }
        let vectors = |before: Option<Box<Vectors>>, vectors, centred, whitening| {
            let before = before.map(|before| *before);
            Box::new(Vectors::after(before, vectors, centred, whitening, memory))
        };
        let sides = |before| match before {
            Some(Self::Outer { left, right }) => (Some(left), Some(right)),
            _ => (None, None),
        };
        match factor {
            Factor::Outer(Outer {
                left,
                right,
                inputs,
                ..
            }) => {
                let (l, r) = sides(before);
                Self::Outer {
                    left: vectors(l, flat(left), *inputs == Inputs::Left, whitening),
                    right: vectors(r, flat(right), *inputs == Inputs::Right, whitening),
                }
            }
            Factor::Scatter(lookups) => {
                let (hits, right) = match before {
                    Some(Self::Scatter { frequency, right }) => (Some(*frequency), Some(right)),
                    _ => (None, None),
                };
                Self::Scatter {
                    frequency: Box::new(Running::after(hits, frequency(lookups), memory)),
                    right: vectors(right, flat(&lookups.deltas), false, whitening),
                }
            }
            // The table's rows are scaled one by one, as those of look-ups alone: of all products of them there would
            // be rows². The moments are those of the one-hot inputs and the outer product's left side together.
            Factor::Tied(tied) => {
                let Tied { lookups, outer, .. } = &**tied;
                let (l, r) = sides(before);
                let (t, s) = (lookups.deltas.dims()[1] as f64, outer.left.dims()[1] as f64);
                let left = flat(&outer.left);
                let squares = (left.clone() * left).mean_dim(0).reshape([lookups.rows]);
                let squares = frequency(lookups) * (t / (t + s)) + squares * (s / (t + s));
                let both = Tensor::cat(vec![flat(&lookups.deltas), flat(&outer.right)], 0);
                Self::Outer {
                    left: Box::new(Vectors::of_squares(l.map(|left| *left), squares, memory)),
                    right: vectors(r, both, false, whitening),
                }
            }
            Factor::Stack(parts) => {
                let before = match before {
                    Some(Self::Stack(before)) => before,
                    _ => Vec::new(),
                };
                let mut before = before.into_iter();
                let parts = parts
                    .iter()
                    .map(|part| Self::after(before.next(), part, whitening, memory));
                Self::Stack(parts.collect())
            }
            // Of all products of their coordinates there would be p².
            Factor::Rows(rows) => {
                let before = match before {
                    Some(Self::Rows(before)) => Some(before),
                    _ => None,
                };
                Self::Rows(vectors(before, rows.clone(), false, Whitening::Coordinates))
            }
        }
    }

    /// The matrices that [`whiten`] is to replace.
    fn covariances<'a>(&'a mut self, found: &mut Vec<&'a mut Tensor<2>>) {
        let mut of = |vectors: &'a mut Vectors| {
            found.extend(vectors.product.as_mut().map(|(_, matrix)| matrix));
        };
        match self {
            Self::Plain => {}
            Self::Outer { left, right } => {
                of(left);
                of(right);
            }
            Self::Scatter { right, .. } => of(right),
            Self::Rows(rows) => of(rows),
            Self::Stack(kinds) => {
                for kind in kinds {
                    kind.covariances(found);
                }
            }
        }
    }

    /// Whether the moments are of the form and of as many coordinates as a factor.
    fn fit(&self, factor: &Factor) -> Result<(), Problem> {
        let wide = |moments: &Vectors, vectors: usize| moments.square.sum.dims() == [vectors];
        let sides = factor.sides().unwrap_or_default();
        let fits = match (self, factor) {
            (Self::Plain, _) => true,
            (Self::Outer { left, right }, Factor::Outer(_) | Factor::Tied(_)) => {
                // The rows of a tied table are not whitened by each other.
                if left.product.is_some() && matches!(factor, Factor::Tied(_)) {
                    return Err(Problem::Form);
                }
                wide(left, sides.0) && wide(right, sides.1)
            }
            (Self::Scatter { frequency, right }, Factor::Scatter(_)) => {
                frequency.sum.dims() == [sides.0] && wide(right, sides.1)
            }
            (Self::Stack(kinds), Factor::Stack(parts)) if kinds.len() == parts.len() => {
                let mut pairs = kinds.iter().zip(parts);
                return pairs.try_for_each(|(kind, part)| kind.fit(part));
            }
            (Self::Rows(moments), Factor::Rows(rows)) => wide(moments, rows.dims()[1]),
            _ => return Err(Problem::Form),
        };
        match fits {
            true => Ok(()),
            false => Err(Problem::Shape),
        }
    }

    /// The factor scaled, which the moments [fit](Self::fit).
    fn apply(&self, factor: Factor) -> Factor {
        match (self, factor) {
            (Self::Outer { left, right }, Factor::Outer(outer)) => Factor::of_sides(
                left.apply(outer.left),
                right.apply(outer.right),
                outer.inputs,
            ),
            (Self::Outer { left, right }, Factor::Tied(tied)) => {
                let Tied { lookups, outer, .. } = *tied;
                let rows = left.scale(lookups.deltas.dtype());
                let looked = scaled(&lookups, rows, right);
                let (x, deltas) = (left.apply(outer.left), right.apply(outer.right));
                Factor::tied(looked, Outer::new(x, deltas, outer.inputs))
            }
            (Self::Scatter { frequency, right }, Factor::Scatter(lookups)) => {
                let frequency = frequency.mean(lookups.deltas.dtype());
                let rows = inverse_root(frequency.clone(), frequency);
                Factor::Scatter(scaled(&lookups, rows, right))
            }
            (Self::Stack(kinds), Factor::Stack(parts)) => Factor::Stack(
                kinds
                    .iter()
                    .zip(parts)
                    .map(|(kind, part)| kind.apply(part))
                    .collect(),
            ),
            (Self::Rows(moments), Factor::Rows(rows)) => Factor::Rows(moments.apply(rows)),
            (_, factor) => factor,
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Distribution, Int};

    use super::*;

    /// Look-ups as outer products with one-hot rows.
    fn dense(lookups: &Lookups) -> Factor {
        let [n, t, _] = lookups.deltas.dims();
        let one_hot: Tensor<3> = lookups.indices.clone().one_hot(lookups.rows).float();
        Factor::outer(
            one_hot
                .reshape([n, t, lookups.rows])
                .cast(lookups.deltas.dtype()),
            lookups.deltas.clone(),
        )
    }

    #[test]
    fn a_tied_table_is_scaled_as_its_dense_twin() {
        let device = Device::flex();
        let random = |n, t, d| {
            let like = (&device, DType::F64);
            Tensor::<3>::random([n, t, d], Distribution::Uniform(-1.0, 1.0), like)
        };
        let (n, t, s, rows, e) = (7, 5, 3, 6, 4);
        let indices = Tensor::<2, Int>::from_data(
            TensorData::new((0..n * t).map(|i| (i * i % 5) as i64).collect(), [n, t]),
            &device,
        );
        let looked = Lookups::new(indices, random(n, t, e), rows);
        let read = Factor::of_sides(random(n, s, rows), random(n, s, e), Inputs::Right);
        let tied = Factor::merge(vec![Factor::Scatter(looked.clone()), read.clone()]).unwrap();
        let twin = Factor::merge(vec![dense(&looked), read]).unwrap();
        assert!(matches!(
            (&tied, &twin),
            (Factor::Tied(_), Factor::Outer(_))
        ));

        let kronecker = Whitening::Kronecker { damping: 0.1 };
        let moments = |factor: &Factor, whitening| {
            let once = Kind::after(None, factor, whitening, 0.5);
            let mut kinds = vec![(
                "p".to_owned(),
                Kind::after(Some(once), factor, whitening, 0.5),
            )];
            whiten(&mut kinds, 0.1).unwrap();
            kinds.remove(0).1
        };
        for whitening in [Whitening::Coordinates, kronecker] {
            let found = moments(&tied, whitening).apply(tied.clone());
            // The table's rows are scaled one by one, whatever the whitening.
            let expected = match (
                moments(&twin, Whitening::Coordinates),
                moments(&twin, whitening),
            ) {
                (Kind::Outer { left, .. }, Kind::Outer { right, .. }) => {
                    Kind::Outer { left, right }
                }
                _ => unreachable!("the twin is an outer product"),
            };
            let expected = expected.apply(twin.clone()).rows();
            let off: f64 = (found.rows() - expected).abs().max().into_scalar();
            assert!(off < 1e-10, "{off}");
        }
    }
}
