//! What a check finds besides errors.

use std::fmt;

use crate::faults::BurnFault;

/// What [`verify`](crate::verify()) found besides errors.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Verified {
    /// Path of each parameter, and how far the traced update is from Burn's own: the largest difference, as a share of
    /// the largest entry. Empty where they could not be compared.
    pub differences: Vec<(String, f64)>,
    /// What a training run should know of.
    pub warnings: Vec<Warning>,
}

/// Findings that are not errors, but worth a look.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// The gradient of these parameters is zero for every example of the draw.
    Zero {
        /// Their paths.
        paths: Vec<String>,
    },
    /// Clones of a layer share one parameter.
    Shared {
        /// The path that an optimizer moves.
        path: String,
        /// The others.
        others: Vec<String>,
    },
    /// The closure gives different losses in each pass, so the gradients can't be compared with Burn's own.
    Random,
    /// Burn's own backward pass gets the gradient of a parameter wrong, and the trace does not.
    BurnFault {
        /// The parameter's path.
        path: String,
        /// What is wrong.
        fault: BurnFault,
    },
    /// A loss is NaN or infinite, so nothing could be compared.
    NotFinite {
        /// The first such example.
        example: usize,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Zero { paths } => write!(
                f,
                "no example of the draw has a gradient for {}: not trained now (a dead unit, a branch that was not \
                 taken, the A of a LoRA adapter whose B is still zero)",
                paths.join(", ")
            ),
            Self::Shared { path, others } => write!(
                f,
                "{path} and {} are one parameter (clones of a layer): an optimizer moves {path} alone; initialise \
                 each layer by itself",
                others.join(", ")
            ),
            Self::Random => write!(
                f,
                "the closure gives other losses each time it is called (random numbers that no seed of the device \
                 governs), so the gradients could not be compared with Burn's own"
            ),
            Self::BurnFault { path, fault } => write!(f, "{path}: {fault}"),
            Self::NotFinite { example } => write!(
                f,
                "the loss of example {example} is NaN or infinite, so the gradients could not be checked"
            ),
        }
    }
}

impl Verified {
    pub(super) fn unchecked(warning: Warning) -> Self {
        Self {
            differences: Vec::new(),
            warnings: vec![warning],
        }
    }
}
