//! Arrays of numbers, and what is asked of them.

use anyhow::bail;
use burn::tensor::{DType, Device, Tensor, TensorData};

/// What files may hold, for messages.
pub(super) const READ: &str = "float16, float32 or float64 (or integers, where labels are meant)";

/// An array of a file, row-major.
#[derive(Debug, Clone)]
pub(crate) struct Array {
    /// The file, and the tensor in it where it holds several: for messages.
    pub(crate) name: String,
    pub(crate) data: TensorData,
    /// By what share products of these numbers may be off by rounding.
    pub(crate) rounding: f64,
}

impl Array {
    /// Numbers in the precision that they come in.
    pub(super) fn new(name: String, data: TensorData) -> Self {
        let rounding = match data.dtype() {
            DType::F64 => 1e3 * f64::EPSILON,
            _ => 1e3 * f64::from(f32::EPSILON),
        };
        Self {
            name,
            data,
            rounding,
        }
    }

    /// The name of the tensor in a file of several.
    pub(super) fn tensor(&self) -> Option<&str> {
        self.name.rsplit_once(".safetensors:").map(|(_, name)| name)
    }

    pub(crate) fn shape(&self) -> &[usize] {
        self.data.shape().as_slice()
    }

    /// Refuses what is no array of floating-point numbers.
    pub(crate) fn check_float(&self) -> anyhow::Result<()> {
        match self.data.dtype() {
            DType::F32 | DType::F64 => Ok(()),
            other => bail!(
                "{}: expected floating-point numbers (float16, float32, float64), found {}",
                self.name,
                other.name()
            ),
        }
    }

    /// Refuses another number of dimensions.
    pub(crate) fn check_dimensions(
        &self,
        what: &str,
        expected: &str,
        dimensions: usize,
    ) -> anyhow::Result<()> {
        if self.shape().len() == dimensions {
            return Ok(());
        }
        bail!(
            "{}: expected {what} of shape {expected}, found {:?}",
            self.name,
            self.shape()
        )
    }

    /// Refuses NaN and infinity, by row and column, both from 0.
    pub(crate) fn check_finite(&self) -> anyhow::Result<()> {
        let Some((at, value)) = self
            .data
            .iter::<f64>()
            .enumerate()
            .find(|(_, value)| !value.is_finite())
        else {
            return Ok(());
        };
        let width: usize = self.shape().iter().skip(1).product();
        let width = width.max(1);
        let place = match self.shape().len() {
            0 | 1 => format!("entry {at}"),
            _ => format!("row {}, column {}", at / width, at % width),
        };
        bail!(
            "{}: {value} at {place} (from 0); expected finite numbers",
            self.name
        )
    }

    /// On a device, in its own precision.
    pub(crate) fn tensor_on<const D: usize>(&self, device: &Device) -> Tensor<D> {
        Tensor::from_data(self.data.clone(), (device, self.data.dtype()))
    }
}

/// Numbers in half precision, which are given by their bits, in single precision.
pub(super) fn from_bits(bits: &TensorData, single: fn(u16) -> f32) -> TensorData {
    let numbers: Vec<f32> = bits.iter::<u16>().map(single).collect();
    TensorData::new(numbers, bits.shape().clone())
}

/// By what share products of numbers in half precision may be off, of so many bits of a fraction.
pub(super) fn rounding_of_half(bits: i32) -> f64 {
    4.0 * 2f64.powi(-bits)
}
