//! Skills by name.

use std::str::FromStr;

use super::error::SkillError;
use super::skill::Skill;

impl FromStr for Skill {
    type Err = SkillError;

    fn from_str(name: &str) -> Result<Self, SkillError> {
        Self::ALL
            .into_iter()
            .find(|skill| skill.name() == name)
            .ok_or_else(|| SkillError::UnknownSkill {
                name: name.to_owned(),
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for skill in Skill::ALL {
            assert_eq!(skill.name().parse::<Skill>(), Ok(skill));
            assert_eq!(skill.to_string(), skill.name());
        }
    }

    #[test]
    fn unknown_name_lists_the_known_ones() {
        let message = "divide".parse::<Skill>().unwrap_err().to_string();
        assert!(
            message.contains("divide") && message.contains("copy, to-number, add"),
            "{message}"
        );
        assert!("Copy".parse::<Skill>().is_err());
        assert!("".parse::<Skill>().is_err());
    }
}
