//! Running moments of the factors of one parameter, and the factors scaled by them.

use burn::tensor::{Device, IndexingUpdateOp, Tensor, TensorData};
use faer::linalg::solvers::DenseSolveCore;
use faer::{Mat, Side as Triangle};

use super::{Part, Whitening};
use crate::GradError;
use crate::factor::{Factor, Inputs};
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
}

impl Problem {
    pub(super) fn at(self, path: &str) -> GradError {
        GradError::Moments {
            path: path.to_owned(),
            problem: match self {
                Self::Singular => {
                    "its covariance has no Cholesky factor; raise the damping".to_owned()
                }
                Self::Shape => "were taken of a parameter of another shape".to_owned(),
                Self::Read(problem) => format!("could not be read from the device: {problem}"),
            },
        }
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
                sum: before.sum * memory + value,
                weight: before.weight * memory + 1.0,
            },
            _ => Self {
                sum: value,
                weight: 1.0,
            },
        }
    }

    fn mean(&self) -> Tensor<D> {
        self.sum.clone() / self.weight
    }
}

/// Moments of vectors `[rows, d]`.
#[derive(Debug, Clone)]
pub(super) struct Vectors {
    /// None where vectors are not centred.
    pub(super) mean: Option<Running<1>>,
    /// Of the squares of the coordinates.
    pub(super) square: Running<1>,
    /// Of all products, and the matrix that whitens by them.
    pub(super) product: Option<(Running<2>, Tensor<2>)>,
}

impl Vectors {
    fn after(
        before: Option<Self>,
        vectors: Tensor<2>,
        centred: bool,
        whitening: Whitening,
        memory: f64,
    ) -> Result<Self, Problem> {
        let [rows, d] = vectors.dims();
        let (mean, square, product) = match before {
            Some(before) => (before.mean, Some(before.square), before.product),
            None => (None, None, None),
        };
        let average = |values: Tensor<2>| values.mean_dim(0).reshape([d]);
        let mean = centred.then(|| Running::after(mean, average(vectors.clone()), memory));
        let square = Running::after(square, average(vectors.clone() * vectors.clone()), memory);
        let product = match whitening {
            Whitening::Kronecker { damping } => {
                let products = vectors.clone().transpose().matmul(vectors) / rows as f64;
                let running = Running::after(product.map(|(running, _)| running), products, memory);
                let mut covariance = running.mean();
                if let Some(mean) = &mean {
                    let mean = mean.mean();
                    covariance = covariance - mean.clone().reshape([d, 1]) * mean.reshape([1, d]);
                }
                let matrix = whitener(covariance, damping)?;
                Some((running, matrix))
            }
            _ => None,
        };
        Ok(Self {
            mean,
            square,
            product,
        })
    }

    fn apply<const D: usize>(&self, vectors: Tensor<D>) -> Tensor<D> {
        let dims = vectors.dims();
        let d = dims[D - 1];
        let mut flat: Tensor<2> = vectors.reshape([-1, d as i32]);
        let mut variance = self.square.mean();
        if let Some(mean) = &self.mean {
            let mean = mean.mean();
            flat = flat - mean.clone().reshape([1, d]);
            variance = variance - mean.clone() * mean;
        }
        let flat = match &self.product {
            Some((_, matrix)) => flat.matmul(matrix.clone()),
            None => flat * inverse_root(variance, self.square.mean()).reshape([1, d]),
        };
        flat.reshape(dims)
    }
}

/// 1/√variance, 0 where the coordinate does not vary.
fn inverse_root(variance: Tensor<1>, square: Tensor<1>) -> Tensor<1> {
    // A variance is a difference of two numbers of the size of the mean square.
    let floor = square.clone() * FLAT + square.max() * (FLAT * FLAT);
    let flat = variance.clone().lower_equal(floor);
    variance.sqrt().recip().mask_fill(flat, 0.0)
}

/// W with W Wᵀ = (C + damping)⁻¹, from the Cholesky factor on the host.
fn whitener(covariance: Tensor<2>, damping: f64) -> Result<Tensor<2>, Problem> {
    let [d, _] = covariance.dims();
    let like = (covariance.device(), covariance.dtype());
    let values: Vec<f64> = read(covariance).map_err(Problem::Read)?;
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
    /// The moments after one more draw.
    pub(super) fn after(
        before: Option<Self>,
        factor: &Factor,
        whitening: Whitening,
        part: Part,
        memory: f64,
    ) -> Result<Self, Problem> {
        let (kind, size) = match before {
            Some(before) => (Some(before.kind), Some(before.size)),
            None => (None, None),
        };
        let kind = Kind::after(kind, factor, whitening, memory)?;
        let scaled = kind.apply(factor.clone()).part(part);
        let norms = scaled.as_ref().map(Factor::squared_norms);
        let norm = norms.unwrap_or_else(|| Tensor::zeros([1], &factor.device()));
        Ok(Self {
            size: Running::after(size, norm.mean(), memory),
            kind,
        })
    }

    /// Whether a factor has the coordinates that the moments are of.
    pub(super) fn fit(&self, factor: &Factor) -> Result<(), Problem> {
        match self.kind.fits(factor) {
            true => Ok(()),
            false => Err(Problem::Shape),
        }
    }

    /// The factor in the metric; none where it has no such part.
    pub(super) fn apply(&self, factor: Factor, part: Part, balanced: bool) -> Option<Factor> {
        let scaled = self.kind.apply(factor).part(part)?;
        if !balanced {
            return Some(scaled);
        }
        let size = self.size.mean();
        let zero = size.clone().lower_equal_elem(0.0);
        Some(scaled.scale(size.sqrt().recip().mask_fill(zero, 0.0)))
    }
}

impl Factor {
    /// One side of the layer, summed over positions; none where there is no such side.
    fn part(self, part: Part) -> Option<Self> {
        match (part, self) {
            (Part::Gradients, factor) => Some(factor),
            (
                _,
                Self::Outer {
                    left,
                    right,
                    inputs,
                    ..
                },
            ) => {
                let side = match (part, inputs) {
                    (_, Inputs::Mixed) => return None,
                    (Part::Inputs, Inputs::Left) | (Part::OutputGradients, Inputs::Right) => left,
                    _ => right,
                };
                Some(Self::sum(side))
            }
            (
                Part::Inputs,
                Self::Scatter {
                    indices,
                    deltas,
                    rows,
                },
            ) => {
                let [n, t] = indices.dims();
                let like = (&deltas.device(), deltas.dtype());
                let deltas = Tensor::ones([n, t, 1], like);
                Some(Self::Scatter {
                    indices,
                    deltas,
                    rows,
                })
            }
            (_, Self::Scatter { deltas, .. }) => Some(Self::sum(deltas)),
            (_, Self::Stack(parts)) => {
                let parts: Option<Vec<_>> = parts.into_iter().map(|each| each.part(part)).collect();
                parts.map(Self::Stack)
            }
            (Part::Inputs, Self::Rows(_)) => None,
            (_, rows @ Self::Rows(_)) => Some(rows),
        }
    }

    fn device(&self) -> Device {
        match self {
            Self::Rows(rows) => rows.device(),
            Self::Outer { left, .. } => left.device(),
            Self::Scatter { deltas, .. } => deltas.device(),
            Self::Stack(parts) => parts.first().map(Self::device).unwrap_or_default(),
        }
    }
}

impl Kind {
    fn after(
        before: Option<Self>,
        factor: &Factor,
        whitening: Whitening,
        memory: f64,
    ) -> Result<Self, Problem> {
        if whitening == Whitening::None {
            return Ok(Self::Plain);
        }
        let vectors = |before: Option<Box<Vectors>>, vectors, centred, whitening| {
            let before = before.map(|before| *before);
            Vectors::after(before, vectors, centred, whitening, memory).map(Box::new)
        };
        let flat = |side: &Tensor<3>| {
            let [n, t, d] = side.dims();
            side.clone().reshape([n * t, d])
        };
        Ok(match factor {
            Factor::Outer {
                left,
                right,
                inputs,
                ..
            } => {
                let (l, r) = match before {
                    Some(Self::Outer { left, right }) => (Some(left), Some(right)),
                    _ => (None, None),
                };
                Self::Outer {
                    left: vectors(l, flat(left), *inputs == Inputs::Left, whitening)?,
                    right: vectors(r, flat(right), *inputs == Inputs::Right, whitening)?,
                }
            }
            Factor::Scatter {
                indices,
                deltas,
                rows,
            } => {
                let (frequency, right) = match before {
                    Some(Self::Scatter { frequency, right }) => (Some(frequency), Some(right)),
                    _ => (None, None),
                };
                let [n, t] = indices.dims();
                let like = (&deltas.device(), deltas.dtype());
                let share = Tensor::<1>::full([n * t], 1.0 / (n * t) as f64, like);
                let hits = Tensor::<1>::zeros([*rows], like).select_assign(
                    0,
                    indices.clone().reshape([n * t]),
                    share,
                    IndexingUpdateOp::Add,
                );
                Self::Scatter {
                    frequency: Box::new(Running::after(
                        frequency.map(|before| *before),
                        hits,
                        memory,
                    )),
                    right: vectors(right, flat(deltas), false, whitening)?,
                }
            }
            Factor::Stack(parts) => {
                let mut before = match before {
                    Some(Self::Stack(before)) => before,
                    _ => Vec::new(),
                }
                .into_iter();
                let parts = parts
                    .iter()
                    .map(|part| Self::after(before.next(), part, whitening, memory));
                Self::Stack(parts.collect::<Result<_, _>>()?)
            }
            // Of all products of their coordinates there would be p².
            Factor::Rows(rows) => {
                let before = match before {
                    Some(Self::Rows(before)) => Some(before),
                    _ => None,
                };
                Self::Rows(vectors(
                    before,
                    rows.clone(),
                    false,
                    Whitening::Coordinates,
                )?)
            }
        })
    }

    /// Whether the moments are of as many coordinates as a factor has; those of another kind of factor
    /// are not used.
    fn fits(&self, factor: &Factor) -> bool {
        let wide = |moments: &Vectors, vectors: usize| moments.square.sum.dims() == [vectors];
        match (self, factor) {
            (
                Self::Outer { left, right },
                Factor::Outer {
                    left: x,
                    right: deltas,
                    ..
                },
            ) => wide(left, x.dims()[2]) && wide(right, deltas.dims()[2]),
            (Self::Scatter { frequency, right }, Factor::Scatter { deltas, rows, .. }) => {
                frequency.sum.dims() == [*rows] && wide(right, deltas.dims()[2])
            }
            (Self::Stack(kinds), Factor::Stack(parts)) => {
                kinds.len() == parts.len()
                    && kinds.iter().zip(parts).all(|(kind, part)| kind.fits(part))
            }
            (Self::Rows(moments), Factor::Rows(rows)) => wide(moments, rows.dims()[1]),
            _ => true,
        }
    }

    /// The factor scaled; one of another kind than the moments as it is.
    fn apply(&self, factor: Factor) -> Factor {
        match (self, factor) {
            (
                Self::Outer { left, right },
                Factor::Outer {
                    left: x,
                    right: deltas,
                    inputs,
                    ..
                },
            ) => Factor::of_sides(left.apply(x), right.apply(deltas), inputs),
            (
                Self::Scatter { frequency, right },
                Factor::Scatter {
                    indices,
                    deltas,
                    rows,
                },
            ) => {
                let [n, t] = indices.dims();
                // A one-hot input over its root mean square; its mean is left, to keep it one-hot.
                let frequency = frequency.mean();
                let scale = inverse_root(frequency.clone(), frequency);
                let scale = scale.select(0, indices.clone().reshape([n * t]));
                Factor::Scatter {
                    indices,
                    deltas: right.apply(deltas) * scale.reshape([n, t, 1]),
                    rows,
                }
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
