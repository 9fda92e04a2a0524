//! Why a backend can't be used.

/// Why a backend can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BackendError {
    /// The program was built without any backend.
    #[error("no backend is compiled in; build with `--features flex`")]
    NoneCompiled,
    /// No backend of this name is compiled in.
    #[error(
        "backend '{name}' is not compiled in (there is: {}){}", compiled.join(", "), way_out(.name, .compiled)
    )]
    NotCompiled {
        /// The name that was given.
        name: String,
        /// Names of the backends that are compiled in.
        compiled: Vec<&'static str>,
    },
    /// What follows the colon is not a number.
    #[error("backend '{text}': '{index}' is no index of a device; give a number from 0")]
    Index {
        /// What was given.
        text: String,
        /// The part that is not a number.
        index: String,
    },
    /// This machine has no device for the backend.
    #[error("backend '{backend}': no device: {missing}")]
    NoDevice {
        /// The backend.
        backend: &'static str,
        /// What is missing.
        missing: &'static str,
    },
    /// The backend has devices here, but not one with this index.
    #[error("backend '{backend}' has no device {index} here; it has: {}", .devices.join(", "))]
    NoSuchDevice {
        /// The backend.
        backend: &'static str,
        /// The index that was given.
        index: usize,
        /// Index and description of each device that there is.
        devices: Vec<String>,
    },
    /// `doctor` could not print what it found.
    #[error("could not print: {reason}")]
    Unsaid {
        /// The system's reason.
        reason: String,
    },
    /// `doctor` found something that does not work, and has said what.
    #[error("{broken} of the backends or devices do not work")]
    Broken {
        /// How many.
        broken: usize,
    },
}

/// A name in capitals is a slip; any other may be a backend that has to be built in.
fn way_out(name: &str, compiled: &[&str]) -> String {
    match compiled.iter().find(|one| one.eq_ignore_ascii_case(name)) {
        Some(meant) => format!("; did you mean '{meant}'?"),
        None => format!("; `cargo xtask experiment --backend {name}` builds a backend in"),
    }
}
