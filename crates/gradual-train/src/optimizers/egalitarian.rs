//! Egalitarian gradient descent (arXiv 2510.04930): all singular directions of a matrix's gradient move at one speed.
//!
//! The gradient G `[d, e]` of a matrix becomes (G Gᵀ)^(−1/2) G, which is U Vᵀ of its singular value decomposition
//! U S Vᵀ: the same directions, all singular values 1. The learning rate is therefore the length of the step in each
//! direction, whatever the size of the gradient, and no factor depends on the shape. Steps do not shrink near a
//! minimum: let the rate fall. (The authors go over to plain gradient descent once the model generalises.)
//!
//! Steps: the penalty on weights is added to the gradient, as the authors' is a part of their loss; the gradient of a
//! matrix is replaced; momentum takes what comes out, as in plain gradient descent. The authors have no momentum. Muon is
//! the other order, momentum made orthogonal, and approximates what is exact here.
//!
//! What is no matrix keeps its gradient: biases, norms, kernels of convolutions, and a matrix of one row or one column,
//! which is a vector and has but one direction. The authors replace the gradient of the hidden weights alone and leave
//! biases and their read-out, a vector.
//!
//! A direction whose singular value is at most `floor` times the largest is not moved at all. Gradients of lower rank
//! than their matrix are usual (dead units, few examples), and what single precision leaves in the missing directions is
//! noise that must not be blown up to 1.
//!
//! Costs min(d, e)² (d + e) operations and one wait for the device for each matrix: the smaller Gram matrix and its
//! eigenvectors are computed on the host, in double precision, where singular values below about 10⁻⁸ of the largest
//! can't be told from 0. For matrices of up to some hundred rows or columns; beyond that, Muon.

use burn::optim::decay::WeightDecay;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{LearningRate, ModuleOptimizer, Optimizer, Sgd, SgdConfig};
use burn::tensor::{Device, Tensor, TensorData};
use faer::{Mat, MatRef, Side};
use gradual_grad::host::read;
use gradual_registry::{Entry, Parameter};

use super::moments::{PENALTY, penalty};

pub(crate) static ENTRY: Entry<(), ModuleOptimizer> = Entry {
    name: "egalitarian",
    about: "gradients of matrices with all singular values set to 1 (arXiv 2510.04930); those of all other parameters as they are",
    facts: &[],
    parameters: &[
        Parameter::number("momentum", "share of the last update that a step adds", 0.0)
            .at_least(0.0)
            .below(1.0),
        Parameter::number(
            "floor",
            "singular values up to so many times the largest count as 0",
            1e-5,
        )
        .at_least(1e-7)
        .below(1.0),
        PENALTY,
    ],
    build: |arguments, ()| {
        let momentum = arguments.number("momentum")?;
        let momentum = (momentum > 0.0).then_some(MomentumConfig {
            momentum,
            dampening: 0.0,
            nesterov: false,
        });
        let egalitarian = Egalitarian {
            penalty: penalty(arguments)?.as_ref().map(WeightDecay::new),
            floor: arguments.number("floor")?,
            descent: SgdConfig::new().with_momentum(momentum).build(),
        };
        Ok(egalitarian.into())
    },
};

/// Gradient descent on gradients whose singular values are made equal.
#[derive(Clone)]
struct Egalitarian {
    penalty: Option<WeightDecay>,
    floor: f64,
    descent: Sgd,
}

impl Optimizer for Egalitarian {
    type State<const D: usize> = <Sgd as Optimizer>::State<D>;

    fn step<const D: usize>(
        &self,
        lr: LearningRate,
        tensor: Tensor<D>,
        grad: Tensor<D>,
        state: Option<Self::State<D>>,
    ) -> (Tensor<D>, Option<Self::State<D>>) {
        let grad = match &self.penalty {
            Some(penalty) => penalty.transform(grad, tensor.clone()),
            None => grad,
        };
        let grad = match *grad.dims().as_slice() {
            [rows, columns] if rows > 1 && columns > 1 => {
                replaced(grad, [rows, columns], self.floor)
            }
            _ => grad,
        };
        self.descent.step(lr, tensor, grad, state)
    }

    fn to_device<const D: usize>(state: Self::State<D>, device: &Device) -> Self::State<D> {
        Sgd::to_device(state, device)
    }
}

/// A gradient of this shape with its singular values made equal, in its own precision and on its own device.
///
/// All NaN where it is not finite or can't be read, which a step or an evaluation then refuses.
fn replaced<const D: usize>(grad: Tensor<D>, shape: [usize; 2], floor: f64) -> Tensor<D> {
    let (device, precision) = (grad.device(), grad.dtype());
    let equal = read::<f64, D>(grad.clone()).ok().and_then(|numbers| {
        let [rows, columns] = shape;
        equalised(MatRef::from_row_major_slice(&numbers, rows, columns), floor)
    });
    let Some(equal) = equal else {
        return grad.mul_scalar(f64::NAN);
    };
    let rows = equal.row_iter().flat_map(|row| row.iter());
    let data = TensorData::new(rows.copied().collect::<Vec<f64>>(), shape);
    Tensor::from_data(data.convert_dtype(precision), (&device, precision))
}

/// U Vᵀ of a matrix `[d, e]`, over the singular values that are above `floor` times the largest; zero for zero. None for
/// a matrix that is not finite, or whose eigenvectors are not found.
///
/// With eigenvectors Q and eigenvalues σ² of the smaller Gram matrix it is Q σ⁻¹ Qᵀ G where that is G Gᵀ, and
/// G Q σ⁻¹ Qᵀ where it is Gᵀ G.
fn equalised(gradient: MatRef<'_, f64>, floor: f64) -> Option<Mat<f64>> {
    let entries = || {
        gradient
            .col_iter()
            .flat_map(|column| column.iter().copied())
    };
    if entries().any(|entry| !entry.is_finite()) {
        return None;
    }
    let largest = entries().fold(0.0, |largest: f64, entry| largest.max(entry.abs()));
    if largest == 0.0 {
        return Some(gradient.to_owned());
    }
    // So that no square is out of range. The size does not count.
    let gradient = Mat::from_fn(gradient.nrows(), gradient.ncols(), |row, column| {
        gradient[(row, column)] / largest
    });
    let wide = gradient.nrows() <= gradient.ncols();
    let gram = match wide {
        true => &gradient * gradient.transpose(),
        false => gradient.transpose() * &gradient,
    };
    let eigen = gram.self_adjoint_eigen(Side::Lower).ok()?;
    let squares: Vec<f64> = eigen.S().column_vector().iter().copied().collect();
    let least = floor * floor * squares.iter().copied().fold(0.0, f64::max);
    let vectors = eigen.U();
    let scaled = Mat::from_fn(vectors.nrows(), vectors.ncols(), |row, column| {
        match squares[column] > least {
            true => vectors[(row, column)] / squares[column].sqrt(),
            false => 0.0,
        }
    });
    let root = scaled * vectors.transpose();
    Some(match wide {
        true => root * gradient,
        false => gradient * root,
    })
}

#[cfg(test)]
mod tests;
