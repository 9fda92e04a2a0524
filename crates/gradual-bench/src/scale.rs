//! The command `scale`: one grouped step on many devices, on paper.
//!
//! # The idea
//!
//! What a grouped step adds to an ordinary one follows from shapes alone: which matrix products it takes, how many bytes its
//! ranks tell each other, and what has to stay in memory between losses and coefficients. So it can be said for models and
//! machines that nobody has at hand, and where it stops to scale can be found. The bytes are those of `docs/ranks.md`, and a
//! test holds them against what two and four ranks send.
//!
//! # Steps
//!
//! `model` has the layers of a decoder, `step` counts operations, bytes and memory of one step, `machine` divides them by
//! rates, and `table` prints one row for each number of ranks.
//!
//! # When
//!
//! Before a large run: which grouping can be afforded at which size of a draw. The times are bounds at the rates that are given,
//! not measurements: nothing is said of what is done element by element, of waiting, or of what overlaps.

pub mod command;

mod machine;
mod model;
mod step;
mod table;
#[cfg(test)]
mod tests;
