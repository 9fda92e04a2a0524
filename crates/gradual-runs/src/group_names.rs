use std::collections::BTreeMap;
use std::path::Path;

use toml::Spanned;

use crate::error::RunsError;
use crate::files::{self, NAMES};
use crate::message::shown;

/// Names that a person gave to found groups: `names.toml` in the folder of an experiment.
///
/// ```toml
/// # Arm and seed, as their folders are called; then the number of each group and its name.
/// [whitened.seed-0]
/// 3 = "fonts"
/// 7 = "Perl modules"
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupNames(BTreeMap<(String, u64, u64), String>);

/// Longest name in characters.
const LONGEST: usize = 200;

/// Arm, then `seed-N`, then group; each knows where it stands.
type Written = BTreeMap<Spanned<String>, BTreeMap<Spanned<String>, Groups>>;
type Groups = BTreeMap<Spanned<String>, Spanned<String>>;

impl GroupNames {
    /// Those in the folder of an experiment with these arms; none where there is no such file.
    ///
    /// # Errors
    /// Those of [`files::text`], and [`RunsError::Names`] naming the line of what is no such file: an arm that the
    /// experiment has not, a seed or a group that is no number, a name that is empty or longer than 200 characters.
    pub fn read<'a>(
        folder: &Path,
        arms: impl Iterator<Item = &'a str> + Clone,
    ) -> Result<Self, RunsError> {
        let path = folder.join(NAMES);
        let text = match files::text(&path) {
            Ok(text) => text,
            Err(RunsError::Missing { .. }) => return Ok(Self::default()),
            Err(error) => return Err(error),
        };
        Self::parse(&text, arms).map_err(|(at, problem)| RunsError::Names {
            line: text.get(..at).unwrap_or_default().matches('\n').count() + 1,
            path,
            problem,
        })
    }

    /// The names in a text, or where something is wrong with it, and what.
    fn parse<'a>(
        text: &str,
        arms: impl Iterator<Item = &'a str> + Clone,
    ) -> Result<Self, (usize, String)> {
        let written: Written = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            (at, error.message().to_owned())
        })?;
        let mut names = BTreeMap::new();
        for (arm, seeds) in &written {
            if !arms.clone().any(|known| known == arm.as_ref()) {
                let known: Vec<&str> = arms.clone().collect();
                return Err(wrong(
                    arm,
                    format!("is none of the arms {}", known.join(", ")),
                ));
            }
            for (seed, groups) in seeds {
                let number = seed.as_ref().strip_prefix("seed-").and_then(number);
                let number = number.ok_or_else(|| {
                    wrong(
                        seed,
                        "is not seed- and then the number of a seed".to_owned(),
                    )
                })?;
                for (group, name) in groups {
                    let group = self::number(group.as_ref())
                        .ok_or_else(|| wrong(group, "is not the number of a group".to_owned()))?;
                    let length = name.as_ref().trim().chars().count();
                    if length == 0 || length > LONGEST {
                        let expected = format!("is not a name of 1 to {LONGEST} characters");
                        return Err(wrong(name, expected));
                    }
                    let named = name.as_ref().trim().to_owned();
                    names.insert((arm.as_ref().clone(), number, group), named);
                }
            }
        }
        Ok(Self(names))
    }

    /// The name of a group.
    #[must_use]
    pub fn of(&self, arm: &str, seed: u64, group: u64) -> Option<&str> {
        let name = self.0.get(&(arm.to_owned(), seed, group));
        name.map(String::as_str)
    }

    /// What has a name: arm, seed and group.
    pub fn named(&self) -> impl Iterator<Item = (&str, u64, u64)> {
        self.0
            .keys()
            .map(|(arm, seed, group)| (arm.as_str(), *seed, *group))
    }
}

/// A number as it is written plainly.
fn number(text: &str) -> Option<u64> {
    let number = text.parse::<u64>().ok()?;
    (number.to_string() == text).then_some(number)
}

fn wrong(text: &Spanned<String>, problem: String) -> (usize, String) {
    (
        text.span().start,
        format!("{} {problem}", shown(text.as_ref())),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<GroupNames, (usize, String)> {
        GroupNames::parse(text, ["erm", "whitened"].into_iter())
    }

    #[test]
    fn names_by_arm_seed_and_group() {
        let names = parse(
            "# mine\n[whitened.seed-0]\n3 = \"fonts\"\n12 = ' <b> '\n[whitened.seed-1]\n3 = \"Perl\"\n",
        )
        .unwrap();
        assert_eq!(names.of("whitened", 0, 3), Some("fonts"));
        assert_eq!(names.of("whitened", 0, 12), Some("<b>"));
        assert_eq!(names.of("whitened", 1, 3), Some("Perl"));
        assert_eq!(names.of("whitened", 1, 4), None);
        assert_eq!(names.named().count(), 3);
        assert_eq!(parse("").unwrap(), GroupNames::default());
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (text, at, said) in [
            (
                "[whitend.seed-0]\n3 = \"a\"",
                1,
                "\"whitend\" is none of the arms erm, whitened",
            ),
            (
                "[erm.seed-00]\n3 = \"a\"",
                5,
                "is not seed- and then the number",
            ),
            ("[erm.0]\n3 = \"a\"", 5, "is not seed- and then the number"),
            (
                "[erm.seed-0]\nthree = \"a\"",
                13,
                "\"three\" is not the number of a group",
            ),
            (
                "[erm.seed-0]\n3 = \"\"",
                17,
                "is not a name of 1 to 200 characters",
            ),
            ("[erm.seed-0]\n3 = 4", 17, "expected a string"),
            ("[erm.seed-0]\n3 = \"a\"\n3 = \"b\"", 21, "duplicate key"),
            ("[erm.seed-0", 11, "unclosed table"),
            ("erm = 3", 6, "expected a map"),
        ] {
            let (place, problem) = parse(text).unwrap_err();
            assert!(problem.contains(said), "{text}: {problem}");
            assert_eq!(place, at, "{text}: {problem}");
        }
        let long = format!("[erm.seed-0]\n3 = \"{}\"", "x".repeat(201));
        assert!(parse(&long).is_err());
    }
}
