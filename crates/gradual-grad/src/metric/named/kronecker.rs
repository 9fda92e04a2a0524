//! The metric of K-FAC.

use gradual_registry::{Entry, Parameter};

use super::settings::{MEMORY, PART, balanced, with_settings};
use crate::metric::Metric;
use crate::metric::whitening::Whitening;

pub(crate) static ENTRY: Entry<Vec<String>, Metric> = Entry {
    name: "kronecker",
    about: "inputs and output-gradients multiplied by the inverse Cholesky factors of their covariances, as in K-FAC",
    facts: &[],
    parameters: &[
        Parameter::number(
            "damping",
            "share of the mean diagonal entry that is added to the diagonal of a covariance",
            0.1,
        )
        .above(0.0),
        PART,
        balanced(true),
        MEMORY,
    ],
    build: |arguments, layers| {
        let damping = arguments.number("damping")?;
        let metric = Metric::whitened()
            .with_whitening(Whitening::Kronecker { damping })
            .balanced(arguments.flag("balanced")?);
        with_settings(metric, arguments, &layers)
    },
};
