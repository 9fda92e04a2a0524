//! Which lines are held out.

use std::ops::Range;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// One line in this many of a group is held out, at most.
const HELD_OUT: usize = 4;

/// How many of `lines` are held out, if `most` are at most.
pub(super) fn out_of(lines: usize, most: usize) -> usize {
    (lines / HELD_OUT).clamp(1, most.max(1))
}

/// The lines of one seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Split {
    /// Lines to train on, group by group.
    pub(super) training: Vec<u32>,
    /// Where each group is in `training`.
    pub(super) members: Vec<Range<usize>>,
    /// Held-out lines of each group.
    pub(super) held_out: Vec<Vec<u32>>,
}

impl Split {
    /// Holds out a quarter of each of these groups, `most` lines at most and one at least. Each has two lines or more.
    pub(super) fn new<'a>(groups: impl Iterator<Item = &'a [u32]>, most: usize, seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(2);
        let mut split = Self {
            training: Vec::new(),
            members: Vec::new(),
            held_out: Vec::new(),
        };
        for lines in groups {
            let out = out_of(lines.len(), most);
            let mut at = rand::seq::index::sample(&mut random, lines.len(), out).into_vec();
            at.sort_unstable();
            let first = split.training.len();
            let mut rest = lines.iter().enumerate();
            for &out in &at {
                let kept = rest.by_ref().take_while(|(place, _)| *place != out);
                split.training.extend(kept.map(|(_, &line)| line));
            }
            split.training.extend(rest.map(|(_, &line)| line));
            split
                .held_out
                .push(at.iter().map(|&at| lines[at]).collect());
            split.members.push(first..split.training.len());
        }
        split
    }
}
