//! What the system lets a process have.

/// Lets this process have as many open files as it may ask for: the soft limit, 1 024 as a rule, becomes the hard one. Where
/// the system says no, all stays as it is.
pub(crate) fn raise_open_files() {
    #[cfg(unix)]
    let _ = rlimit::increase_nofile_limit(u64::MAX);
}
