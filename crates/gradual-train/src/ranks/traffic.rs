//! What ranks have sent.

/// Calls and bytes of a rank so far, the same on all ranks.
///
/// These are the bytes of the messages, however a network carries them: a ring, for one, sends almost twice the bytes
/// of a buffer that is reduced, over each of its links.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Gathers to all.
    pub gathers: u64,
    /// Bytes of all messages that were gathered, those of every rank.
    pub gathered: u64,
    /// Messages from one rank to all.
    pub broadcasts: u64,
    /// Their bytes.
    pub broadcast: u64,
    /// Sums over ranks.
    pub reductions: u64,
    /// Bytes of the lists that were summed, counted once.
    pub reduced: u64,
}
