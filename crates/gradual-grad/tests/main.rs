//! One program for most files of tests, for each one is linked anew. Those that have one of their own are named in
//! `Cargo.toml`.

mod common;
mod coupled;
mod idioms;
mod layers;
mod lora;
mod metric;
mod metrics;
mod models;
mod no_false_alarm;
mod precision;
mod record;
mod unseen;
mod whose;
