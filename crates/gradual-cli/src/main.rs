//! Groups, coefficients, emergence metrics and reports for files that any framework wrote.
fn main() {}
