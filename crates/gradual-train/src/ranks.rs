//! One grouped step over several ranks: devices of a machine, or processes of many machines.
//!
//! # The idea
//!
//! The loss of a draw depends on all of its examples, so gradients of separate devices can't just be averaged: a rank
//! has to know the coefficients of its own examples, which come from the losses (and, for found groups, the gradients)
//! of all. But that is all that has to be shared. A rank is a part of the draw that lies elsewhere: it traces its own
//! examples, learns their coefficients, combines its own gradients, and the updates are summed.
//!
//! # Steps
//!
//! 1. Every rank has the same seed, sampler and random state, and so draws the same examples. They are drawn in
//!    [`parts`](crate::TrainerConfig::parts), of which each rank traces some, one after another.
//! 2. Losses are gathered, and where gradients are compared what the grouping looks at: [`Gathering`] says what.
//! 3. Every rank forms groups and coefficients from the same bytes. Those of rank 0 are sent to all and used by all, so
//!    that no rounding makes ranks differ.
//! 4. Each rank combines its own gradients with its own coefficients, the updates are summed over ranks, and every rank
//!    takes the same optimizer step.
//!
//! Weights, optimizer, sampler and random numbers are then the same bits on all ranks after every step. A checkpoint is
//! that of rank 0, and a run goes on from it on any number of ranks.
//!
//! # Failure
//!
//! Every message begins with whether its sender is well. So what goes wrong on one rank is known to all in the same
//! step, and all end with an error that names it. A rank that is gone makes the calls of the others fail.
//!
//! # Cost
//!
//! For N examples, P numbers in the parameters that get a gradient, and R ranks, a step gathers 4 N bytes of losses,
//! broadcasts 4 N bytes of coefficients (8 N where groups are hard), reduces 4 P bytes, and some bytes for each rank.
//! Found groups gather 4 N r bytes of sketches of r dimensions, or all factors. `docs/ranks.md` has the whole formula,
//! which [`Traffic`] counts.
//!
//! # When to use it
//!
//! Where the passes of one step take too long, or their activations too much memory, on one device. Runs that need
//! nothing of each other (seeds, arms) are better spread as separate programs, which `gradual-lab` does.

mod call;
mod collective;
mod compared;
mod decision;
mod entries;
mod error;
mod first_examples;
mod gathering;
mod group;
mod losses;
mod message;
#[cfg(feature = "mpi")]
mod mpi_rank;
mod numbers;
mod own_loop;
mod share;
mod threads;
mod traffic;
mod update;

pub use collective::Collective;
pub use error::RanksError;
pub use gathering::Gathering;
pub use group::Ranks;
#[cfg(feature = "mpi")]
pub use mpi_rank::MpiRank;
pub use threads::ThreadRank;
pub use traffic::Traffic;

pub(crate) use compared::OwnGradients;
pub(crate) use decision::{sent_decision, taken_decision};
pub(crate) use entries::Entries;
pub(crate) use first_examples::FirstExamples;
pub(crate) use message::Point;
