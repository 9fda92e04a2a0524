//! Steps over several ranks, which are threads here.

#[path = "../common/mod.rs"]
mod common;

#[test]
fn nothing() {}
