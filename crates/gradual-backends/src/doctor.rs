//! The command `doctor`: tries the devices of the backends that are compiled in.

use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::tensor::{Device, Tensor};
use clap::Args;
use gradual_runs::streams;

use crate::backend::Backend;
use crate::compiled::CompiledBackend;
use crate::error::BackendError;
use crate::known::COMPILED;

/// What can be asked for.
#[derive(Debug, Args)]
pub struct Arguments {
    /// These backends only, separated by commas
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    backend: Vec<String>,
}

impl Arguments {
    /// Computes a gradient on every device and prints one line for each.
    ///
    /// # Errors
    ///
    /// A [`BackendError`] where a name is wrong, or where a backend or a device does not work.
    pub fn run(self) -> Result<(), BackendError> {
        for name in &self.backend {
            // Says what is wrong with a name, or with the index behind it.
            Backend::choose(Some(name))?;
        }
        let asked = |backend: &&CompiledBackend| {
            let mut names = self.backend.iter().map(|name| name.split(':').next());
            self.backend.is_empty() || names.any(|name| name == Some(backend.name))
        };
        let mut broken = 0;
        for backend in COMPILED.iter().filter(asked) {
            let devices = match backend.devices() {
                Ok(devices) => devices,
                Err(error) => {
                    say(&error)?;
                    broken += 1;
                    continue;
                }
            };
            for (index, found) in devices.into_iter().enumerate() {
                let name = format!("{}:{index}", backend.name);
                let description = found.description;
                match try_device(&found.device) {
                    Ok(()) => say(format_args!("{name:8} works: {description}"))?,
                    Err(problem) => {
                        say(format_args!(
                            "{name:8} does not work: {description}: {problem}"
                        ))?;
                        broken += 1;
                    }
                }
            }
        }
        match broken {
            0 => Ok(()),
            broken => Err(BackendError::Broken { broken }),
        }
    }
}

fn say(line: impl std::fmt::Display) -> Result<(), BackendError> {
    streams::say(line).map_err(|source| BackendError::Unsaid {
        reason: source.to_string(),
    })
}

/// Whether the device multiplies matrices and differentiates: ∂ Σ (X W) / ∂ W is Xᵀ 1.
fn try_device(device: &Device) -> Result<(), String> {
    let gradient = || -> Result<Vec<f32>, String> {
        let x = Tensor::<2>::from_floats([[1.0, 2.0], [3.0, 4.0]], device);
        let w = Tensor::<2>::ones([2, 1], &device.clone().autodiff()).require_grad();
        let gradients = x.autodiff().matmul(w.clone()).sum().backward();
        let gradient = w.grad(&gradients).ok_or("no gradient")?;
        let data = gradient.into_data();
        data.try_to_vec().map_err(|error| format!("{error:?}"))
    };
    let panicked = |_| Err("panicked".to_owned());
    let got = catch_unwind(AssertUnwindSafe(gradient)).unwrap_or_else(panicked)?;
    match got == [4.0, 6.0] {
        true => Ok(()),
        false => Err(format!("a gradient is {got:?} in place of [4, 6]")),
    }
}
