//! The calls that ranks make together.

/// A kind of call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    AllGather,
    Broadcast { root: usize },
    AllReduceF32,
    AllReduceF64,
}

impl Call {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::AllGather => "all_gather",
            Self::Broadcast { .. } => "broadcast",
            Self::AllReduceF32 => "all_reduce_f32",
            Self::AllReduceF64 => "all_reduce_f64",
        }
    }
}
