//! A backend that is compiled in, and the devices that it finds.

use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::tensor::Device;

use crate::error::BackendError;

/// A backend that is compiled in.
#[derive(Debug, Clone, Copy)]
pub struct CompiledBackend {
    /// Its name, which is also that of its Cargo feature.
    pub name: &'static str,
    /// Whether it computes in double precision.
    pub supports_f64: bool,
    /// Finds the devices that this machine has, the default one first.
    pub(crate) find: fn() -> Vec<FoundDevice>,
    /// What is missing where there are none.
    pub(crate) missing: &'static str,
}

/// A device of this machine.
#[derive(Debug, Clone)]
pub struct FoundDevice {
    /// The device.
    pub device: Device,
    /// What it is, in words.
    pub description: String,
}

impl CompiledBackend {
    /// The devices of this machine, at least one.
    ///
    /// # Errors
    ///
    /// [`BackendError::NoDevice`] where the backend finds none, and says what is missing.
    pub fn devices(&self) -> Result<Vec<FoundDevice>, BackendError> {
        // Some backends panic where a driver library can't be loaded.
        let found = catch_unwind(AssertUnwindSafe(self.find)).unwrap_or_default();
        match found.is_empty() {
            false => Ok(found),
            true => Err(BackendError::NoDevice {
                backend: self.name,
                missing: self.missing,
            }),
        }
    }
}
