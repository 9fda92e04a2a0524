//! What of a recipe waits: wrappers and lenses that begin after some steps, or are exchanged on the way.

use gradual_registry::{Spec, Value};

use super::{AFTER, DRAWS, EVERY, Recipe, STEPS, WAIT, WAITING, first_lens, none};

impl Recipe {
    /// What would begin only after the end of a run of so many steps, or of its phase of that, if anything would.
    pub(crate) fn unbegun(&self, steps: u64) -> Option<String> {
        let Some((end, then)) = self.second_phase(steps) else {
            return self.unbegun_before(steps, "run");
        };
        self.unbegun_before(end, "first phase").or_else(|| {
            let late = then.unbegun_before(steps.saturating_sub(end), "second phase")?;
            Some(format!("in its second phase (then) {late}"))
        })
    }

    /// The same of one phase, which `what` calls.
    fn unbegun_before(&self, end: u64, what: &str) -> Option<String> {
        // A proxy learns before the run begins.
        let lens = self.lens.as_ref().filter(|_| self.proxy.is_none());
        let opens = lens.and_then(|spec| match spec.parameters.get(STEPS) {
            // A search that waits opens after its last look.
            Some(Value::Numbers(steps)) => {
                let waits = spec.parameters.get(WAIT) == Some(&Value::Flag(true));
                let later = |a: f64, b: f64| if waits { a.max(b) } else { a.min(b) };
                steps.iter().copied().reduce(later).map(|step| step as u64)
            }
            _ => count(spec, AFTER),
        });
        // One that is around another counts draws before that one does.
        let waits = self.wrappers.iter().filter(|spec| spec.name == WAITING);
        let draws = waits.filter_map(|spec| count(spec, DRAWS));
        let groups = draws.reduce(u64::saturating_add);
        let mut late = [("its lens opens", opens), ("it groups", groups)].into_iter();
        late.find_map(|(begins, after)| {
            let after = after.filter(|&after| after >= end)?;
            Some(format!(
                "{begins} after {after} steps, and the {what} has {end}: it is the same without"
            ))
        })
    }

    /// Whether a wrapper waits before it groups.
    pub(super) fn wrapper_waits(&self) -> bool {
        self.wrappers.iter().any(|spec| {
            spec.name == WAITING && spec.parameters.get(DRAWS) != Some(&Value::Count(0))
        })
    }

    /// Whether its lens waits for something: for steps, or for a proxy.
    fn lens_waits(&self) -> bool {
        self.lens.as_ref().is_some_and(|spec| *spec != first_lens())
    }

    /// Whether its groups are those of a lens that is not there from the start, or not to the end.
    pub(super) fn lens_changes(&self) -> bool {
        self.lens_waits() && (self.proxy.is_none() || self.searches())
    }

    /// Whether its lens is exchanged for another on the way, with groups that are only matched with those of before.
    pub(super) fn lens_is_renewed(&self) -> bool {
        let every = self
            .lens
            .as_ref()
            .and_then(|spec| spec.parameters.get(EVERY));
        self.searches() || every.is_some_and(|every| *every != none())
    }

    /// The same without any waiting, where there is some: what a later step will be like.
    pub(crate) fn at_once(&self) -> Option<Self> {
        let at_once = |spec: &Spec| match spec.name == WAITING {
            true => spec.clone().with(DRAWS, Value::Count(0)),
            false => spec.clone(),
        };
        (self.wrapper_waits() || self.lens_waits()).then(|| Self {
            wrappers: self.wrappers.iter().map(at_once).collect(),
            lens: self.lens.as_ref().map(|_| first_lens()),
            ..self.clone()
        })
    }
}

/// A parameter that is a count.
fn count(spec: &Spec, name: &str) -> Option<u64> {
    match spec.parameters.get(name) {
        Some(Value::Count(count)) => Some(*count),
        _ => None,
    }
}
