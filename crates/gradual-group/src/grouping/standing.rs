//! The examples that a grouping keeps.

/// Examples that a grouping keeps beside the draws and wants to see again under the current model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// A new draw of this many examples, to be kept.
    Fresh(usize),
    /// Those that were kept.
    Again,
    /// Those that were kept, of which this many of the oldest have made room for as many of a new draw: without the
    /// first ones, and with the new ones at the end. All of these are kept now.
    Replace(usize),
}
