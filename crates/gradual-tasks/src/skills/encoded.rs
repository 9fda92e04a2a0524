//! An item as a model sees it.

use super::alphabet::Alphabet;
use super::context::CONTEXT;
use super::error::SkillError;
use super::item::Item;

/// An item as a model sees it; every field has length [`CONTEXT`].
///
/// For `1+2=` → `3`, with `·` for padding and `$` for the end mark:
///
/// ```text
/// tokens   1 + 2 = 3 · · …
/// targets  + 2 = 3 $ · · …
/// scored         ^ ^
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// Prompt and answer, then padding.
    pub tokens: Vec<u32>,
    /// The next token at every position: the answer is followed by the end mark, then padding.
    pub targets: Vec<u32>,
    /// True exactly where the target is a character of the answer or its end mark.
    pub scored: Vec<bool>,
}

impl Encoded {
    /// `prompt` is not empty, and both together are at most [`CONTEXT`] long.
    pub(super) fn new(prompt: &[u32], answer: &[u32]) -> Self {
        let mut tokens = [prompt, answer].concat();
        let length = tokens.len();
        let mut targets = tokens[1..].to_vec();
        targets.push(Alphabet::END);
        tokens.resize(CONTEXT, Alphabet::PAD);
        targets.resize(CONTEXT, Alphabet::PAD);
        let scored = (0..CONTEXT)
            .map(|t| (prompt.len() - 1..length).contains(&t))
            .collect();
        Self {
            tokens,
            targets,
            scored,
        }
    }

    /// How many positions are scored: the characters of the answer and the end mark.
    pub fn scored_count(&self) -> usize {
        self.scored.iter().filter(|&&scored| scored).count()
    }
}

impl Alphabet {
    /// The item as tokens, targets and scored positions of length [`CONTEXT`].
    ///
    /// # Errors
    ///
    /// [`SkillError::EmptyPrompt`], [`SkillError::UnknownCharacter`], or [`SkillError::TooLong`] if
    /// prompt and answer have more than [`CONTEXT`] characters together. Drawn items never fail.
    pub fn encode(self, item: &Item) -> Result<Encoded, SkillError> {
        if item.prompt.is_empty() {
            return Err(SkillError::EmptyPrompt {
                answer: item.answer.clone(),
            });
        }
        let prompt = self.ids(&item.prompt)?;
        let answer = self.ids(&item.answer)?;
        let length = prompt.len() + answer.len();
        if length > CONTEXT {
            return Err(SkillError::TooLong {
                text: format!("{}{}", item.prompt, item.answer),
                length,
                context: CONTEXT,
            });
        }
        Ok(Encoded::new(&prompt, &answer))
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::super::skill::Skill;
    use super::*;

    #[test]
    fn targets_are_the_next_tokens() {
        let item = Item {
            skill: Skill::Add,
            prompt: "1+2=".to_owned(),
            answer: "3".to_owned(),
        };
        let encoded = Alphabet.encode(&item).unwrap();
        assert_eq!(encoded.tokens[..6], [3, 38, 4, 40, 5, 0]);
        assert_eq!(encoded.targets[..6], [38, 4, 40, 5, 1, 0]);
        assert_eq!(
            encoded.scored[..6],
            [false, false, false, true, true, false]
        );
        assert!(
            encoded.tokens[6..]
                .iter()
                .chain(&encoded.targets[6..])
                .all(|&id| id == 0)
        );
        assert!(encoded.scored[6..].iter().all(|scored| !scored));
    }

    #[test]
    fn scored_targets_are_the_answer_of_every_skill() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        for skill in Skill::ALL {
            for _ in 0..2_000 {
                let item = skill.sample(&mut rng);
                let Encoded {
                    tokens,
                    targets,
                    scored,
                } = Alphabet.encode(&item).unwrap();
                assert_eq!([tokens.len(), targets.len(), scored.len()], [CONTEXT; 3]);
                let wanted: Vec<u32> = targets
                    .iter()
                    .zip(&scored)
                    .filter(|(_, s)| **s)
                    .map(|(&id, _)| id)
                    .collect();
                assert_eq!(wanted.len(), item.answer.len() + 1);
                assert_eq!(wanted.last(), Some(&Alphabet::END));
                assert_eq!(Alphabet.text(&wanted).unwrap(), item.answer);
                let first = scored.iter().position(|&s| s).unwrap();
                assert_eq!(Alphabet.text(&tokens[..=first]).unwrap(), item.prompt);
                for t in 1..CONTEXT {
                    assert!(tokens[t] == targets[t - 1] || targets[t - 1] == Alphabet::END);
                }
            }
        }
    }

    /// Every sum of words is tried where it is made; the others are bounded by their form and met
    /// here.
    #[test]
    fn the_longest_item_fills_the_context() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let longest = Skill::ALL.map(|skill| {
            let lengths = (0..20_000).map(|_| {
                let item = skill.sample(&mut rng);
                item.prompt.len() + item.answer.len()
            });
            lengths.max().unwrap_or(0)
        });
        assert_eq!(longest, [15, CONTEXT, 9, 15, 15, CONTEXT, 8, 15, CONTEXT]);
        assert_eq!(longest.iter().max(), Some(&CONTEXT));
    }
}
