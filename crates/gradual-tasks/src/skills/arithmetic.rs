//! Adding and multiplying numerals.

use rand::{Rng, RngExt};

/// `12+7=` → `19`, each number of one or two digits.
pub(super) fn add<R: Rng + ?Sized>(rng: &mut R) -> (String, String) {
    let (a, b) = (one_or_two_digits(rng), one_or_two_digits(rng));
    (format!("{a}+{b}="), (a + b).to_string())
}

/// `7*38=` → `266`: one digit times one or two digits.
///
/// The single digit always stands first: one order is fewer surface forms to learn.
pub(super) fn multiply<R: Rng + ?Sized>(rng: &mut R) -> (String, String) {
    let (a, b) = (rng.random_range(0..10_u32), one_or_two_digits(rng));
    (format!("{a}*{b}="), (a * b).to_string())
}

/// Draws the number of digits first, so that half of the numbers are the easy ones below ten; a
/// uniform draw below a hundred would make them a tenth.
fn one_or_two_digits<R: Rng + ?Sized>(rng: &mut R) -> u32 {
    if rng.random_bool(0.5) {
        rng.random_range(0..10)
    } else {
        rng.random_range(10..100)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn every_prompt_can_come() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let products: HashSet<_> = (0..60_000).map(|_| multiply(&mut rng).0).collect();
        assert_eq!(products.len(), 1000);
        let numbers: HashSet<_> = (0..10_000).map(|_| one_or_two_digits(&mut rng)).collect();
        assert_eq!(numbers, (0..100).collect());
    }

    #[test]
    fn half_of_the_numbers_have_one_digit() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let small = (0..20_000)
            .filter(|_| one_or_two_digits(&mut rng) < 10)
            .count();
        assert!((9_500..10_500).contains(&small), "{small}");
    }
}
