//! One program for most files of tests, for each one is linked anew. Those that have one of their own are named in
//! `Cargo.toml`.

mod aside;
mod common;
mod config;
mod contradictions;
mod files;
mod members;
mod record;
mod schema;
