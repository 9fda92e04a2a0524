//! The conformance suite: does a backend compute what the reference computes?
//!
//! The same calculations, part by part, are made on each backend and on `flex` in double precision, the reference, from
//! the same numbers, which are drawn on the host. Each backend runs in a process of its own: Burn fixes a device's
//! precision once, and a driver that crashes then costs no row but its own.
//!
//! An error of the reference's own would go unnoticed, so some numbers are stated and the reference has to meet them,
//! too: how often a step waits, that runs repeat, and group losses, which are summed on the host.
//!
//! [`command`] is where it starts.

pub mod command;

mod compare;
mod compositions;
mod gradients;
mod groupings;
mod models;
mod numbers;
mod parts;
mod precision;
mod settings;
mod training;
mod waits;
