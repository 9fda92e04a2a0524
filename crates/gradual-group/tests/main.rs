//! One program for most files of tests, for each one is linked anew. Those that have one of their own are named in
//! `Cargo.toml`.

mod atoms;
mod centroids;
mod common;
mod damped;
mod degenerate;
mod diffusion;
mod gram;
mod labelled;
mod landmarks;
mod over_time;
mod own_grouping;
mod precision;
mod recovery;
mod refresh;
mod settings;
mod singular;
mod split_merge;
mod states;
mod wrappers;
