//! Gradients as they are, of parameters that weigh the same.

use gradual_registry::Entry;

use super::settings::{MEMORY, PART, with_settings};
use crate::metric::Metric;

pub(crate) static ENTRY: Entry<Vec<String>, Metric> = Entry {
    name: "unit",
    about: "gradients as they are, with every parameter at a unit mean square norm",
    facts: &[],
    parameters: &[PART, MEMORY],
    build: |arguments, layers| {
        with_settings(Metric::euclidean().balanced(true), arguments, &layers)
    },
};
