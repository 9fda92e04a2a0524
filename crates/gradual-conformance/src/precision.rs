//! The precision that a backend computes in, and what everything is compared with.

use burn::tensor::FloatDType;

/// The precision of all that a device computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Precision {
    F32,
    F64,
}

impl Precision {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F64 => "f64",
        }
    }

    pub(crate) fn dtype(self) -> FloatDType {
        match self {
            Self::F32 => FloatDType::F32,
            Self::F64 => FloatDType::F64,
        }
    }
}

/// What everything is compared with.
pub(crate) const REFERENCE: (&str, Precision) = ("flex", Precision::F64);
