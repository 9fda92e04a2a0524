//! CUDA on NVIDIA GPUs, with kernels compiled at run time.

use burn::tensor::{Device, DeviceType};

use crate::compiled::{CompiledBackend, FoundDevice};

pub(super) const BACKEND: CompiledBackend = CompiledBackend {
    name: "cuda",
    find: || {
        let devices = Device::enumerate(DeviceType::Cuda).into_vec();
        let devices = devices.into_iter().enumerate();
        devices
            .map(|(at, device)| FoundDevice {
                device,
                description: format!("CUDA GPU {at}"),
            })
            .collect()
    },
    supports_f64: true,
    missing: "no NVIDIA GPU was found; it needs the NVIDIA driver and the CUDA toolkit 12 or later (NVRTC)",
};
