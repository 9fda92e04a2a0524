//! How much memory a step takes, on the device where that has memory of its own.

use burn::tensor::Device;

/// Bytes that a device with memory of its own has set aside for this process, which grow to the most that was in
/// use at once.
pub(crate) fn on_device(device: &Device) -> Option<u64> {
    Some(device.memory_pool_usage()?.bytes_reserved)
}
