//! Arrays of numbers, from `.npy` and `.safetensors`.

use std::path::{Path, PathBuf};

use anyhow::bail;
use burn::tensor::{DType, Device, Tensor, TensorData};

use super::{ends_in, npy, safetensors};

/// An array of a file, row-major.
#[derive(Debug, Clone)]
pub(crate) struct Array {
    /// The file, and the tensor in it where it holds several: for messages.
    pub(crate) name: String,
    pub(crate) data: TensorData,
}

impl Array {
    /// The arrays of a file. `FILE.safetensors:NAME` is one of them by name.
    pub(crate) fn read_all(path: &Path) -> anyhow::Result<Vec<Self>> {
        let (file, wanted) = parts(path);
        if ends_in(&file, "npy") && wanted.is_none() {
            return Ok(vec![npy::read(&file)?]);
        }
        if ends_in(&file, "safetensors") {
            return safetensors::read(&file, wanted.as_deref());
        }
        bail!(
            "{}: expected a file whose name ends in .npy or .safetensors",
            path.display()
        );
    }

    /// The one array of a file. Of several in a file, the one called `role`.
    pub(crate) fn read(path: &Path, role: &str) -> anyhow::Result<Self> {
        let mut all = Self::read_all(path)?;
        if all.len() > 1
            && let Some(at) = all.iter().position(|one| one.tensor() == Some(role))
        {
            return Ok(all.swap_remove(at));
        }
        match (all.pop(), all.len()) {
            (Some(one), 0) => Ok(one),
            (last, _) => {
                let names = all.iter().chain(&last).filter_map(Self::tensor);
                let names: Vec<String> = names.map(gradual::runs::shown).collect();
                bail!(
                    "{}: expected one tensor, or one called \"{role}\", found {}; name one: {}:NAME",
                    path.display(),
                    names.join(", "),
                    path.display()
                )
            }
        }
    }

    /// The name of the tensor in a file of several.
    fn tensor(&self) -> Option<&str> {
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
                "{}: expected numbers in single or double precision (float32, float64), found {}",
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

/// The file, and the tensor that is named after it.
fn parts(path: &Path) -> (PathBuf, Option<String>) {
    if path.exists() {
        return (path.to_owned(), None);
    }
    let text = path.to_string_lossy();
    match text.split_once(".safetensors:") {
        Some((file, name)) => (
            PathBuf::from(format!("{file}.safetensors")),
            Some(name.to_owned()),
        ),
        None => (path.to_owned(), None),
    }
}
