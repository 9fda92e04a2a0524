//! Looking up a key in a small JSON object.

use rand::seq::SliceRandom;
use rand::{Rng, RngExt};

/// The letters that keys are made of, a to e: few, so that each is looked up often.
const KEYS: [u8; 5] = *b"abcde";

/// `{"a":3,"d":7}d` → `7`: 2 or 3 different keys of one letter, each with a digit, in any order.
///
/// Values may repeat, so the answer cannot be found by excluding what was seen before.
pub(super) fn lookup<R: Rng + ?Sized>(rng: &mut R) -> (String, String) {
    let count = rng.random_range(2..=3_usize);
    let mut letters = KEYS;
    let (keys, _) = letters.partial_shuffle(rng, count);
    let entries: Vec<(char, u32)> = keys
        .iter()
        .map(|&key| (char::from(key), rng.random_range(0..10)))
        .collect();
    let (key, value) = entries[rng.random_range(0..count)];
    let body: Vec<String> = entries
        .iter()
        .map(|(key, value)| format!("\"{key}\":{value}"))
        .collect();
    (format!("{{{}}}{key}", body.join(",")), value.to_string())
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn every_place_and_every_value_is_asked_for() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let (mut places, mut values) = ([0; 3], [0; 10]);
        for _ in 0..6_000 {
            let (prompt, answer) = lookup(&mut rng);
            let (object, key) = prompt.split_at(prompt.len() - 1);
            places[object.find(&format!("\"{key}\"")).unwrap() / 6] += 1;
            values[answer.parse::<usize>().unwrap()] += 1;
        }
        // Halves have 2 and 3 keys: the first place is asked for in (1/2 + 1/3)/2 of the items.
        for (place, expected) in places.into_iter().zip([2500, 2500, 1000]) {
            assert!(
                (expected - 200..expected + 200).contains(&place),
                "{places:?}"
            );
        }
        assert!(values.iter().all(|n| (480..720).contains(n)), "{values:?}");
    }
}
