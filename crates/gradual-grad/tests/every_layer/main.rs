//! Layers in double precision throughout, to 1e-9: Burn makes some tensors in the precision of the device, so a program
//! has one precision. The reference is Burn's own `forward` and one backward pass per example.

#![allow(unreachable_pub, reason = "modules of one test")]

#[path = "../common/mod.rs"]
mod common;

mod activations;
mod attention;
mod convolutions;
mod dense;
mod faults;
mod list;
mod modules;
mod norms;
mod recurrent;
mod sources;
mod support;
mod transposed;
