//! Values that records can't hold, and records that can't follow one another.

mod config;
mod evaluation;
mod experiment;
mod grouping;
mod looks;
mod members;
mod range;
mod timing;
