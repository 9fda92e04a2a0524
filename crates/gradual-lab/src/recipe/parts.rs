//! What stands in one place of a recipe though it is in two registries or none.

use gradual::loss::registry::{COMPOSITIONS, RULES};
use gradual_registry::{RegistryError, Spec, nearest};

/// The word for no metric.
pub(super) const NONE: &str = "none";

/// A composition or a rule, with all of its parameters.
pub(super) fn resolve_composition(spec: &Spec) -> Result<Spec, RegistryError> {
    match (COMPOSITIONS.has(&spec.name), RULES.has(&spec.name)) {
        (true, _) => COMPOSITIONS.resolve(spec),
        (false, true) => RULES.resolve(spec),
        (false, false) => {
            let names = || COMPOSITIONS.names().chain(RULES.names());
            Err(RegistryError::Unknown {
                kind: "composition",
                name: spec.name.clone(),
                nearest: nearest(&spec.name, names()).map(str::to_owned),
                known: names().map(str::to_owned).collect(),
            })
        }
    }
}
