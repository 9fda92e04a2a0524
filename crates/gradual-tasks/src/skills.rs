//! Text skills with exact answers: the example of the post on grouped losses.
//!
//! A *skill* is a generator of items, each a prompt and the one right answer, both short strings.
//! Eight skills are trained in a Zipf mixture ([`Mixture`]); the ninth, [`Skill::AddWords`], is
//! composed of three of them (read number words, add, write number words), belongs to no group and
//! is never drawn unless asked for.
//!
//! | rank | skill | item | prompts |
//! |---|---|---|---|
//! | 0 | `copy` | `c:hag>` → `hag` | 3 to 6 letters of a to j |
//! | 1 | `to-number` | `forty-two=` → `42` | 0 to 999: `three-hundred-forty-two=` |
//! | 2 | `add` | `12+7=` → `19` | one or two digits each |
//! | 3 | `lookup` | `{"a":3,"d":7}d` → `7` | 2 keys of a to e |
//! | 4 | `reverse` | `r:hag>` → `gah` | 3 to 6 letters |
//! | 5 | `to-words` | `42=` → `forty-two` | 0 to 999 |
//! | 6 | `multiply` | `7*38=` → `266` | one digit times one or two |
//! | 7 | `sort` | `s:hag>` → `agh` | 3 to 6 letters |
//! | – | `add-words` | `three+twenty=` → `twenty-three` | sum up to 99 in up to 31 characters |
//!
//! The ranks mix easy and hard skills on purpose: if the easy ones were the frequent ones,
//! frequency and difficulty could not be told apart in the curves.
//!
//! **Surface forms.** No prompt carries the tag of its skill where its form already says what is
//! wanted: numerals, number words, `+`, `*` and braces do. Copying, reversing and sorting the same
//! letters look alike, so these three start with a one-letter operator. Every prompt belongs to
//! exactly one skill, and no prompt is the beginning of another.
//!
//! **Chance.** Accuracy is by exact match of the whole answer and its end mark, for which the
//! chance level is [`CHANCE`], zero: a guess among all strings is practically never right. A model
//! that knows only the *form* of the answers does better than that on `lookup`: it names one of the
//! values that the object shows and is right in 55 % of the items, so a curve's early plateau there
//! is no skill.
//!
//! **Held-out prompts.** [`is_held_out`] splits prompts by a stable hash; training draws
//! ([`sample_training`], [`Mixture::draw`]) never contain a held-out prompt and [`held_out`]
//! contains no other.
//!
//! ```
//! use gradual_tasks::skills::{Alphabet, Mixture, Skill, held_out};
//! use rand::SeedableRng;
//!
//! let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(0);
//! let mixture = Mixture::zipf(1.0)?;
//! let item = mixture.draw(&mut rng);
//! let encoded = Alphabet.encode(&item)?;
//! assert_eq!(encoded.scored_count(), item.answer.len() + 1);
//! assert_eq!(held_out(Skill::Add, 64, 0).len(), 64);
//! # Ok::<(), gradual_tasks::skills::SkillError>(())
//! ```

mod alphabet;
mod arithmetic;
mod context;
mod encoded;
mod error;
mod item;
mod lookup;
mod mixture;
mod number_words;
mod parse;
mod sample;
mod skill;
mod split;
mod strings;
mod task;

#[cfg(test)]
mod checker;

pub use alphabet::Alphabet;
pub use context::CONTEXT;
pub use encoded::Encoded;
pub use error::SkillError;
pub use item::Item;
pub use mixture::Mixture;
pub use skill::Skill;
pub use split::{held_out, is_held_out, sample_training};
pub use task::{Skills, SkillsBatch, SkillsConfig};

/// The chance level of exact match for every skill.
pub const CHANCE: f64 = 0.0;
