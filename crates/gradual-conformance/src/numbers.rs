//! Numbers that are the same on every backend, and numbers back from it.

use std::collections::BTreeMap;

use anyhow::{anyhow, bail};
use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Tensor, TensorData};
use gradual::grad::host::read;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Numbers by name.
pub(crate) type Numbers = BTreeMap<String, Vec<f64>>;

/// Uniform in ±1, in the precision of `device`.
pub(crate) fn uniform<const D: usize>(dims: [usize; D], seed: u64, device: &Device) -> Tensor<D> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let size = dims.iter().product();
    // Exact in single precision, so that every precision starts from the same numbers.
    let values: Vec<f32> = (0..size).map(|_| random.random_range(-1.0..1.0)).collect();
    tensor(values, dims, device)
}

/// These numbers, in the precision of `device`.
pub(crate) fn tensor<const D: usize>(
    values: Vec<f32>,
    dims: [usize; D],
    device: &Device,
) -> Tensor<D> {
    let data = TensorData::new(values, dims);
    let precision = burn::tensor::DType::from(device.settings().float_dtype);
    Tensor::from_data(data, (device, precision))
}

/// The same module with weights that depend on nothing but their place.
pub(crate) fn filled<M: Module>(model: M) -> M {
    struct Fill(u64);
    impl ModuleMapper for Fill {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            self.0 += 1;
            let seed = self.0;
            param.map(|tensor| {
                let width = (tensor.dims()[0] as f64).sqrt();
                let fresh = uniform(tensor.dims(), seed, &tensor.device()).div_scalar(width);
                fresh.inner().autodiff().require_grad()
            })
        }
    }
    model.map(&mut Fill(0))
}

/// The entries, row-major.
pub(crate) fn host<const D: usize>(tensor: Tensor<D>) -> anyhow::Result<Vec<f64>> {
    let values: Vec<f64> = read(tensor).map_err(|problem| anyhow!("read: {problem}"))?;
    match values.iter().position(|value| !value.is_finite()) {
        Some(at) => bail!("entry {at} of {} is {}", values.len(), values[at]),
        None => Ok(values),
    }
}
