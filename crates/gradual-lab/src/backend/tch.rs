//! LibTorch, PyTorch's own kernels. It is deprecated in Burn 0.22 and leaves with the next version; this file and its
//! feature then go.

use burn::tensor::{Device, DeviceType};

use super::{Compiled, Found};

/// The processor first, then the GPUs that LibTorch sees: `tch` and `tch:0` are the processor, `tch:1` the first GPU.
#[expect(deprecated, reason = "it is offered for as long as Burn has it")]
pub(super) const BACKEND: Compiled = Compiled {
    name: "tch",
    devices: || {
        let processor = Found {
            device: Device::libtorch(),
            what: "the processor".to_owned(),
        };
        let gpus = Device::enumerate(DeviceType::LibTorch).into_vec();
        let gpus = gpus.into_iter().enumerate().map(|(at, device)| Found {
            device,
            what: format!("CUDA GPU {at}"),
        });
        std::iter::once(processor).chain(gpus).collect()
    },
    double: true,
    missing: "LibTorch sees no processor",
};
