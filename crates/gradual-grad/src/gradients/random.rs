//! Random signs for sketches.

use std::hash::Hasher;

use burn::tensor::{DType, Device, Tensor, TensorData};
use fnv::FnvHasher;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The random vectors of one parameter, one matrix of ±1 after another. They depend on seed and path
/// alone.
pub(crate) struct Projections<'a> {
    random: ChaCha8Rng,
    like: &'a (Device, DType),
}

impl<'a> Projections<'a> {
    pub(crate) fn new(seed: u64, path: &str, like: &'a (Device, DType)) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(hash(path));
        Self { random, like }
    }

    pub(crate) fn next(&mut self, size: usize, count: usize) -> Tensor<2> {
        let mut signs = Vec::with_capacity(size * count + 64);
        while signs.len() < size * count {
            let word = self.random.next_u64();
            signs.extend((0..64).map(|bit| if word >> bit & 1 == 1 { 1.0f32 } else { -1.0 }));
        }
        signs.truncate(size * count);
        let (device, dtype) = self.like;
        let signs = TensorData::new(signs, [size, count]).convert_dtype(*dtype);
        Tensor::from_data(signs, (device, *dtype))
    }
}

/// The same `size` numbers from a standard normal distribution in every call.
pub(crate) fn normal(size: usize, (device, dtype): &(Device, DType)) -> Tensor<1> {
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let mut uniform = || (random.next_u32() as f64 + 1.0) / (f64::from(u32::MAX) + 2.0);
    // Box & Muller 1958.
    let next = |_| (-2.0 * uniform().ln()).sqrt() * (std::f64::consts::TAU * uniform()).cos();
    let values: Vec<f64> = (0..size).map(next).collect();
    let values = TensorData::new(values, [size]).convert_dtype(*dtype);
    Tensor::from_data(values, (device, *dtype))
}

fn hash(text: &str) -> u64 {
    let mut hasher = FnvHasher::default();
    hasher.write(text.as_bytes());
    hasher.finish()
}
