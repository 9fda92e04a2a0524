//! The `ndarray` backend. It is deprecated in Burn 0.22 and leaves with the next version; this file and its feature
//! then go.

use burn::tensor::Device;

use super::{Compiled, Found};

#[expect(deprecated, reason = "it is offered for as long as Burn has it")]
pub(super) const BACKEND: Compiled = Compiled {
    name: "ndarray",
    devices: || {
        vec![Found {
            device: Device::ndarray(),
            what: "the processor".to_owned(),
        }]
    },
    double: true,
    missing: "every machine has one",
};
