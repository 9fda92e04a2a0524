use gradual_measure::Timing;

use super::range::Checks;
use crate::error::RunsError;
use crate::record::Record;

const CHECKS: Checks = Checks(Timing::NAME);

impl Record for Timing {
    const NAME: &'static str = "timing";

    fn schema(&self) -> u32 {
        self.schema
    }

    /// Steps increase, and seconds do not fall.
    fn check(&self, before: Option<&Self>) -> Result<(), RunsError> {
        CHECKS.count("step", self.step)?;
        CHECKS.positive("seconds", self.seconds)?;
        if let Some(bytes) = self.peak_memory {
            CHECKS.count("peak_memory", bytes)?;
        }
        before.map_or(Ok(()), |before| {
            CHECKS.later("step", before.step, self.step)?;
            CHECKS.not_fewer("seconds", before.seconds, self.seconds)
        })
    }
}
