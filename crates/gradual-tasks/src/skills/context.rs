//! How long items are.

/// The length T of every encoded item: the characters of the longest prompt with its answer.
///
/// That is a number word such as `seven-hundred-seventy-seven=` and three digits. The end mark needs
/// no place: it is predicted, never read.
pub const CONTEXT: usize = 31;
