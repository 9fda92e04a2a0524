//! Looking up a key in a small JSON object.

use rand::seq::SliceRandom;
use rand::{Rng, RngExt};

/// The letters that keys are made of, a to e: few, so that each is looked up often.
const KEYS: [u8; 5] = *b"abcde";

/// `{"a":3,"d":7}d` → `7`: two different keys of one letter, each with a digit, in any order.
///
/// Values may repeat, so the answer cannot be found by excluding what was seen before. A model that sees the object
/// and not the key guesses right in 55 % of the items: always if the values are equal, as
/// in one object of ten, else in half.
///
/// Two keys, because with two or three the default decoder tells the first two apart in 2 000 steps
/// and the third not in 5 000.
pub(super) fn lookup<R: Rng + ?Sized>(rng: &mut R) -> (String, String) {
    let mut letters = KEYS;
    let (keys, _) = letters.partial_shuffle(rng, 2);
    let entries: Vec<(char, u32)> = keys
        .iter()
        .map(|&key| (char::from(key), rng.random_range(0..10)))
        .collect();
    let (key, value) = entries[rng.random_range(0..entries.len())];
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

    /// The level of a model that has learned the form and not the skill.
    #[test]
    fn the_best_guess_without_the_key_is_right_in_half() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let right: f64 = (0..20_000)
            .map(|_| {
                let (prompt, _) = lookup(&mut rng);
                let values: Vec<char> = prompt.chars().filter(char::is_ascii_digit).collect();
                let times = |value| values.iter().filter(|&&other| other == value).count();
                let most = values.iter().map(|&value| times(value)).max().unwrap();
                most as f64 / values.len() as f64
            })
            .sum();
        assert!((right / 20_000.0 - 0.55).abs() < 0.01, "{right}");
    }

    #[test]
    fn every_place_and_every_value_is_asked_for() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let (mut places, mut values) = ([0; 2], [0; 10]);
        for _ in 0..6_000 {
            let (prompt, answer) = lookup(&mut rng);
            let (object, key) = prompt.split_at(prompt.len() - 1);
            places[object.find(&format!("\"{key}\"")).unwrap() / 6] += 1;
            values[answer.parse::<usize>().unwrap()] += 1;
        }
        assert!(
            places.iter().all(|n| (2_800..3_200).contains(n)),
            "{places:?}"
        );
        assert!(values.iter().all(|n| (480..720).contains(n)), "{values:?}");
    }
}
