//! Which parts of a draw are a rank's own.

use std::ops::Range;

use super::error::RanksError;

/// Which of `parts` are those of `rank`: as many on every rank, or one more, and none without.
///
/// # Errors
///
/// [`RanksError::TooMany`] for fewer parts than ranks.
pub(crate) fn own_share(
    parts: usize,
    rank: usize,
    size: usize,
) -> Result<Range<usize>, RanksError> {
    match parts < size {
        true => Err(RanksError::TooMany {
            ranks: size,
            name: "the number of parts of a draw",
            got: parts,
        }),
        false => Ok(rank * parts / size..(rank + 1) * parts / size),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_that_of_one_rank() {
        for (parts, size) in [(1, 1), (4, 4), (7, 3), (10, 4), (5, 1)] {
            let shares: Vec<_> = (0..size)
                .map(|rank| own_share(parts, rank, size).unwrap())
                .collect();
            let all: Vec<usize> = shares.iter().cloned().flatten().collect();
            assert_eq!(all, (0..parts).collect::<Vec<_>>());
            let sizes = || shares.iter().map(Range::len);
            assert!(
                sizes().max() <= sizes().min().map(|least| least + 1) && sizes().min() > Some(0)
            );
        }
        assert!(own_share(3, 0, 4).is_err());
    }
}
