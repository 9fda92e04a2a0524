//! One program for most files of tests, for each one is linked anew. Those that have one of their own are named in
//! `Cargo.toml`.

mod against;
mod claims;
mod common;
mod contradictions;
mod extremes;
mod found_groups;
mod index;
mod large;
mod mixed;
mod names;
mod place;
mod plot;
mod report;
mod series;
