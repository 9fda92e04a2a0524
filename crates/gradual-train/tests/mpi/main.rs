//! The steps of several processes under MPI are those of one, and go on after one of them was killed.
//!
//! `cargo test --features mpi --test mpi` starts four processes by `mpirun` where there is one, and kills them. Started by
//! `mpirun` itself, the program is one of them.

#![allow(
    clippy::print_stdout,
    reason = "a test without a harness says what it has tested"
)]

#[path = "../ranks/close.rs"]
mod close;
#[path = "../common/mod.rs"]
mod common;
mod equal;
mod killed;
#[path = "../ranks/own_loop.rs"]
mod own_loop;
#[path = "../ranks/written.rs"]
mod written;

use std::path::Path;
use std::rc::Rc;

use gradual_train::{Collective as _, MpiRank};

fn main() {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some(killed::TRAIN) {
        let folder = arguments.next().expect("a folder");
        return killed::train(Path::new(&folder));
    }
    let rank = Rc::new(MpiRank::start().expect("MPI starts once"));
    equal::steps_are_those_of_one(&rank);
    let alone = rank.size() == 1;
    drop(rank);
    if alone && killed::has_mpirun() {
        killed::steps_of_several();
        killed::at_random_moments();
    }
}
