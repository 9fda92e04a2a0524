//! One program for most files of tests, for each one is linked anew. Those that have one of their own are named in
//! `Cargo.toml`.

mod all;
mod common;
mod curves;
mod files;
mod images;
mod lens_runs;
mod mixed;
mod other_commands;
mod phases;
mod record;
mod series;
mod sizes;
mod study;
mod tables;
mod text;
mod written;
