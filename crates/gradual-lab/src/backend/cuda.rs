//! CUDA on NVIDIA GPUs, with kernels compiled at run time.

use burn::tensor::{Device, DeviceType};

use super::{Compiled, Found};

pub(super) const BACKEND: Compiled = Compiled {
    name: "cuda",
    devices: || {
        let devices = Device::enumerate(DeviceType::Cuda).into_vec();
        let devices = devices.into_iter().enumerate();
        devices
            .map(|(at, device)| Found {
                device,
                what: format!("CUDA GPU {at}"),
            })
            .collect()
    },
    double: true,
    missing: "no NVIDIA GPU was found; it needs the NVIDIA driver and the CUDA toolkit 12 or later (NVRTC)",
};
