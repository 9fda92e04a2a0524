//! Number words from zero to nine-hundred-ninety-nine: reading and writing them, and adding those
//! below a hundred.

use rand::{Rng, RngExt};

use super::context::CONTEXT;

/// The numbers that have words here are those below this one.
pub(super) const LIMIT: u32 = 1000;

/// Sums in words are those below this one.
const SUMS_LIMIT: u32 = 100;

/// One number in this many that is to be translated is below a hundred; a uniform draw would make
/// them one in ten, too few for sums in words to build on.
const SMALL_ONE_IN: u32 = 4;

const BELOW_TWENTY: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];

/// From twenty on.
const TENS: [&str; 8] = [
    "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
];

/// The words of `number`, which must be below [`LIMIT`].
fn words(number: u32) -> String {
    if number >= 100 {
        let hundreds = format!("{}-hundred", words(number / 100));
        return match number % 100 {
            0 => hundreds,
            rest => format!("{hundreds}-{}", words(rest)),
        };
    }
    let number = number as usize;
    if let Some(word) = BELOW_TWENTY.get(number) {
        return (*word).to_owned();
    }
    let tens = TENS[number / 10 - 2];
    match number % 10 {
        0 => tens.to_owned(),
        units => format!("{tens}-{}", BELOW_TWENTY[units]),
    }
}

/// Whether a number is written in several words with hyphens, such as forty-two or three-hundred.
///
/// The others (zero to nineteen and the tens) are words of their own, which nobody can guess
/// unseen.
pub(super) const fn is_compound(number: u32) -> bool {
    number >= 100 || number > 20 && !number.is_multiple_of(10)
}

/// A number to be translated.
fn number<R: Rng + ?Sized>(rng: &mut R) -> u32 {
    if rng.random_ratio(1, SMALL_ONE_IN) {
        rng.random_range(0..100)
    } else {
        rng.random_range(100..LIMIT)
    }
}

/// `forty-two=` → `42`.
pub(super) fn to_number<R: Rng + ?Sized>(rng: &mut R) -> (String, String) {
    let number = number(rng);
    (format!("{}=", words(number)), number.to_string())
}

/// `42=` → `forty-two`.
pub(super) fn to_words<R: Rng + ?Sized>(rng: &mut R) -> (String, String) {
    let number = number(rng);
    (format!("{number}="), words(number))
}

/// `three+twenty=` → `twenty-three`, uniformly over the pairs of [`sum_in_words`].
pub(super) fn add_words<R: Rng + ?Sized>(rng: &mut R) -> (String, String) {
    loop {
        let (a, b) = (
            rng.random_range(0..SUMS_LIMIT),
            rng.random_range(0..SUMS_LIMIT),
        );
        if let Some(item) = sum_in_words(a, b) {
            return item;
        }
    }
}

/// Prompt and answer of a sum in words, or nothing if the sum has no words here or if both together
/// are longer than the longest item of a trained skill.
///
/// A longer item would reach positions that no training example has: a model with learned positions
/// would then fail for want of these positions, which says nothing about the composition of skills.
/// Of the 5050 pairs with a sum below [`SUMS_LIMIT`], 3434 fit.
fn sum_in_words(a: u32, b: u32) -> Option<(String, String)> {
    if a + b >= SUMS_LIMIT {
        return None;
    }
    let prompt = format!("{}+{}=", words(a), words(b));
    let answer = words(a + b);
    (prompt.len() + answer.len() <= CONTEXT).then_some((prompt, answer))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::super::checker;
    use super::*;

    #[test]
    fn words_are_english() {
        for (number, expected) in [
            (0, "zero"),
            (8, "eight"),
            (12, "twelve"),
            (18, "eighteen"),
            (20, "twenty"),
            (21, "twenty-one"),
            (40, "forty"),
            (42, "forty-two"),
            (80, "eighty"),
            (99, "ninety-nine"),
            (100, "one-hundred"),
            (342, "three-hundred-forty-two"),
            (500, "five-hundred"),
            (807, "eight-hundred-seven"),
            (912, "nine-hundred-twelve"),
            (990, "nine-hundred-ninety"),
        ] {
            assert_eq!(words(number), expected);
        }
    }

    #[test]
    fn every_number_reads_back() {
        for number in 0..LIMIT {
            assert_eq!(checker::read_words(&words(number)), Some(number));
            assert_eq!(is_compound(number), words(number).contains('-'), "{number}");
        }
        let compounds = (0..LIMIT).filter(|&n| is_compound(n)).count();
        assert_eq!(compounds, 1000 - 20 - 8);
    }

    #[test]
    fn every_number_can_come() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let read: HashSet<_> = (0..20_000).map(|_| to_number(&mut rng).0).collect();
        let written: HashSet<_> = (0..20_000).map(|_| to_words(&mut rng).0).collect();
        assert_eq!((read.len(), written.len()), (1000, 1000));
    }

    #[test]
    fn a_quarter_of_the_translated_numbers_is_below_a_hundred() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let small = (0..20_000).filter(|_| number(&mut rng) < 100).count();
        assert!((4_700..5_300).contains(&small), "{small}");
    }

    #[test]
    fn sums_that_fit_are_many_and_reach_the_limits() {
        let sums: Vec<_> = (0..SUMS_LIMIT)
            .flat_map(|a| (0..SUMS_LIMIT).filter_map(move |b| sum_in_words(a, b)))
            .collect();
        assert_eq!(sums.len(), 3_434);
        assert!(sums.iter().all(|(p, a)| p.len() + a.len() <= CONTEXT));
        assert!(sums.iter().any(|(p, _)| p == "three+twenty="));
        assert!(sums.iter().any(|(p, _)| p.matches('-').count() == 2));
        assert_eq!(sum_in_words(50, 50), None);
    }
}
