//! Items of every skill.

use rand::Rng;

use super::item::Item;
use super::skill::Skill;
use super::{arithmetic, lookup, number_words, strings};

impl Skill {
    /// Draws an item, over all prompts: held-out ones too.
    ///
    /// For training use [`sample_training`](super::sample_training) or a
    /// [`Mixture`](super::Mixture).
    pub fn sample<R: Rng + ?Sized>(self, rng: &mut R) -> Item {
        let (prompt, answer) = match self {
            Self::Copy => strings::copy(rng),
            Self::ToNumber => number_words::to_number(rng),
            Self::Add => arithmetic::add(rng),
            Self::Lookup => lookup::lookup(rng),
            Self::Reverse => strings::reverse(rng),
            Self::ToWords => number_words::to_words(rng),
            Self::Multiply => arithmetic::multiply(rng),
            Self::Sort => strings::sort(rng),
            Self::AddWords => number_words::add_words(rng),
        };
        Item {
            skill: self,
            prompt,
            answer,
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn equal_seeds_draw_equal_items() {
        for skill in Skill::ALL {
            let draw = |seed| {
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                (0..50).map(|_| skill.sample(&mut rng)).collect::<Vec<_>>()
            };
            assert_eq!(draw(3), draw(3));
            assert_ne!(draw(3), draw(4));
        }
    }
}
