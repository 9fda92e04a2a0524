use std::collections::BTreeSet;

use super::range::Checks;
use crate::error::RunsError;
use crate::members::{GroupMembers, MembersRecord};
use crate::record::Record;

const CHECKS: Checks = Checks(MembersRecord::NAME);

impl Record for MembersRecord {
    const NAME: &'static str = "members";

    fn schema(&self) -> u32 {
        self.schema
    }

    /// Counts are at most 2^53, there are no more groups, examples and characters than a record has at most, every group
    /// is there once, shares are 0 to 1 and add up to 1 at most, losses can be computed with, and steps increase.
    fn check(&self, before: Option<&Self>) -> Result<(), RunsError> {
        CHECKS.count("step", self.step)?;
        CHECKS.count("examples", self.examples)?;
        CHECKS.count("groups", self.groups)?;
        let most = (Self::MOST_GROUPS as u64).min(self.groups);
        if self.found.len() as u64 > most {
            let got = format!("{} groups", self.found.len());
            return Err(CHECKS.fault("found", got, format!("at most {most}")));
        }
        let mut seen = BTreeSet::new();
        for (at, group) in self.found.iter().enumerate() {
            let entry = format!("found[{at}]");
            self.check_group(&entry, group)?;
            if !seen.insert(group.group) {
                let entry = format!("{entry}.group");
                return Err(CHECKS.fault(entry, group.group, "every group once"));
            }
        }
        let sum = self.found.iter().map(|group| group.share).sum();
        CHECKS.share("the sum of shares", sum)?;
        before.map_or(Ok(()), |before| {
            CHECKS.later("step", before.step, self.step)
        })
    }
}

impl MembersRecord {
    fn check_group(&self, entry: &str, group: &GroupMembers) -> Result<(), RunsError> {
        CHECKS.count(&format!("{entry}.group"), group.group)?;
        CHECKS.share(&format!("{entry}.share"), group.share)?;
        CHECKS.sized(&format!("{entry}.loss"), group.loss)?;
        for (name, &count) in &group.capabilities {
            if count > self.examples {
                let entry = format!("{entry}.capabilities.{name}");
                let expected = format!("at most the {} examples", self.examples);
                return Err(CHECKS.fault(entry, count, expected));
            }
        }
        let entry = format!("{entry}.nearest");
        if group.nearest.len() > Self::MOST_NEAREST {
            let got = format!("{} examples", group.nearest.len());
            return Err(CHECKS.fault(entry, got, format!("at most {}", Self::MOST_NEAREST)));
        }
        let long = |text: &&String| text.chars().nth(Self::MOST_CHARACTERS).is_some();
        match group.nearest.iter().find(long) {
            None => Ok(()),
            Some(text) => {
                let got = format!("{} characters", text.chars().count());
                Err(CHECKS.fault(entry, got, format!("at most {}", Self::MOST_CHARACTERS)))
            }
        }
    }
}
