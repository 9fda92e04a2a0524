//! Which prompts are held out of training.
//!
//! The split is a property of the prompt's text alone: it needs no list, no seed and no order of
//! draws, and is the same on every platform and in every run.

use std::collections::HashSet;
use std::hash::Hasher;

use fnv::FnvHasher;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::item::Item;
use super::number_words::{LIMIT, is_compound};
use super::skill::Skill;

/// One prompt in this many is held out.
const ONE_IN: u64 = 10;

/// [`held_out`] stops after this many draws in a row that bring nothing new. The rarest prompts of the
/// skills that have few come once in 4000 draws, so one is missed with a chance of e⁻¹².
const PATIENCE: usize = 50_000;

/// Whether a prompt is kept out of training.
///
/// About one prompt in ten is, by a hash of its text (64-bit FNV-1a, then the finaliser of
/// `SplitMix64`: the low bit of plain FNV-1a is the parity of the characters' low bits, so its
/// remainders would split numerals by the parity of their digits). Two exceptions keep the held-out
/// accuracy meaningful:
///
/// - a sum or a product is on the same side as the one with its operands exchanged;
/// - translating zero to nineteen or a multiple of ten below a hundred is never held out: nobody can
///   guess the word `twelve` unseen.
pub fn is_held_out(prompt: &str) -> bool {
    !translates_one_word(prompt) && hash(&unordered(prompt)).is_multiple_of(ONE_IN)
}

/// Draws an item of `skill` that is not held out.
pub fn sample_training<R: Rng + ?Sized>(skill: Skill, rng: &mut R) -> Item {
    loop {
        let item = skill.sample(rng);
        if !is_held_out(&item.prompt) {
            return item;
        }
    }
}

/// An evaluation set: the first `n` different held-out items of `skill` in a stream of draws.
///
/// Depends on `skill`, `n` and `seed` alone, and a smaller `n` gives the beginning of a larger one.
/// **Fewer items come if the skill has fewer held-out prompts**: 103 for `to-number`, 86 for
/// `to-words`, 97 for `multiply`, 408 for `lookup`, 355 for `add-words`; the others have more than
/// nine hundred.
pub fn held_out(skill: Skill, n: usize, seed: u64) -> Vec<Item> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(skill.index() as u64);
    let mut seen = HashSet::new();
    let mut items = Vec::new();
    let mut idle = 0;
    while items.len() < n && idle < PATIENCE {
        let item = skill.sample(&mut rng);
        if is_held_out(&item.prompt) && seen.insert(item.prompt.clone()) {
            items.push(item);
            idle = 0;
        } else {
            idle += 1;
        }
    }
    items
}

/// Whether the prompt asks for the translation of a number that has a word of its own.
fn translates_one_word(prompt: &str) -> bool {
    let Some(number) = prompt.strip_suffix('=') else {
        return false;
    };
    if number.bytes().all(|c| c.is_ascii_digit()) {
        let number = number.parse().ok().filter(|&number| number < LIMIT);
        number.is_some_and(|number| !is_compound(number))
    } else {
        number.bytes().all(|c| c.is_ascii_lowercase())
    }
}

/// The prompt with the operands of a sum or a product in one order.
fn unordered(prompt: &str) -> String {
    for operator in ['+', '*'] {
        let operands = prompt
            .strip_suffix('=')
            .and_then(|sum| sum.split_once(operator));
        if let Some((a, b)) = operands {
            return format!("{}{operator}{}=", a.min(b), a.max(b));
        }
    }
    prompt.to_owned()
}

/// 64-bit FNV-1a of the bytes, then the finaliser of `SplitMix64`.
fn hash(text: &str) -> u64 {
    let mut z = fnv1a(text);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn fnv1a(text: &str) -> u64 {
    let mut hasher = FnvHasher::default();
    hasher.write(text.as_bytes());
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_is_the_published_one() {
        // Test vectors of the authors of FNV.
        assert_eq!(fnv1a(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a("foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn training_and_evaluation_share_no_prompt() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for skill in Skill::ALL {
            let evaluation: HashSet<_> = held_out(skill, 500, 7)
                .into_iter()
                .map(|i| i.prompt)
                .collect();
            assert!(!evaluation.is_empty());
            assert!(evaluation.iter().all(|prompt| is_held_out(prompt)));
            for _ in 0..20_000 {
                let item = sample_training(skill, &mut rng);
                assert_eq!(item.skill, skill);
                assert!(!evaluation.contains(&item.prompt) && !is_held_out(&item.prompt));
            }
        }
    }

    #[test]
    fn about_a_tenth_of_the_prompts_is_held_out() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        for skill in Skill::ALL {
            let prompts: HashSet<_> = (0..50_000).map(|_| skill.sample(&mut rng).prompt).collect();
            let share =
                prompts.iter().filter(|p| is_held_out(p)).count() as f64 / prompts.len() as f64;
            assert!((0.08..0.12).contains(&share), "{skill}: {share}");
        }
    }

    #[test]
    fn the_split_does_not_see_the_parity_of_the_digits() {
        let mut held = [0; 2];
        for a in 0..100_u32 {
            for b in a..100 {
                held[((a + b) % 2) as usize] += usize::from(is_held_out(&format!("{a}+{b}=")));
            }
        }
        assert!(held.iter().all(|n| (190..320).contains(n)), "{held:?}");
    }

    #[test]
    fn exchanged_operands_are_on_the_same_side() {
        for a in 0..100 {
            for b in 0..100 {
                for op in ['+', '*'] {
                    let (one, other) = (format!("{a}{op}{b}="), format!("{b}{op}{a}="));
                    assert_eq!(is_held_out(&one), is_held_out(&other));
                }
            }
        }
        assert_eq!(unordered("three+twenty="), unordered("twenty+three="));
        assert_eq!(unordered("7*38="), "38*7=");
        assert_eq!(unordered("c:abc>"), "c:abc>");
    }

    #[test]
    fn words_of_their_own_are_never_held_out() {
        for prompt in [
            "zero=",
            "twelve=",
            "nineteen=",
            "twenty=",
            "ninety=",
            "0=",
            "12=",
            "20=",
            "90=",
        ] {
            assert!(!is_held_out(prompt), "{prompt}");
        }
        // A number in the hundreds is several words.
        for prompt in ["one-hundred-four=", "600="] {
            assert!(is_held_out(prompt), "{prompt}");
        }
    }

    /// Pins the split: a change here would move prompts between training and evaluation of stored
    /// runs.
    #[test]
    fn the_split_is_pinned() {
        let held: Vec<u32> = (0..200).filter(|n| is_held_out(&format!("{n}="))).collect();
        assert_eq!(held, PINNED_NUMERALS);
        let sums = (0..100).flat_map(|a| (0..100).map(move |b| format!("{a}+{b}=")));
        assert_eq!(
            sums.filter(|prompt| is_held_out(prompt)).count(),
            PINNED_SUMS
        );
    }

    const PINNED_NUMERALS: &[u32] = &[
        41, 48, 71, 73, 75, 77, 78, 79, 89, 108, 114, 150, 156, 160, 175,
    ];
    const PINNED_SUMS: usize = 977;

    /// How many prompts are held out where they are few.
    const SMALL: [(Skill, usize); 5] = [
        (Skill::Lookup, 408),
        (Skill::ToNumber, 103),
        (Skill::ToWords, 86),
        (Skill::Multiply, 97),
        (Skill::AddWords, 355),
    ];

    #[test]
    fn sets_are_stable_and_nested() {
        for skill in Skill::ALL {
            let (few, many) = (held_out(skill, 10, 3), held_out(skill, 80, 3));
            assert_eq!(few.len(), 10);
            if let Some(all) = SMALL
                .iter()
                .find_map(|&(s, all)| (s == skill).then_some(all))
            {
                assert_eq!(held_out(skill, 1_000, 3).len(), all, "{skill}");
            } else {
                assert_eq!(held_out(skill, 900, 3).len(), 900, "{skill}");
            }
            assert_eq!(few, many[..10]);
            assert_ne!(few, held_out(skill, 10, 4));
            let different: HashSet<_> = many.iter().map(|item| &item.prompt).collect();
            assert_eq!(different.len(), many.len());
            assert!(held_out(skill, 0, 3).is_empty());
        }
    }

    /// By FNV-1a, the finaliser and the remainder of ten, calculated outside of this program.
    #[test]
    fn any_text_has_a_side() {
        for (text, side) in [
            ("", false),
            ("=", false),
            ("-=", false),
            ("+=", false),
            ("*", false),
            ("é=", false),
            ("1+2+3=", false),
            ("1000=", false),
            ("8*=", false),
            ("ü+é=", false),
            // Too long for a number.
            ("99999999999999999999=", true),
            ("éé+", true),
            ("111", true),
            ("-é*", true),
            ("=++", true),
        ] {
            assert_eq!(is_held_out(text), side, "{text:?}");
        }
    }
}
