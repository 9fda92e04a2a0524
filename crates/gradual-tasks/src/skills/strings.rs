//! Copying, reversing and sorting letters.

use rand::{Rng, RngExt};

/// The letters that strings are made of, a to j: few, so that each is seen often.
const LETTERS: [u8; 10] = *b"abcdefghij";

/// `c:hag>` → `hag`.
pub(super) fn copy<R: Rng + ?Sized>(rng: &mut R) -> (String, String) {
    let letters = letters(rng);
    (format!("c:{letters}>"), letters)
}

/// `r:hag>` → `gah`.
pub(super) fn reverse<R: Rng + ?Sized>(rng: &mut R) -> (String, String) {
    let letters = letters(rng);
    (format!("r:{letters}>"), letters.chars().rev().collect())
}

/// `s:hag>` → `agh`; a letter that comes twice stays twice.
pub(super) fn sort<R: Rng + ?Sized>(rng: &mut R) -> (String, String) {
    let letters = letters(rng);
    let mut sorted: Vec<char> = letters.chars().collect();
    sorted.sort_unstable();
    (format!("s:{letters}>"), sorted.into_iter().collect())
}

/// 3 to 6 letters, each drawn by itself: the lengths are equally frequent.
fn letters<R: Rng + ?Sized>(rng: &mut R) -> String {
    let length = rng.random_range(3..=6_u32);
    (0..length)
        .map(|_| char::from(LETTERS[rng.random_range(0..LETTERS.len())]))
        .collect()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn lengths_and_letters_are_spread_evenly() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let (mut lengths, mut counts) = ([0; 7], [0; 10]);
        for _ in 0..8_000 {
            let drawn = letters(&mut rng);
            lengths[drawn.len()] += 1;
            for byte in drawn.bytes() {
                counts[usize::from(byte - b'a')] += 1;
            }
        }
        assert_eq!(lengths[..3], [0; 3]);
        assert!(
            lengths[3..].iter().all(|n| (1_800..2_200).contains(n)),
            "{lengths:?}"
        );
        assert!(
            counts.iter().all(|n| (3_300..3_900).contains(n)),
            "{counts:?}"
        );
    }
}
