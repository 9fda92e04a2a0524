//! The command `bench`: what a step costs, as ratios to an ordinary step, beside the peers.
//!
//! [`command`] is where it starts. `case` says what is measured and `turns` has it measured, in processes of their own
//! and in turn with the peers; `table` and `targets` tell how models compare, `scaling` how cost grows, `endurance`
//! whether memory does over a long run, `largest` how many examples memory has room for, `whole` what a whole experiment takes. [`scale`] measures nothing: it says what a
//! step on many devices takes.

pub mod command;
pub mod scale;

mod case;
mod endurance;
mod fit;
mod flops;
mod groupings;
mod largest;
mod measured;
mod memory;
mod method;
mod model;
mod rate;
mod scaling;
mod table;
mod targets;
mod threads;
mod turns;
mod whole;
mod write;
