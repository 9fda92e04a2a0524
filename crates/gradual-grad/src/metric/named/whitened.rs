//! Every coordinate scaled by its running moments.

use gradual_registry::Entry;

use super::settings::{MEMORY, PART, balanced, with_settings};
use crate::metric::Metric;

pub(crate) static ENTRY: Entry<Vec<String>, Metric> = Entry {
    name: "whitened",
    about: "inputs centred and scaled by their standard deviations, output-gradients by their root mean squares, \
            coordinate by coordinate",
    facts: &[],
    parameters: &[PART, balanced(true), MEMORY],
    build: |arguments, layers| {
        let metric = Metric::whitened().balanced(arguments.flag("balanced")?);
        with_settings(metric, arguments, &layers)
    },
};
