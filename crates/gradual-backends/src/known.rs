//! Every backend that is compiled in.

#[cfg(feature = "cuda")]
mod cuda;
#[cfg(feature = "flex")]
mod flex;
#[cfg(feature = "ndarray")]
mod ndarray;
#[cfg(feature = "tch")]
mod tch;
#[cfg(feature = "wgpu")]
mod wgpu;

use crate::compiled::CompiledBackend;

/// All that are compiled in, the default one first.
pub const COMPILED: &[CompiledBackend] = &[
    #[cfg(feature = "flex")]
    flex::BACKEND,
    #[cfg(feature = "ndarray")]
    ndarray::BACKEND,
    #[cfg(feature = "wgpu")]
    wgpu::BACKEND,
    #[cfg(feature = "tch")]
    tch::BACKEND,
    #[cfg(feature = "cuda")]
    cuda::BACKEND,
];
