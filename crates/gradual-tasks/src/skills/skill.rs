//! The nine skills: their names, ranks and groups.

use std::fmt;

/// A generator of prompts with exact answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Skill {
    /// Write the letters again: `c:hag>` → `hag`.
    Copy,
    /// Number word to numeral: `forty-two=` → `42`.
    ToNumber,
    /// Add numerals of one or two digits: `12+7=` → `19`.
    Add,
    /// The value of a key in a small JSON object: `{"a":3,"d":7}d` → `7`.
    Lookup,
    /// Write the letters backwards: `r:hag>` → `gah`.
    Reverse,
    /// Numeral to number word: `42=` → `forty-two`.
    ToWords,
    /// Multiply a digit by a numeral of one or two digits: `7*38=` → `266`.
    Multiply,
    /// Write the letters in order: `s:hag>` → `agh`.
    Sort,
    /// Composed, in no group: add numbers written as words: `three+twenty=` → `twenty-three`.
    AddWords,
}

impl Skill {
    /// Every skill: the trained ones by rank, then the composed one.
    pub const ALL: [Self; 9] = [
        Self::Copy,
        Self::ToNumber,
        Self::Add,
        Self::Lookup,
        Self::Reverse,
        Self::ToWords,
        Self::Multiply,
        Self::Sort,
        Self::AddWords,
    ];

    /// The trained skills, the most frequent first.
    pub const TRAINED: [Self; 8] = [
        Self::Copy,
        Self::ToNumber,
        Self::Add,
        Self::Lookup,
        Self::Reverse,
        Self::ToWords,
        Self::Multiply,
        Self::Sort,
    ];

    /// The name in run folders, reports and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Copy => "copy",
            Self::ToNumber => "to-number",
            Self::Add => "add",
            Self::Lookup => "lookup",
            Self::Reverse => "reverse",
            Self::ToWords => "to-words",
            Self::Multiply => "multiply",
            Self::Sort => "sort",
            Self::AddWords => "add-words",
        }
    }

    /// The place in [`ALL`](Self::ALL), which is fixed and so can be stored.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Whether the skill is composed of others and so is not one of [`TRAINED`](Self::TRAINED).
    pub const fn is_composed(self) -> bool {
        matches!(self, Self::AddWords)
    }

    /// The trained skills that it is composed of: what has to be read, worked out and written. Empty for a trained skill.
    pub const fn parts(self) -> &'static [Self] {
        match self {
            Self::AddWords => &[Self::ToNumber, Self::Add, Self::ToWords],
            _ => &[],
        }
    }

    /// The default frequency rank, 0 the most frequent; none for the composed skill.
    pub const fn rank(self) -> Option<usize> {
        if self.is_composed() {
            None
        } else {
            Some(self.index())
        }
    }

    /// The label of the skill's group, 0 to 7; none for the composed skill, which is never
    /// labelled.
    pub const fn group(self) -> Option<usize> {
        self.rank()
    }
}

impl fmt::Display for Skill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_consistent() {
        for (i, skill) in Skill::ALL.into_iter().enumerate() {
            assert_eq!(skill.index(), i);
            assert_eq!(
                skill.rank(),
                Skill::TRAINED.iter().position(|&s| s == skill)
            );
            assert_eq!(skill.group(), skill.rank());
            assert_eq!(skill.is_composed(), skill.rank().is_none());
            assert_eq!(skill.is_composed(), !skill.parts().is_empty());
            assert!(skill.parts().iter().all(|part| !part.is_composed()));
        }
    }
}
