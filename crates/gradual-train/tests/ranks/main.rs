//! Steps over several ranks, which are threads here.

#[path = "../common/mod.rs"]
mod common;

mod close;
mod collective;
mod ended;
mod equal;
mod ill;
mod killed;
mod own_loop;
mod refused;
mod resumed;
mod several;
mod traffic;
mod trained;
mod written;
