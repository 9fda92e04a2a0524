//! A backend by name, with a device to run on.

use burn::tensor::Device;

use crate::error::BackendError;
use crate::known::COMPILED;

/// A backend by name, with a device to run on.
#[derive(Debug, Clone)]
pub struct Backend {
    /// Its name.
    pub name: &'static str,
    /// Which of its devices.
    index: usize,
    /// The device.
    pub device: Device,
    /// What the device is, in words.
    pub description: String,
    /// Whether it computes in double precision.
    pub supports_f64: bool,
}

impl Backend {
    /// The backend called `NAME` or `NAME:INDEX`, or without a name the first that is compiled in.
    ///
    /// # Errors
    ///
    /// A [`BackendError`] where no such backend is compiled in or this machine does not have the device.
    pub fn choose(name: Option<&str>) -> Result<Self, BackendError> {
        let Some(text) = name else {
            let first = COMPILED.first().ok_or(BackendError::NoneCompiled)?;
            return Self::choose(Some(first.name));
        };
        let (name, index) = match text.split_once(':') {
            None => (text, 0),
            Some((name, index)) => {
                let parsed = index.parse().map_err(|_| BackendError::Index {
                    text: text.to_owned(),
                    index: index.to_owned(),
                })?;
                (name, parsed)
            }
        };
        let Some(compiled) = COMPILED.iter().find(|one| one.name == name) else {
            return Err(BackendError::NotCompiled {
                name: name.to_owned(),
                compiled: COMPILED.iter().map(|one| one.name).collect(),
            });
        };
        let devices = compiled.devices()?;
        let Some(found) = devices.get(index) else {
            let devices = devices.iter().enumerate();
            return Err(BackendError::NoSuchDevice {
                backend: compiled.name,
                index,
                devices: devices
                    .map(|(at, one)| format!("{at} {}", one.description))
                    .collect(),
            });
        };
        Ok(Self {
            name: compiled.name,
            index,
            device: found.device.clone(),
            description: found.description.clone(),
            supports_f64: compiled.supports_f64,
        })
    }

    /// `NAME:INDEX`, with which [`choose`](Self::choose) yields the same again.
    #[must_use]
    pub fn argument(&self) -> String {
        format!("{}:{}", self.name, self.index)
    }
}
