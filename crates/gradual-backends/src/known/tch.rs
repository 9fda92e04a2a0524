//! LibTorch, PyTorch's own kernels. It is deprecated in Burn 0.22 and leaves with the next version; this file and its
//! feature then go.

use burn::tensor::{Device, DeviceType};

use crate::compiled::{CompiledBackend, FoundDevice};

/// The processor first, then the GPUs that LibTorch sees: `tch` and `tch:0` are the processor, `tch:1` the first GPU.
#[expect(deprecated, reason = "it is offered for as long as Burn has it")]
pub(super) const BACKEND: CompiledBackend = CompiledBackend {
    name: "tch",
    find: || {
        let processor = FoundDevice {
            device: Device::libtorch(),
            description: "the processor".to_owned(),
        };
        let gpus = Device::enumerate(DeviceType::LibTorch).into_vec();
        let gpus = gpus
            .into_iter()
            .enumerate()
            .map(|(at, device)| FoundDevice {
                device,
                description: format!("CUDA GPU {at}"),
            });
        std::iter::once(processor).chain(gpus).collect()
    },
    supports_f64: true,
    missing: "LibTorch sees no processor",
};
