//! Characters and their ids.

use super::error::SkillError;

/// In the order of their ids, from [`FIRST`] on.
const CHARACTERS: &[u8; 46] = b"0123456789abcdefghijklmnopqrstuvwxyz+*=-{}\":,>";

/// The id of the first character; those below are marks.
const FIRST: u32 = 2;

/// The fixed vocabulary: padding, the end mark, ten digits, 26 letters and ten signs
/// (`+*=-{}":,>`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Alphabet;

impl Alphabet {
    /// The id of padding.
    pub const PAD: u32 = 0;
    /// The id of the mark that ends every answer.
    pub const END: u32 = 1;
    /// How many ids there are: 48.
    pub const SIZE: usize = CHARACTERS.len() + FIRST as usize;

    /// The id of a character; none if it is not in the alphabet.
    pub fn id(self, character: char) -> Option<u32> {
        let byte = u8::try_from(character).ok()?;
        let place = CHARACTERS.iter().position(|&c| c == byte)?;
        u32::try_from(place).ok().map(|place| place + FIRST)
    }

    /// The character of an id; none for padding, the end mark and ids outside of the alphabet.
    pub fn character(self, id: u32) -> Option<char> {
        let place = id.checked_sub(FIRST)?;
        CHARACTERS
            .get(usize::try_from(place).ok()?)
            .map(|&byte| char::from(byte))
    }

    /// The ids of the characters of `text`.
    ///
    /// # Errors
    ///
    /// [`SkillError::UnknownCharacter`] names the first character outside of the alphabet.
    pub fn ids(self, text: &str) -> Result<Vec<u32>, SkillError> {
        text.chars()
            .enumerate()
            .map(|(position, character)| {
                self.id(character)
                    .ok_or_else(|| SkillError::UnknownCharacter {
                        character,
                        position,
                        text: text.to_owned(),
                    })
            })
            .collect()
    }

    /// The characters of `ids`, up to the first end mark.
    ///
    /// # Errors
    ///
    /// [`SkillError::UnknownToken`] for padding before the end mark and for ids outside of the
    /// alphabet.
    pub fn text(self, ids: &[u32]) -> Result<String, SkillError> {
        ids.iter()
            .take_while(|&&id| id != Self::END)
            .enumerate()
            .map(|(position, &token)| {
                self.character(token)
                    .ok_or(SkillError::UnknownToken { token, position })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::context::CONTEXT;
    use super::super::item::Item;
    use super::super::skill::Skill;
    use super::*;

    fn item(prompt: &str, answer: &str) -> Item {
        Item {
            skill: Skill::Add,
            prompt: prompt.to_owned(),
            answer: answer.to_owned(),
        }
    }

    #[test]
    fn ids_and_characters_are_inverse() {
        assert_eq!(Alphabet::SIZE, 48);
        let size = u32::try_from(Alphabet::SIZE).unwrap();
        for id in FIRST..size {
            assert_eq!(
                Alphabet.character(id).and_then(|c| Alphabet.id(c)),
                Some(id)
            );
        }
        for id in [Alphabet::PAD, Alphabet::END, size, u32::MAX] {
            assert_eq!(Alphabet.character(id), None);
        }
    }

    #[test]
    fn text_stops_at_the_end_mark() {
        let mut ids = Alphabet.ids("forty-two").unwrap();
        ids.extend([Alphabet::END, Alphabet::PAD, 5]);
        assert_eq!(Alphabet.text(&ids).unwrap(), "forty-two");
        assert_eq!(Alphabet.text(&[]).unwrap(), "");
        assert_eq!(
            Alphabet.text(&[3, Alphabet::PAD]),
            Err(SkillError::UnknownToken {
                token: 0,
                position: 1
            })
        );
        assert_eq!(
            Alphabet.text(&[48]),
            Err(SkillError::UnknownToken {
                token: 48,
                position: 0
            })
        );
    }

    #[test]
    fn unknown_characters_are_named() {
        for (text, character, position) in [
            ("12 7", ' ', 2),
            ("A", 'A', 0),
            ("1×2", '×', 1),
            ("ab\0", '\0', 2),
            ("é1+", 'é', 0),
            ("日", '日', 0),
        ] {
            let expected = SkillError::UnknownCharacter {
                character,
                position,
                text: text.to_owned(),
            };
            assert_eq!(Alphabet.ids(text), Err(expected.clone()));
            assert_eq!(Alphabet.encode(&item(text, "1")), Err(expected.clone()));
            assert_eq!(Alphabet.encode(&item("1=", text)), Err(expected));
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let fits = "a".repeat(CONTEXT - 1);
        assert!(Alphabet.encode(&item(&fits, "b")).is_ok());
        assert_eq!(
            Alphabet.encode(&item(&fits, "bc")),
            Err(SkillError::TooLong {
                text: format!("{fits}bc"),
                length: CONTEXT + 1,
                context: CONTEXT
            })
        );
        assert_eq!(
            Alphabet.encode(&item("", "1")),
            Err(SkillError::EmptyPrompt {
                answer: "1".to_owned()
            })
        );
    }
}
