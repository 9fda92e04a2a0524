//! Random numbers that repeat from pass to pass.

use burn::module::{Flag, Module, ModuleVisitor, Param};
use burn::tensor::{Device, Distribution, Tensor};

use super::read::host;
use crate::error::GradError;

/// Makes all passes draw the same random numbers on the device, where a model uses any.
pub(super) struct Seed(Option<(Device, u64)>);

impl Seed {
    /// For a model of the autodiff context of `device`, if it has one.
    pub(super) fn of<M: Module>(model: &M, device: Option<&Device>) -> Result<Self, GradError> {
        struct Enabled(bool);
        impl ModuleVisitor for Enabled {
            fn visit_flag(&mut self, flag: &Param<Flag>) {
                self.0 = self.0 || flag.is_enabled();
            }
        }
        let mut enabled = Enabled(false);
        model.visit(&mut enabled);
        match device.filter(|_| enabled.0) {
            Some(device) => Self::on(device.clone().inner()),
            None => Ok(Self(None)),
        }
    }

    fn on(device: Device) -> Result<Self, GradError> {
        // Out of the device's own numbers, so that runs that were seeded apart stay apart.
        let drawn = Tensor::<1>::random([2], Distribution::Uniform(0.0, 1.0), &device);
        let drawn = host(drawn)?;
        let seed = drawn.iter().fold(1, |seed: u64, number| {
            seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ number.to_bits()
        });
        Ok(Self(Some((device, seed))))
    }

    pub(super) fn start(&self) {
        if let Some((device, seed)) = &self.0 {
            device.seed(*seed);
        }
    }

    /// Other numbers from here on.
    pub(super) fn go_on(&self) {
        if let Some((device, seed)) = &self.0 {
            device.seed(seed.wrapping_add(1));
        }
    }
}
