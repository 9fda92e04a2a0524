use gradual_measure::Timing;

use super::range::Checks;
use crate::error::RunsError;
use crate::record::Record;

/// Fewest seconds of a step: fewer than any machine needs for an addition.
const LEAST: f64 = 1e-12;

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
        // Steps a second are a number, too; of no seconds there are none.
        if self.seconds > 0.0 && self.seconds < self.step as f64 * LEAST {
            let expected = format!("0, or at least {LEAST:e} for each of {} steps", self.step);
            return Err(CHECKS.fault("seconds", self.seconds, expected));
        }
        if let Some(bytes) = self.peak_memory {
            CHECKS.count("peak_memory", bytes)?;
        }
        before.map_or(Ok(()), |before| {
            CHECKS.later("step", before.step, self.step)?;
            CHECKS.not_fewer("seconds", before.seconds, self.seconds)
        })
    }
}
