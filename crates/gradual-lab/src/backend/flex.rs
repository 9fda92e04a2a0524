//! Burn's own CPU backend, the default: pure Rust, and the reference of the conformance suite.

use burn::tensor::Device;

use super::{Compiled, Found};

pub(super) const BACKEND: Compiled = Compiled {
    name: "flex",
    devices: || {
        vec![Found {
            device: Device::flex(),
            what: "the processor".to_owned(),
        }]
    },
    double: true,
    missing: "every machine has one",
};
