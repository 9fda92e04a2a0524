//! Vectors as bytes, in single or in double precision.

use burn::tensor::{DType, Device, Tensor, TensorData};
use gradual_grad::host::read;

use crate::error::TrainError;

const SINGLE: u8 = 4;
const DOUBLE: u8 = 8;

/// A list of numbers, in double precision where they came so.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Numbers {
    Single(Vec<f32>),
    Double(Vec<f64>),
}

impl Numbers {
    /// The entries of a tensor, row-major. Waits for the device.
    pub(super) fn of<const D: usize>(
        operation: &'static str,
        tensor: Tensor<D>,
    ) -> Result<Self, TrainError> {
        let numbers = match tensor.dtype() {
            DType::F64 => read(tensor).map(Self::Double),
            _ => read(tensor).map(Self::Single),
        };
        numbers.map_err(|problem| TrainError::Read { operation, problem })
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Single(values) => values.len(),
            Self::Double(values) => values.len(),
        }
    }

    /// One byte for the precision, and the numbers.
    pub(super) fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Single(values) => {
                let values = values.iter().flat_map(|value| value.to_le_bytes());
                std::iter::once(SINGLE).chain(values).collect()
            }
            Self::Double(values) => {
                let values = values.iter().flat_map(|value| value.to_le_bytes());
                std::iter::once(DOUBLE).chain(values).collect()
            }
        }
    }

    /// Numbers that were written as [`bytes`](Self::bytes).
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let (precision, values) = bytes.split_first()?;
        match *precision {
            SINGLE => {
                let (values, []) = values.as_chunks() else {
                    return None;
                };
                let values = values.iter().map(|&value| f32::from_le_bytes(value));
                Some(Self::Single(values.collect()))
            }
            DOUBLE => {
                let (values, []) = values.as_chunks() else {
                    return None;
                };
                let values = values.iter().map(|&value| f64::from_le_bytes(value));
                Some(Self::Double(values.collect()))
            }
            _ => None,
        }
    }

    /// Several lists one after another, in double precision where one of them is.
    pub(super) fn joined(lists: Vec<Self>) -> Self {
        let single = |list: &Self| matches!(list, Self::Single(_));
        match lists.iter().all(single) {
            true => Self::Single(lists.iter().flat_map(Self::single).collect()),
            false => Self::Double(lists.iter().flat_map(Self::double).collect()),
        }
    }

    pub(super) fn single(&self) -> Vec<f32> {
        match self {
            Self::Single(values) => values.clone(),
            Self::Double(values) => values.iter().map(|&value| value as f32).collect(),
        }
    }

    fn double(&self) -> Vec<f64> {
        match self {
            Self::Single(values) => values.iter().map(|&value| f64::from(value)).collect(),
            Self::Double(values) => values.clone(),
        }
    }

    /// Those at the positions `at`.
    pub(super) fn select(&self, at: &[usize]) -> Self {
        match self {
            Self::Single(values) => Self::Single(at.iter().map(|&at| values[at]).collect()),
            Self::Double(values) => Self::Double(at.iter().map(|&at| values[at]).collect()),
        }
    }

    /// As a tensor of this shape.
    pub(super) fn tensor<const D: usize>(self, shape: [usize; D], device: &Device) -> Tensor<D> {
        match self {
            Self::Single(values) => {
                Tensor::from_data(TensorData::new(values, shape), (device, DType::F32))
            }
            Self::Double(values) => {
                Tensor::from_data(TensorData::new(values, shape), (device, DType::F64))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_bits() {
        let single = Numbers::Single(vec![0.1, f32::NAN, f32::NEG_INFINITY, -0.0]);
        let again = Numbers::read(&single.bytes()).unwrap();
        let bits = |numbers: &Numbers| -> Vec<u32> {
            numbers
                .single()
                .iter()
                .map(|value| value.to_bits())
                .collect()
        };
        assert_eq!(bits(&again), bits(&single));
        let double = Numbers::Double(vec![0.1, 1e300]);
        assert_eq!(Numbers::read(&double.bytes()).unwrap(), double);
        let both = Numbers::joined(vec![Numbers::Single(vec![0.5]), double]);
        assert_eq!(both, Numbers::Double(vec![0.5, 0.1, 1e300]));
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for bytes in [&[][..], &[3, 0, 0], &[SINGLE, 0, 0], &[DOUBLE, 0, 0, 0, 0]] {
            assert_eq!(Numbers::read(bytes), None, "{bytes:?}");
        }
    }
}
