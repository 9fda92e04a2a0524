//! This process, as the system sees it: how much memory it takes, and what a limit does to it.

#[cfg(unix)]
use crate::streams::tell;

/// Bytes of memory that this process has at the moment; `None` where the system has no `/proc/self/status`.
#[must_use]
pub fn memory() -> Option<u64> {
    status("VmRSS:")
}

/// Most bytes of memory that this process has had at once; `None` where the system has no `/proc/self/status`.
#[must_use]
pub fn peak_memory() -> Option<u64> {
    status("VmHWM:")
}

/// Makes a write beyond the limit on the size of files fail, so that it can be told. By itself the system ends the program, without a
/// word. For programs, at their start; nothing where there is no such limit.
pub fn outlive_file_limits() {
    #[cfg(unix)]
    {
        use signal_hook::consts::SIGXFSZ;
        if let Err(error) = signal_hook::flag::register(SIGXFSZ, std::sync::Arc::default()) {
            tell(format_args!(
                "a limit on the size of files ends this program: {error}"
            ));
        }
    }
}

fn status(field: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_not_below_what_there_is() {
        // Touched, so that the system has to give it.
        let held = vec![1_u8; 64 << 20];
        let now = memory().unwrap();
        assert!(now >= held.len() as u64, "{now}");
        drop(held);
        // The system counts in batches, so that one may be some pages behind the other.
        let peak = peak_memory().unwrap();
        assert!(peak + (1 << 20) >= now, "{peak} of {now}");
    }
}
