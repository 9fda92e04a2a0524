//! The rate of matrix products of this machine and backend.

use std::time::Instant;

use burn::tensor::{Device, Distribution, Tensor};

use crate::threads::on_threads;

/// Side of the square f32 matrices that are multiplied: large enough for the full rate.
pub(crate) const SIDE: usize = 1024;

/// Operations per second of `repetitions` products on `threads` threads, each by itself.
pub(crate) fn measure(
    device: &Device,
    threads: usize,
    repetitions: usize,
) -> anyhow::Result<Vec<f64>> {
    let operations = 2.0 * (SIDE as f64).powi(3);
    on_threads(threads, || {
        let random = || Tensor::<2>::random([SIDE, SIDE], Distribution::Default, device);
        let (a, b) = (random(), random());
        let product = || -> anyhow::Result<f64> {
            let started = Instant::now();
            let product = a.clone().matmul(b.clone());
            device
                .sync()
                .map_err(|error| anyhow::anyhow!("sync: {error:?}"))?;
            drop(product);
            Ok(operations / started.elapsed().as_secs_f64())
        };
        // The first one warms up.
        product()?;
        (0..repetitions).map(|_| product()).collect()
    })?
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_rate_is_positive() {
        let rates = super::measure(&burn::tensor::Device::flex(), 1, 2).unwrap();
        assert_eq!(rates.len(), 2);
        assert!(rates.iter().all(|rate| rate.is_finite() && *rate > 0.0));
    }
}
