use std::collections::HashSet;

use gradual_measure::{CapabilityRecord, Evaluation};

use super::range::Checks;
use crate::error::RunsError;
use crate::record::Record;

const CHECKS: Checks = Checks(Evaluation::NAME);

impl Record for Evaluation {
    const NAME: &'static str = "evaluation";

    fn schema(&self) -> u32 {
        self.schema
    }

    /// Shares, accuracies and probabilities are 0 to 1 and chances below 1, losses are of a size that can be computed
    /// with. Parts are other capabilities, each named once, and none is composed of the whole in turn. Steps increase, counts and operations do not fall, and
    /// capabilities, their chances and their parts stay the same.
    /// Frequencies may change, as samplers may.
    fn check(&self, before: Option<&Self>) -> Result<(), RunsError> {
        let counts = [
            ("step", Some(self.step)),
            ("examples", Some(self.examples)),
            ("standing_examples", self.standing_examples),
            ("gradient_evaluations", self.gradient_evaluations),
        ];
        for (entry, count) in counts {
            CHECKS.count(entry, count.unwrap_or(0))?;
        }
        CHECKS.sized("train_loss", self.train_loss)?;
        if let Some(moved) = self.moved {
            CHECKS.positive("moved", moved)?;
        }
        if let Some(compute) = self.compute {
            CHECKS.positive("compute", compute)?;
        }
        let left_out = self.left_out.unwrap_or(0);
        if left_out > self.examples {
            let most = format!("at most the {} examples", self.examples);
            return Err(CHECKS.fault("left_out", left_out, most));
        }
        for (name, capability) in &self.capabilities {
            check_capability(name, capability)?;
            check_parts(self, name, &capability.parts)?;
        }
        match before {
            // Later ones have the same parts.
            None => check_cycle(self),
            Some(before) => follows(self, before),
        }
    }
}

fn check_capability(name: &str, record: &CapabilityRecord) -> Result<(), RunsError> {
    let entry = |field: &str| format!("capabilities.{name}.{field}");
    CHECKS.share(&entry("accuracy"), record.accuracy)?;
    CHECKS.share(&entry("frequency"), record.frequency)?;
    CHECKS.sized(&entry("loss"), record.loss)?;
    if !(0.0..1.0).contains(&record.chance) {
        return Err(CHECKS.fault(entry("chance"), record.chance, "0 to below 1"));
    }
    for (field, value) in [
        ("probability", record.probability),
        ("progress", record.progress),
    ] {
        if let Some(value) = value {
            CHECKS.share(&entry(field), value)?;
        }
    }
    Ok(())
}

fn check_parts(of: &Evaluation, name: &str, parts: &[String]) -> Result<(), RunsError> {
    let mut seen = HashSet::new();
    for part in parts {
        let known = part != name && of.capabilities.contains_key(part);
        if !known || !seen.insert(part) {
            let entry = format!("capabilities.{name}.parts");
            let expected = "names of other capabilities, each once";
            return Err(CHECKS.fault(entry, format!("`{part}`"), expected));
        }
    }
    Ok(())
}

fn check_cycle(of: &Evaluation) -> Result<(), RunsError> {
    let Some(names) = of.cycle_of_parts() else {
        return Ok(());
    };
    let entry = format!("capabilities.{}.parts", names[0]);
    let got = format!(
        "a cycle: {}",
        names
            .iter()
            .map(|name| format!("`{name}`"))
            .collect::<Vec<_>>()
            .join(" of ")
    );
    Err(CHECKS.fault(
        entry,
        got,
        "parts that are not composed of the whole in turn",
    ))
}

fn follows(this: &Evaluation, before: &Evaluation) -> Result<(), RunsError> {
    CHECKS.later("step", before.step, this.step)?;
    CHECKS.not_fewer("examples", before.examples, this.examples)?;
    let gradients = |of: &Evaluation| of.gradient_evaluations.unwrap_or(of.examples);
    let counts = [
        (
            "standing_examples",
            before.standing_examples.unwrap_or(0),
            this.standing_examples.unwrap_or(0),
        ),
        ("gradient_evaluations", gradients(before), gradients(this)),
        (
            "left_out",
            before.left_out.unwrap_or(0),
            this.left_out.unwrap_or(0),
        ),
    ];
    for (entry, before, this) in counts {
        CHECKS.not_fewer(entry, before, this)?;
    }
    if let (Some(moved), None) = (before.moved, this.moved) {
        let got = format!("missing, and {moved} before it");
        return Err(CHECKS.fault("moved", got, "a number until the run ends"));
    }
    if let (Some(before), Some(this)) = (before.compute, this.compute) {
        CHECKS.not_fewer("compute", before, this)?;
    }
    let missing = |from: &Evaluation, of: &Evaluation| {
        let mut names = from.capabilities.keys();
        names
            .find(|name| !of.capabilities.contains_key(*name))
            .cloned()
    };
    let missing_here = missing(before, this).map(|name| format!("`{name}` is missing"));
    let new_here = missing(this, before).map(|name| format!("`{name}` is new"));
    if let Some(difference) = missing_here.or(new_here) {
        let got = format!("another at step {}, {difference}", this.step);
        let expected = "that of the evaluation before";
        return Err(CHECKS.fault("the set of capabilities", got, expected));
    }
    for ((name, this), before) in this.capabilities.iter().zip(before.capabilities.values()) {
        if this.chance != before.chance {
            let expected = format!("the {} before it", before.chance);
            let entry = format!("capabilities.{name}.chance");
            return Err(CHECKS.fault(entry, this.chance, expected));
        }
        if this.parts != before.parts {
            let listed = |parts: &[String]| format!("[{}]", parts.join(", "));
            let expected = format!("the {} before it", listed(&before.parts));
            let entry = format!("capabilities.{name}.parts");
            return Err(CHECKS.fault(entry, listed(&this.parts), expected));
        }
    }
    Ok(())
}
