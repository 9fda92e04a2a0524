//! Everything from factors against the example-by-example reference.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses its part")]

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{Device, FloatDType, Tensor, TensorData};
use gradual_grad::{ExampleGradients, naive_rows, trace};

pub fn device() -> Device {
    Device::flex().autodiff()
}

pub fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor
        .inner()
        .into_data()
        .convert::<f64>()
        .try_to_vec()
        .expect("f64")
}

/// Largest difference, relative to the largest entry of the reference.
pub fn distance<const D: usize>(found: Tensor<D>, reference: Tensor<D>) -> f64 {
    assert_eq!(found.dims(), reference.dims());
    let reference = numbers(reference);
    let size = reference
        .iter()
        .fold(1e-12f64, |size, value| size.max(value.abs()));
    let found = numbers(found).into_iter();
    found
        .zip(reference)
        .fold(0.0, |far: f64, (a, b)| match (a - b).is_nan() {
            true => f64::NAN,
            false => far.max((a - b).abs() / size),
        })
}

pub fn close<const D: usize>(what: &str, found: Tensor<D>, reference: Tensor<D>, tolerance: f64) {
    let far = distance(found, reference);
    assert!(
        far < tolerance,
        "{what} is off by {far:e}, allowed {tolerance:e}"
    );
}

/// The gradients of a module's trainable parameters, flattened in visiting order.
pub fn flatten<M: Module>(model: &M, gradients: &GradientsParams) -> Tensor<1> {
    struct Collect<'a>(&'a GradientsParams, Vec<Tensor<1>>, Vec<ParamId>);
    impl ModuleVisitor for Collect<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if param.is_require_grad() && !self.2.contains(&param.id) {
                self.2.push(param.id);
                let gradient = self.0.get::<D>(param.id).expect("a gradient");
                assert_eq!(gradient.dims(), param.val().dims());
                self.1
                    .push(gradient.clone().reshape([gradient.shape().num_elements()]));
            }
        }
    }
    let mut collect = Collect(gradients, Vec::new(), Vec::new());
    model.visit(&mut collect);
    Tensor::cat(collect.1, 0)
}

/// The same module in another precision.
pub fn cast<M: Module>(model: M, to: FloatDType) -> M {
    struct Cast(FloatDType);
    impl ModuleMapper for Cast {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            param.map(|tensor| tensor.inner().cast(self.0).autodiff().require_grad())
        }
    }
    model.map(&mut Cast(to))
}

/// The same module with weights that are the same on every run; running means and the like stay as they are.
pub fn filled<M: Module>(model: M) -> M {
    struct Fill(u64);
    impl ModuleMapper for Fill {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            if !param.is_require_grad() {
                return param;
            }
            self.0 += 1;
            let seed = self.0;
            param.map(|tensor| {
                let size = (tensor.dims()[0] as f64).sqrt();
                values(tensor.dims(), seed, tensor.dtype().into())
                    .div_scalar(size)
                    .inner()
                    .autodiff()
                    .require_grad()
            })
        }
    }
    model.map(&mut Fill(0))
}

/// The same module in double precision.
pub fn double<M: Module>(model: M) -> M {
    cast(model, FloatDType::F64)
}

/// Numbers that differ, in `[-1, 1]`, the same on every run.
pub fn values<const D: usize>(dims: [usize; D], seed: u64, like: FloatDType) -> Tensor<D> {
    let size = dims.iter().product::<usize>();
    let value = |i: usize| {
        ((i as f64 + 1.0) * 0.754_877_666 + seed as f64 * 0.569_840_29).fract() * 2.0 - 1.0
    };
    let data: Vec<f64> = (0..size).map(value).collect();
    Tensor::<D>::from_data(
        TensorData::new(data, dims),
        (&device(), burn::tensor::DType::F64),
    )
    .cast(like)
}

/// One loss per example from any output `[n, …]`: weighted squares, so that nothing cancels.
pub fn squares<const D: usize>(output: Tensor<D>) -> Tensor<1> {
    let n = output.dims()[0];
    let width = output.shape().num_elements() / n;
    let output: Tensor<2> = output.reshape([n, width]);
    let target = values([n, width], 3, output.dtype().into());
    (output - target).powi_scalar(2).sum_dim(1).reshape([n])
}

/// Compares everything that can be had from a draw with the reference. Returns the gradients.
pub fn agree<M: Module>(
    model: &M,
    losses: impl Fn(&M) -> Tensor<1>,
    tolerance: f64,
) -> ExampleGradients {
    let traced = trace(model, &losses).expect("the model is covered");
    let gradients = traced.gradients;
    let reference = naive_rows(model, &losses);
    let [n, p] = reference.dims();
    assert_eq!(
        (gradients.num_examples(), gradients.num_parameters()),
        (n, p)
    );

    close("losses", traced.losses, losses(model).inner(), tolerance);
    close("rows", gradients.rows(), reference.clone(), tolerance);
    let gram = reference.clone().matmul(reference.clone().transpose());
    close("gram", gradients.gram(), gram.clone(), tolerance);
    let norms = reference.clone().powi_scalar(2).sum_dim(1).sqrt();
    close(
        "norms",
        gradients.norms(),
        norms.clone().reshape([n]),
        tolerance,
    );
    let inverse = norms.clone().recip().mask_fill(norms.equal_elem(0.0), 0.0);
    let cosine = gram.clone() * inverse.clone() * inverse.transpose();
    close("cosine", gradients.cosine(), cosine, tolerance * 10.0);
    close(
        "cross_gram",
        gradients.cross_gram(&gradients).expect("one model"),
        gram.clone(),
        tolerance,
    );

    let parts = gradients.per_parameter();
    let sum = parts
        .into_iter()
        .map(|(_, gram)| gram)
        .reduce(|a, b| a + b)
        .expect("parameters");
    close("sum of per_parameter", sum, gram.clone(), tolerance);

    let coefficients = values([3, n], 7, reference.dtype().into()).inner();
    let expected = coefficients.clone().matmul(reference.clone());
    let many = gradients
        .combine_many(&coefficients)
        .expect("n coefficients");
    for (row, combined) in many.iter().enumerate() {
        let expected = expected.clone().narrow(0, row, 1).reshape([p]);
        close(
            "combine_many",
            flatten(model, combined),
            expected,
            tolerance,
        );
    }
    let one = coefficients.narrow(0, 0, 1).reshape([n]);
    let combined = gradients.combine(&one).expect("n coefficients");
    close(
        "combine",
        flatten(model, &combined),
        expected.narrow(0, 0, 1).reshape([p]),
        tolerance,
    );

    let twice =
        ExampleGradients::concat(&[gradients.clone(), gradients.clone()]).expect("one model");
    let rows = Tensor::cat(vec![reference.clone(), reference], 0);
    close(
        "gram of concat",
        twice.gram(),
        rows.clone().matmul(rows.transpose()),
        tolerance,
    );

    // E(S Sᵀ) = K: the mean over seeds comes within five standard errors.
    let (seeds, dim) = (24, 64);
    let mean = (0..seeds)
        .map(|seed| gradients.sketch(dim, seed))
        .map(|sketch| sketch.clone().matmul(sketch.transpose()))
        .reduce(|a, b| a + b)
        .expect("seeds")
        / seeds as f64;
    let off = numbers(mean.clone() - gram.clone());
    let diagonal: Vec<f64> = (0..n)
        .map(|j| numbers(gram.clone())[j * n + j].sqrt())
        .collect();
    let allowed = 5.0 * 4.0 / ((seeds * dim as u64) as f64).sqrt();
    for (entry, off) in off.iter().enumerate() {
        let size = diagonal[entry / n] * diagonal[entry % n] + 1e-9;
        assert!(
            off.abs() <= allowed * size,
            "sketch: {off} at {entry}, allowed {}",
            allowed * size
        );
    }
    gradients
}

/// Leaves on a device.
pub struct On(pub Device);

impl ModuleMapper for On {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let device = self.0.clone();
        param.map(|tensor| {
            let data = tensor.inner().into_data();
            let dtype = data.dtype();
            Tensor::from_data(data, (&device, dtype)).require_grad()
        })
    }
}
