//! Burn's own CPU backend, the default: pure Rust, and the reference of the conformance suite.

use burn::tensor::Device;

use crate::compiled::{CompiledBackend, FoundDevice};

pub(super) const BACKEND: CompiledBackend = CompiledBackend {
    name: "flex",
    find: || {
        vec![FoundDevice {
            device: Device::flex(),
            description: "the processor".to_owned(),
        }]
    },
    supports_f64: true,
    missing: "every machine has a processor",
};
