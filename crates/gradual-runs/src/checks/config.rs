use super::range::Checks;
use crate::config::RunConfig;
use crate::error::RunsError;
use crate::record::Record;

const CHECKS: Checks = Checks(RunConfig::NAME);

impl Record for RunConfig {
    const NAME: &'static str = "run configuration";

    fn schema(&self) -> u32 {
        self.schema
    }

    /// What comparing runs takes from a recipe is of its kind, and a draw of the recipe's own is that of the run.
    fn check(&self, _: Option<&Self>) -> Result<(), RunsError> {
        if !self.recipe.is_null() && !self.recipe.is_object() {
            return Err(CHECKS.fault("recipe", &self.recipe, "an object"));
        }
        let entry = |name| self.recipe.get(name).filter(|value| !value.is_null());
        if let Some(slowdown) = entry("slowdown")
            && slowdown.as_u64().is_none_or(|slowdown| slowdown == 0)
        {
            let expected = "a whole number from 1 on";
            return Err(CHECKS.fault("recipe.slowdown", slowdown, expected));
        }
        match entry("draw") {
            Some(draw) if self.draw > 0 && draw.as_u64() != Some(self.draw) => {
                let expected = format!("{}, as draw has it", self.draw);
                Err(CHECKS.fault("recipe.draw", draw, expected))
            }
            _ => Ok(()),
        }
    }
}
