//! Which of the runs of a plan: all, some by their numbers, or one of several equal shares.
//!
//! The runs of a plan are numbered from 0, seed by seed and arm by arm, whatever is done of them, so that machines that share a
//! folder agree on the numbers without a word between them.

use std::collections::BTreeSet;

use anyhow::{Context as _, bail};
use gradual_registry::excerpt;

/// Which runs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Share {
    #[default]
    All,
    /// Those of these numbers.
    Only(BTreeSet<u64>),
    /// Every `of`-th, from `index` on.
    Part { index: u64, of: u64 },
}

/// How much of what is wrong a message repeats, in bytes.
const SAID: usize = 100;

/// What a scheduler tells a program by its environment.
type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

impl Share {
    /// Of the flag `--only`: numbers with commas between them, or nothing for the one that the scheduler gives.
    ///
    /// # Errors
    /// What is no number, or that no scheduler gives one.
    pub(crate) fn only(text: &str, environment: Environment<'_>) -> anyhow::Result<Self> {
        if text.is_empty() {
            let (index, _) = scheduled(environment)?.context(
                "--only has no number, and there is none in SLURM_ARRAY_TASK_ID or JOB_COMPLETION_INDEX: give one of \
                 --plan, as in --only 3",
            )?;
            return Ok(Self::Only(BTreeSet::from([index])));
        }
        let numbers = text.split(',').map(|number| {
            whole(number).with_context(|| {
                let (text, number) = (excerpt(text, SAID), excerpt(number, SAID));
                format!("--only {text}: '{number}' is no number of a run, as --plan prints them")
            })
        });
        numbers.collect::<anyhow::Result<_>>().map(Self::Only)
    }

    /// Of the flag `--shard`: `I/N`, or nothing for what the scheduler gives.
    ///
    /// # Errors
    /// What is no share, or that no scheduler gives one.
    pub(crate) fn shard(text: &str, environment: Environment<'_>) -> anyhow::Result<Self> {
        let (index, of) = match text {
            "" => {
                let given = scheduled(environment)?;
                let (index, of) = given
                    .and_then(|(index, of)| Some((index, of?)))
                    .context(
                        "--shard has no share, and there is none in SLURM_ARRAY_TASK_ID and SLURM_ARRAY_TASK_COUNT, or \
                         JOB_COMPLETION_INDEX and JOB_COMPLETIONS: give one, as in --shard 0/4",
                    )?;
                if index >= of {
                    bail!(
                        "--shard: by the scheduler's variables (SLURM_ARRAY_TASK_ID and SLURM_ARRAY_TASK_COUNT, or \
                         JOB_COMPLETION_INDEX and JOB_COMPLETIONS) this is task {index} of {of}, and they are numbered from 0: \
                         start an array from 0, or give a share, as in --shard 0/4"
                    );
                }
                (index, of)
            }
            text => {
                let read = text
                    .split_once('/')
                    .and_then(|(index, of)| Some((whole(index)?, whole(of)?)));
                read.with_context(|| {
                    let text = excerpt(text, SAID);
                    format!("--shard {text}: it is I/N, such as 0/4 for the first of four shares")
                })?
            }
        };
        if index >= of {
            bail!(
                "--shard {index}/{of}: shares are numbered from 0, so the first of them is 0/{}",
                of.max(1)
            );
        }
        Ok(Self::Part { index, of })
    }

    /// Whether the run of this number is in it.
    pub(crate) fn has(&self, number: u64) -> bool {
        match self {
            Self::All => true,
            Self::Only(numbers) => numbers.contains(&number),
            Self::Part { index, of } => number % of == *index,
        }
    }

    /// Refuses numbers that no run of `all` has.
    ///
    /// # Errors
    /// The first of them.
    pub(crate) fn check(&self, all: u64) -> anyhow::Result<()> {
        if let Self::Only(numbers) = self
            && let Some(largest) = numbers.last().filter(|&&largest| largest >= all)
        {
            bail!(
                "--only {largest}: the runs are numbered from 0 to {}; --plan prints them",
                all.saturating_sub(1)
            );
        }
        Ok(())
    }
}

/// A whole number as people write it, without a sign.
fn whole(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

/// The number of a task among those of its job, from 0 on, and how many these are where that is told.
fn scheduled(environment: Environment<'_>) -> anyhow::Result<Option<(u64, Option<u64>)>> {
    let number = |name: &str| -> anyhow::Result<Option<u64>> {
        let text = environment(name).filter(|text| !text.is_empty());
        let Some(text) = text else {
            return Ok(None);
        };
        let read = whole(&text).with_context(|| {
            format!(
                "{name} is '{}', expected a whole number",
                excerpt(&text, SAID)
            )
        });
        read.map(Some)
    };
    if let Some(id) = number("SLURM_ARRAY_TASK_ID")? {
        return Ok(Some((id, number("SLURM_ARRAY_TASK_COUNT")?)));
    }
    let index = number("JOB_COMPLETION_INDEX")?;
    let completions = number("JOB_COMPLETIONS")?;
    Ok(index.map(|index| (index, completions)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing(_: &str) -> Option<String> {
        None
    }

    fn slurm(name: &str) -> Option<String> {
        match name {
            "SLURM_ARRAY_TASK_ID" => Some(String::from("2")),
            "SLURM_ARRAY_TASK_COUNT" => Some(String::from("5")),
            _ => None,
        }
    }

    fn kubernetes(name: &str) -> Option<String> {
        match name {
            "JOB_COMPLETION_INDEX" => Some(String::from("3")),
            "JOB_COMPLETIONS" => Some(String::from("4")),
            _ => None,
        }
    }

    #[test]
    fn numbers_are_given_or_the_scheduler_s() {
        let only = |numbers: &[u64]| Share::Only(numbers.iter().copied().collect());
        assert_eq!(Share::only("3", &nothing).unwrap(), only(&[3]));
        assert_eq!(Share::only("7,3,7", &slurm).unwrap(), only(&[3, 7]));
        assert_eq!(Share::only("", &slurm).unwrap(), only(&[2]));
        assert_eq!(Share::only("", &kubernetes).unwrap(), only(&[3]));
        let part = |index, of| Share::Part { index, of };
        assert_eq!(Share::shard("0/4", &nothing).unwrap(), part(0, 4));
        assert_eq!(Share::shard("", &slurm).unwrap(), part(2, 5));
        assert_eq!(Share::shard("", &kubernetes).unwrap(), part(3, 4));
    }

    #[test]
    fn what_is_no_share_is_refused() {
        let only = |text: &str| Share::only(text, &nothing).unwrap_err().to_string();
        let shard = |text: &str| Share::shard(text, &nothing).unwrap_err().to_string();
        assert!(only("").contains("SLURM_ARRAY_TASK_ID"));
        assert!(only("skills").starts_with("--only skills: 'skills' is no number of a run"));
        for text in ["1,-2", "+1", " 1", "1,,2", "1,"] {
            assert!(only(text).contains("is no number of a run"), "{text}");
        }
        assert!(only(&"9,".repeat(10_000)).len() < 400);
        assert!(shard("").contains("JOB_COMPLETIONS"));
        let from_one = |name: &str| slurm(name).map(|_| String::from("5"));
        let said = Share::shard("", &from_one).unwrap_err().to_string();
        assert!(said.contains("SLURM_ARRAY_TASK_ID"), "{said}");
        for text in ["4", "4/", "/4", "-1/4", "+1/4", "a/b", "1/2/3"] {
            assert!(
                shard(text).starts_with(&format!("--shard {text}: it is I/N")),
                "{text}"
            );
        }
        for text in ["4/4", "1/0"] {
            assert!(shard(text).contains("numbered from 0"), "{text}");
        }
        let broken = |name: &str| (name == "SLURM_ARRAY_TASK_ID").then(|| String::from("x"));
        let said = format!("{:#}", Share::only("", &broken).unwrap_err());
        assert_eq!(said, "SLURM_ARRAY_TASK_ID is 'x', expected a whole number");
        let beyond = Share::only("3,50", &nothing).unwrap();
        let said = beyond.check(50).unwrap_err().to_string();
        assert_eq!(
            said,
            "--only 50: the runs are numbered from 0 to 49; --plan prints them"
        );
        beyond.check(51).unwrap();
    }

    /// However many shares there are, every run is in one of them, and in no other.
    #[test]
    fn shares_are_a_partition() {
        for of in 1..40_u64 {
            for number in 0..200 {
                let holding = (0..of).filter(|&index| Share::Part { index, of }.has(number));
                assert_eq!(holding.count(), 1, "{number} of {of} shares");
            }
        }
    }
}
