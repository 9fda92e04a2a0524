#![doc = include_str!("../README.md")]
//!
//! Burn 0.22 decides at run time what a tensor runs on: a [`Device`](burn::tensor::Device) names a backend and one of
//! its devices. Each backend is a Cargo feature of this crate (`flex`, `ndarray`, `wgpu`, `tch`, `cuda`) and a file
//! that finds its devices; nothing else in the workspace knows a backend by name. Several may be compiled in:
//! [`Backend::choose`](backend::Backend::choose) takes `NAME` or `NAME:INDEX`.

pub mod backend;
pub mod compiled;
pub mod doctor;
pub mod error;
pub mod known;
