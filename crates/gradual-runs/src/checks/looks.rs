use super::range::Checks;
use crate::error::RunsError;
use crate::looks::LooksRecord;
use crate::record::Record;

const CHECKS: Checks = Checks(LooksRecord::NAME);

impl Record for LooksRecord {
    const NAME: &'static str = "looks";

    fn schema(&self) -> u32 {
        self.schema
    }

    /// Counts are at most 2^53, there are no more looks than a record has at most, indices are −1 to 1 and shares at most 1, the chosen look is one
    /// of them and has a stability, and steps increase.
    fn check(&self, before: Option<&Self>) -> Result<(), RunsError> {
        CHECKS.count("step", self.step)?;
        CHECKS.count("examples", self.examples)?;
        if self.looks.len() > Self::MOST_LOOKS {
            let got = format!("{} looks", self.looks.len());
            return Err(CHECKS.fault("looks", got, format!("at most {}", Self::MOST_LOOKS)));
        }
        for (at, look) in self.looks.iter().enumerate() {
            CHECKS.count(&format!("looks[{at}].groups"), look.groups)?;
            for (name, value) in [("stability", look.stability), ("recovery", look.recovery)] {
                if let Some(value) = value {
                    CHECKS.within(&format!("looks[{at}].{name}"), value, -1.0, 1.0)?;
                }
            }
            if let Some(explained) = look.explained {
                let name = format!("looks[{at}].explained");
                CHECKS.within(&name, explained, f64::MIN, 1.0)?;
            }
        }
        if let Some(held) = self.held {
            CHECKS.within("held", held, f64::MIN, 1.0)?;
        }
        if let Some(chosen) = self.chosen {
            let look = usize::try_from(chosen).ok();
            let look = look.and_then(|at| self.looks.get(at));
            if look.is_none_or(|look| look.stability.is_none()) {
                return Err(CHECKS.fault("chosen", chosen, "a look that has a stability"));
            }
        }
        before.map_or(Ok(()), |before| {
            CHECKS.later("step", before.step, self.step)
        })
    }
}
