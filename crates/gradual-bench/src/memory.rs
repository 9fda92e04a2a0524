//! How much memory a step takes.

use burn::tensor::Device;

/// Bytes that a device with memory of its own has set aside for this process, which grow to the most that was in
/// use at once.
pub(crate) fn on_device(device: &Device) -> Option<u64> {
    Some(device.memory_pool_usage()?.bytes_reserved)
}

/// Bytes that `/proc/self/status` gives under `field`, such as `VmRSS:`, where there is such a file.
pub(crate) fn of_process(field: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kibibytes * 1024)
}
