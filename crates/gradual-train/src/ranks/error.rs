//! What can go wrong between ranks.

use thiserror::Error;

/// What can go wrong between ranks.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RanksError {
    /// A rank is there no more.
    #[error(
        "ranks: rank {rank} is gone ({why}) while the others were in {call}; find out what ended it, and resume the run \
         from its last checkpoint"
    )]
    Gone {
        /// The rank.
        rank: usize,
        /// How it went.
        why: String,
        /// The call of the others.
        call: &'static str,
    },
    /// A rank failed with an error of its own.
    #[error("ranks: rank {rank} failed ({at}): {problem}")]
    Failed {
        /// The rank.
        rank: usize,
        /// What all ranks were about to share.
        at: &'static str,
        /// Its error.
        problem: String,
        /// Whether a number that is NaN or infinite made it fail.
        not_finite: bool,
    },
    /// Ranks make different calls.
    #[error(
        "ranks: rank {rank} is in {theirs} while another is in {ours}; all ranks have to make the same calls in the same \
         order"
    )]
    Disagree {
        /// A rank that makes another call.
        rank: usize,
        /// Its call.
        theirs: &'static str,
        /// The call of another rank.
        ours: &'static str,
    },
    /// Ranks sum lists of different lengths.
    #[error(
        "ranks: rank {rank} sums {got} numbers, and rank 0 {expected}; they have to train the same parameters"
    )]
    Lengths {
        /// The rank.
        rank: usize,
        /// How many numbers rank 0 has.
        expected: usize,
        /// How many it has.
        got: usize,
    },
    /// Ranks were started with different settings, data or weights.
    #[error(
        "ranks: {entry} is {got} on rank {rank} and {expected} on rank 0; start all ranks alike"
    )]
    Differs {
        /// The rank.
        rank: usize,
        /// What differs.
        entry: String,
        /// What it is on rank 0.
        expected: String,
        /// What it is on that rank.
        got: String,
    },
    /// The weights of a rank are no longer those of rank 0.
    #[error(
        "ranks: after step {step} the weights of rank {rank} are no longer those of rank 0; they have another optimizer or \
         learning rate, or their devices round in another way: use equal devices and equal settings"
    )]
    Drifted {
        /// The rank.
        rank: usize,
        /// Steps done.
        step: u64,
    },
    /// There are more ranks than parts or examples.
    #[error(
        "ranks: there are {ranks} of them, and {name} is {got}; {name} must be at least the number of ranks"
    )]
    TooMany {
        /// Number of ranks.
        ranks: usize,
        /// What there is too little of.
        name: &'static str,
        /// How much of it there is.
        got: usize,
    },
    /// What a run does can't be done over several ranks.
    #[error("ranks: {problem}")]
    Refused {
        /// What can't be, and what to do.
        problem: String,
    },
    /// A message can't be read.
    #[error(
        "ranks: a message of rank {rank} can't be read ({at}); all ranks have to run the same program"
    )]
    Message {
        /// The sender.
        rank: usize,
        /// What it was to hold.
        at: &'static str,
    },
}

impl RanksError {
    pub(crate) fn refused(problem: impl Into<String>) -> Self {
        Self::Refused {
            problem: problem.into(),
        }
    }

    /// Whether a number that is NaN or infinite made a rank fail.
    pub(crate) fn is_not_finite(&self) -> bool {
        matches!(
            self,
            Self::Failed {
                not_finite: true,
                ..
            }
        )
    }
}
