//! wgpu: Vulkan, Metal or DirectX 12, whichever the machine has. On machines without a GPU it runs on Mesa's software
//! driver.

use burn::tensor::{Device, DeviceType};

use crate::compiled::{CompiledBackend, FoundDevice};

pub(super) const BACKEND: CompiledBackend = CompiledBackend {
    name: "wgpu",
    find: || {
        let devices = Device::enumerate(DeviceType::Wgpu).into_vec();
        devices.into_iter().map(found).collect()
    },
    // Shading languages need not have it, and some of Burn's kernels fail in it where the device does.
    supports_f64: false,
    missing: "no graphics driver was found; install the Vulkan driver of the GPU, or for a machine without \
              one Mesa's software driver (Debian package mesa-vulkan-drivers)",
};

fn found(device: Device) -> FoundDevice {
    let description = match device.identity() {
        Some(identity) => identity.name,
        None => format!("{device:?}"),
    };
    FoundDevice {
        device,
        description,
    }
}
