use super::range::Checks;
use crate::error::RunsError;
use crate::grouping::{ChurnRecord, GroupingRecord};
use crate::record::Record;

const CHECKS: Checks = Checks(GroupingRecord::NAME);

impl Record for GroupingRecord {
    const NAME: &'static str = "grouping";

    fn schema(&self) -> u32 {
        self.schema
    }

    /// There is a size, an identity and a composition for each group or for none, counts and their sum are at most
    /// 2^53, the capabilities of a group hold at most its size (less where examples have none), shares are 0 to 1 and add up to 1 at most, indices are -1 to 1, singular values are not negative,
    /// and steps increase.
    fn check(&self, before: Option<&Self>) -> Result<(), RunsError> {
        CHECKS.count("step", self.step)?;
        CHECKS.count("groups", self.groups)?;
        self.check_groups()?;
        for (name, share) in &self.shares {
            CHECKS.share(&format!("shares.{name}"), *share)?;
        }
        CHECKS.share("the sum of shares", self.shares.values().sum())?;
        if let Some(negative) = self.negative {
            CHECKS.share("negative", negative)?;
        }
        let rounding = -1e-6 * self.spectrum.first().copied().unwrap_or(0.0).abs();
        for (at, value) in self.spectrum.iter().enumerate() {
            let value = if *value < rounding {
                *value
            } else {
                value.abs()
            };
            CHECKS.positive(&format!("spectrum[{at}]"), value)?;
        }
        if let Some(recovery) = self.recovery {
            CHECKS.within("recovery", recovery, -1.0, 1.0)?;
        }
        if let Some(churn) = &self.churn {
            check_churn(churn)?;
        }
        before.map_or(Ok(()), |before| {
            CHECKS.later("step", before.step, self.step)
        })
    }
}

impl GroupingRecord {
    fn check_groups(&self) -> Result<(), RunsError> {
        let lengths = [
            ("sizes", self.sizes.len()),
            ("members", self.members.len()),
            ("identities", self.identities.len()),
        ];
        for (entry, length) in lengths {
            if length != 0 && length as u64 != self.groups {
                let (got, expected) = (
                    format!("of {length} groups"),
                    format!("{} groups", self.groups),
                );
                return Err(CHECKS.fault(entry, got, expected));
            }
        }
        for (name, count) in &self.estimates {
            CHECKS.count(&format!("estimates.{name}"), *count)?;
        }
        total("sizes", &self.sizes)?;
        let mut held = Vec::with_capacity(self.members.len());
        for (at, members) in self.members.iter().enumerate() {
            let counts: Vec<u64> = members.values().copied().collect();
            held.push(total(&format!("members[{at}]"), &counts)?);
        }
        total("members", &held)?;
        for (at, (members, size)) in self.members.iter().zip(&self.sizes).enumerate() {
            let expected = || format!("at most the group's size {size}");
            if let Some((name, count)) = members.iter().find(|(_, count)| *count > size) {
                return Err(CHECKS.fault(format!("members[{at}].{name}"), count, expected()));
            }
            if held[at] > *size {
                let entry = format!("the sum of members[{at}]");
                return Err(CHECKS.fault(entry, held[at], expected()));
            }
        }
        Ok(())
    }
}

/// The sum of counts, each and all of which must be a count.
fn total(entry: &str, counts: &[u64]) -> Result<u64, RunsError> {
    let mut sum = 0;
    for &count in counts {
        CHECKS.count(entry, count)?;
        // Both are at most 2^53.
        sum += count;
        CHECKS.count(&format!("the sum of {entry}"), sum)?;
    }
    Ok(sum)
}

fn check_churn(churn: &ChurnRecord) -> Result<(), RunsError> {
    CHECKS.count("churn.births", churn.births)?;
    CHECKS.count("churn.deaths", churn.deaths)?;
    CHECKS.share("churn.changed", churn.changed)?;
    churn.adjusted_rand.map_or(Ok(()), |index| {
        CHECKS.within("churn.adjusted_rand", index, -1.0, 1.0)
    })
}
