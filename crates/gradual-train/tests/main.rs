//! One program for most files of tests, for each one is linked anew. Those that have one of their own are named in
//! `Cargo.toml`.

mod adapters;
mod common;
mod counts;
mod foreign;
mod grouped_step;
mod labellings;
mod lazy;
mod left_out;
mod lens_items;
mod lens_proxy;
mod lens_search;
mod notes;
mod parts;
mod phases;
mod precision;
mod repeats;
mod resume;
mod rules;
mod signed;
mod standing;
mod training;
mod twice;
mod verified;
