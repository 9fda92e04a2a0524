//! The command `doctor`: the devices of the backends that are compiled in, tried out.

use std::panic::{AssertUnwindSafe, catch_unwind};

use anyhow::{anyhow, bail};
use burn::tensor::{Device, Tensor};
use clap::Args;

use crate::backend::{Backend, Compiled};

/// What can be asked for.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// These backends only, separated by commas
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    backend: Vec<String>,
}

impl Arguments {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        for name in &self.backend {
            // Says what is wrong with a name, or with the index behind it.
            Backend::choose(Some(name))?;
        }
        let asked = |backend: &&Compiled| {
            let mut names = self.backend.iter().map(|name| name.split(':').next());
            self.backend.is_empty() || names.any(|name| name == Some(backend.name))
        };
        let mut broken = 0;
        for backend in Compiled::ALL.iter().filter(asked) {
            let devices = match backend.devices() {
                Ok(devices) => devices,
                Err(error) => {
                    println!("{:8} {error}", backend.name);
                    broken += 1;
                    continue;
                }
            };
            for (index, found) in devices.into_iter().enumerate() {
                let name = format!("{}:{index}", backend.name);
                let what = found.what;
                match tried(&found.device) {
                    Ok(()) => println!("{name:8} works: {what}"),
                    Err(error) => {
                        println!("{name:8} does not work: {what}: {error}");
                        broken += 1;
                    }
                }
            }
        }
        match broken {
            0 => Ok(()),
            _ => bail!("{broken} of the backends or devices do not work"),
        }
    }
}

/// Whether the device multiplies matrices and differentiates: ∂ Σ (X W) / ∂ W is Xᵀ 1.
fn tried(device: &Device) -> anyhow::Result<()> {
    let gradient = || -> anyhow::Result<Vec<f32>> {
        let x = Tensor::<2>::from_floats([[1.0, 2.0], [3.0, 4.0]], device);
        let w = Tensor::<2>::ones([2, 1], &device.clone().autodiff()).require_grad();
        let gradients = x.autodiff().matmul(w.clone()).sum().backward();
        let gradient = w.grad(&gradients).ok_or_else(|| anyhow!("no gradient"))?;
        let data = gradient.into_data();
        data.try_to_vec().map_err(|error| anyhow!("{error:?}"))
    };
    let got = catch_unwind(AssertUnwindSafe(gradient)).unwrap_or_else(|_| bail!("panicked"))?;
    match got == [4.0, 6.0] {
        true => Ok(()),
        false => bail!("a gradient is {got:?} in place of [4, 6]"),
    }
}
