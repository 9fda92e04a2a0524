//! One program for most files of tests, for each one is linked anew. Those that have one of their own are named in
//! `Cargo.toml`.

mod across;
mod composed;
mod curve;
mod emergence;
mod halves;
mod reference;
mod statistics;
mod summary;
mod verdict;
mod verdict_errors;
