//! Gradients as they are.

use gradual_registry::Entry;

use super::settings::{MEMORY, PART, balanced, with_settings};
use crate::metric::Metric;

pub(crate) static ENTRY: Entry<Vec<String>, Metric> = Entry {
    name: "euclidean",
    about: "gradients as they are",
    facts: &[],
    parameters: &[PART, balanced(false), MEMORY.only_if("balanced", &["true"])],
    build: |arguments, layers| {
        let metric = Metric::euclidean().balanced(arguments.flag("balanced")?);
        with_settings(metric, arguments, &layers)
    },
};
