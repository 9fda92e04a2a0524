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

    /// There is a size, an identity and a composition for each group or for none, no group holds more of a capability
    /// than its size, shares are 0 to 1 and add up to 1 at most, indices are -1 to 1, singular values are not negative,
    /// and steps increase.
    fn check(&self, before: Option<&Self>) -> Result<(), RunsError> {
        CHECKS.count("step", self.step)?;
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
        for (at, (members, size)) in self.members.iter().zip(&self.sizes).enumerate() {
            if let Some((name, count)) = members.iter().find(|(_, count)| *count > size) {
                let entry = format!("members[{at}].{name}");
                return Err(CHECKS.fault(entry, count, format!("at most the group's size {size}")));
            }
        }
        Ok(())
    }
}

fn check_churn(churn: &ChurnRecord) -> Result<(), RunsError> {
    CHECKS.share("churn.changed", churn.changed)?;
    churn.adjusted_rand.map_or(Ok(()), |index| {
        CHECKS.within("churn.adjusted_rand", index, -1.0, 1.0)
    })
}
