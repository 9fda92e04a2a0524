//! The `ndarray` backend. It is deprecated in Burn 0.22 and leaves with the next version; this file and its feature
//! then go.

use burn::tensor::Device;

use crate::compiled::{CompiledBackend, FoundDevice};

#[expect(deprecated, reason = "it is offered for as long as Burn has it")]
pub(super) const BACKEND: CompiledBackend = CompiledBackend {
    name: "ndarray",
    find: || {
        vec![FoundDevice {
            device: Device::ndarray(),
            description: "the processor".to_owned(),
        }]
    },
    supports_f64: true,
    missing: "every machine has a processor",
};
