//! From a device to numbers on the host.
//!
//! Reading makes the host wait until the device has caught up, which on a GPU costs more than a small step's work.
//! All of this workspace's libraries read through here, so that tests can count how often a step waits (`reads`, with
//! the feature `testing`); what is known to be wanted together is [read together](read_together).

use burn::tensor::{Element, Int, Tensor};

use crate::precision::widest_of;

#[cfg(any(test, feature = "testing"))]
mod count {
    use std::cell::Cell;

    thread_local! {
        static READS: Cell<u64> = const { Cell::new(0) };
    }

    /// How often this thread has waited for a device so far.
    pub fn reads() -> u64 {
        READS.get()
    }

    pub(super) fn one() {
        READS.set(READS.get() + 1);
    }
}

#[cfg(not(any(test, feature = "testing")))]
mod count {
    pub(super) fn one() {}
}

#[cfg(any(test, feature = "testing"))]
pub use count::reads;

/// The entries of a tensor, row-major, as `E`; any graph behind it is left alone.
///
/// # Errors
///
/// The backend's message.
pub fn read<E: Element, const D: usize>(tensor: Tensor<D>) -> Result<Vec<E>, String> {
    count::one();
    let data = tensor.inner().try_into_data();
    let data = data.map_err(|problem| problem.to_string())?;
    let values = data.convert::<E>().try_to_vec();
    values.map_err(|problem| format!("{problem:?}"))
}

/// The entries of a tensor of integers, row-major.
pub(crate) fn read_integers<const D: usize>(tensor: Tensor<D, Int>) -> Result<Vec<i64>, String> {
    count::one();
    let data = tensor.try_into_data();
    let data = data.map_err(|problem| problem.to_string())?;
    let values = data.convert::<i64>().try_to_vec();
    values.map_err(|problem| format!("{problem:?}"))
}

/// The entries of several vectors, which are put together on the device and read at once; an empty vector has none.
///
/// Vectors of different precision meet in the widest among them (two kinds of half precision in single).
///
/// # Errors
///
/// The backend's message.
pub fn read_together<E: Element, const N: usize>(
    vectors: [Tensor<1>; N],
) -> Result<[Vec<E>; N], String> {
    let sizes = vectors.each_ref().map(|vector| vector.dims()[0]);
    let mut filled: Vec<Tensor<1>> = vectors.into_iter().map(Tensor::inner).collect();
    filled.retain(|vector| vector.dims()[0] > 0);
    let mut values = match widest_of(&filled) {
        None => Vec::new(),
        Some(wide) => {
            let same = filled.into_iter().map(|vector| vector.cast(wide));
            read(Tensor::cat(same.collect(), 0))?
        }
    };
    Ok(sizes.map(|size| {
        let rest = values.split_off(size);
        std::mem::replace(&mut values, rest)
    }))
}

#[cfg(test)]
mod tests {
    use burn::tensor::{DType, Device, FloatDType, TensorData};

    use super::*;

    fn vector(values: &[f32]) -> Tensor<1> {
        Tensor::from_floats(values, &Device::flex())
    }

    #[test]
    fn several_vectors_are_one_read() {
        let before = reads();
        let [a, none, b] = read_together::<f64, 3>([
            vector(&[1.0, 2.0]),
            Tensor::zeros([0], &Device::flex()),
            vector(&[3.0]).cast(FloatDType::F64),
        ])
        .unwrap();
        assert_eq!((a, none, b), (vec![1.0, 2.0], vec![], vec![3.0]));
        assert_eq!(reads() - before, 1);
    }

    #[test]
    fn double_precision_keeps_its_digits_beside_single() {
        let third = Tensor::<1>::from_data(
            TensorData::new(vec![1.0 / 3.0], [1]),
            (&Device::flex(), DType::F64),
        );
        let [a, b] = read_together::<f64, 2>([vector(&[0.5]), third]).unwrap();
        assert_eq!((a, b), (vec![0.5], vec![1.0 / 3.0]));
        let halves = [DType::F16, DType::BF16].map(|to| vector(&[1.0 / 3.0]).cast(to));
        let [a, b] = read_together::<f64, 2>(halves).unwrap();
        assert!((a[0] - b[0]).abs() > 1e-4 && (a[0] - 1.0 / 3.0).abs() < 1e-3);
    }

    #[test]
    fn nothing_is_no_read() {
        let before = reads();
        let [none] = read_together::<f32, 1>([Tensor::zeros([0], &Device::flex())]).unwrap();
        assert!(none.is_empty());
        assert_eq!(reads(), before);
    }

    #[test]
    fn a_graph_is_left_alone() {
        let leaf = Tensor::<1>::from_floats([2.0], &Device::flex().autodiff()).require_grad();
        let values: Vec<f32> = read(leaf.clone() * 3.0).unwrap();
        assert_eq!(values, [6.0]);
        assert!(leaf.grad(&(leaf.clone() * 3.0).backward()).is_some());
    }
}
