//! One program for most files of tests, for each one is linked anew. Those that have one of their own are named in
//! `Cargo.toml`.

mod common;
mod compositions;
mod damped;
mod definitions;
mod gradient_rules;
mod negative;
mod precision;
mod scales;
