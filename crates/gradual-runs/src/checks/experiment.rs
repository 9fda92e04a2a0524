use std::collections::HashSet;

use gradual_measure::{Against, Claim};

use super::range::Checks;
use crate::error::RunsError;
use crate::experiment::ExperimentRecord;
use crate::record::Record;

/// Most arms: ten times as many as an experiment's file can have.
const ARMS: usize = 10_000;
/// Most runs that an arm is to have.
const RUNS: u64 = 1_000_000;
const CHECKS: Checks = Checks(ExperimentRecord::NAME);

impl Record for ExperimentRecord {
    const NAME: &'static str = "experiment";

    fn schema(&self) -> u32 {
        self.schema
    }

    /// The numbers of claims are finite and above 0: ratios, and numbers that ratios are taken of. There are no more arms than a
    /// report has room for, each of its own name, and the reference is not the baseline.
    fn check(&self, _: Option<&Self>) -> Result<(), RunsError> {
        if self.arms.len() > ARMS {
            let expected = format!("at most {ARMS}");
            return Err(CHECKS.fault("arms", self.arms.len(), expected));
        }
        let mut seen = HashSet::new();
        for (at, arm) in self.arms.iter().enumerate() {
            if !seen.insert(arm.name.as_str()) {
                let name = format!("arms[{at}].name");
                return Err(CHECKS.fault(name, &arm.name, "each arm once"));
            }
            if let Some(runs) = arm.runs.filter(|&runs| runs > RUNS) {
                let expected = format!("at most {RUNS}");
                return Err(CHECKS.fault(format!("arms[{at}].runs"), runs, expected));
            }
        }
        if let Some(reference) = &self.reference
            && *reference == self.baseline
        {
            let expected = "an arm that is not the baseline";
            return Err(CHECKS.fault("reference", reference, expected));
        }
        for (at, claim) in self.claims.iter().enumerate() {
            let Claim {
                smallest_effect,
                against,
                ..
            } = claim;
            above_zero(&format!("claims[{at}].smallest_effect"), *smallest_effect)?;
            if let Some(Against::Number(number)) = against {
                above_zero(&format!("claims[{at}].against"), *number)?;
            }
        }
        Ok(())
    }
}

fn above_zero(entry: &str, got: f64) -> Result<(), RunsError> {
    match got.is_finite() && got > 0.0 {
        true => Ok(()),
        false => Err(CHECKS.fault(entry, got, "a number above 0")),
    }
}
