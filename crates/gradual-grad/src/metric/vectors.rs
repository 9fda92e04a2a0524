//! Running moments of vectors.

use burn::tensor::{DType, Tensor};

use super::whitening::Whitening;

/// A coordinate whose standard deviation is below this share of the largest one does not vary.
const FLAT: f64 = 1e-6;

/// An exponential mean without bias towards the start.
#[derive(Debug, Clone)]
pub(super) struct Running<const D: usize> {
    pub(super) sum: Tensor<D>,
    pub(super) weight: f64,
}

impl<const D: usize> Running<D> {
    pub(super) fn after(before: Option<Self>, value: Tensor<D>, memory: f64) -> Self {
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

    pub(super) fn mean(&self, precision: DType) -> Tensor<D> {
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
    pub(super) fn after(
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
    pub(super) fn of_squares(before: Option<Self>, squares: Tensor<1>, memory: f64) -> Self {
        Self {
            mean: None,
            square: Running::after(before.map(|before| before.square), squares, memory),
            product: None,
        }
    }

    pub(super) fn apply<const D: usize>(&self, vectors: Tensor<D>) -> Tensor<D> {
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
    pub(super) fn scale(&self, precision: DType) -> Tensor<1> {
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
pub(super) fn inverse_root(variance: Tensor<1>, square: Tensor<1>) -> Tensor<1> {
    // A variance is a difference of two numbers of the size of the mean square.
    let floor = square.clone() * FLAT + square.max() * (FLAT * FLAT);
    let flat = variance.clone().lower_equal(floor);
    variance.sqrt().recip().mask_fill(flat, 0.0)
}
