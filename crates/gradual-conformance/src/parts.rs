//! The parts of the suite, and how exact each has to be.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::tensor::Device;

use crate::numbers::Numbers;
use crate::precision::Precision;
use crate::{compositions, gradients, groupings, training, waits};

/// What each part computed, or why it could not.
pub(crate) type Results = BTreeMap<String, Result<Numbers, String>>;

/// One part.
pub(crate) struct Part {
    pub(crate) name: &'static str,
    /// What is computed, for the page.
    pub(crate) about: &'static str,
    run: fn(&Device) -> anyhow::Result<Numbers>,
    expected: Expected,
    /// Largest difference from the reference that is allowed, relative to the largest of the numbers that stand
    /// under one name: in single and in double precision.
    tolerance: (f64, f64),
}

/// What the numbers of a part are compared with.
enum Expected {
    /// Those of the reference.
    Reference,
    /// Those of the reference, but these where they stand: what the reference could get wrong as all others do.
    ReferenceBut(fn() -> Numbers),
    /// These and no others, given those of the reference.
    Stated(fn(&Numbers) -> Numbers),
}

/// All parts; this table holds all tolerances.
pub(crate) const PARTS: &[Part] = &[
    Part {
        name: "gradients",
        about: "losses and per-example gradients of a decoder and a convolutional net, from one trace and one by one",
        run: gradients::gradients,
        expected: Expected::Reference,
        tolerance: (1e-5, 1e-10),
    },
    Part {
        name: "gram",
        about: "Gram matrix, norms and cosines; the Gram matrix in every metric of the registry",
        run: gradients::gram,
        expected: Expected::Reference,
        tolerance: (1e-4, 1e-9),
    },
    Part {
        name: "combine",
        about: "weighted sums of gradients, parameter by parameter, one and many at a time",
        run: gradients::combine,
        expected: Expected::Reference,
        tolerance: (1e-5, 1e-10),
    },
    Part {
        name: "sketch",
        about: "random sketches and their Gram matrices",
        run: gradients::sketch,
        expected: Expected::Reference,
        tolerance: (1e-4, 1e-9),
    },
    Part {
        name: "groupings",
        about: "groups of planted gradients: every grouping and wrapper of the registry",
        run: groupings::groupings,
        expected: Expected::Reference,
        tolerance: (1e-4, 1e-9),
    },
    Part {
        name: "compositions",
        about: "value and coefficients of every composition, wrapper and rule of the registry, under every scale",
        run: compositions::compositions,
        expected: Expected::ReferenceBut(compositions::group_losses),
        tolerance: (1e-4, 1e-9),
    },
    Part {
        name: "training",
        about: "the losses of 50 steps of sparse parity: ERM, grouped and SVD groups with Adam, ERM with every optimizer \
                of the registry",
        run: training::training,
        expected: Expected::Reference,
        tolerance: (1e-3, 1e-6),
    },
    Part {
        name: "repeats",
        about: "the same trainings twice: the share of losses that are equal bit for bit",
        run: training::repeats,
        expected: Expected::Stated(training::always),
        tolerance: (0.0, 0.0),
    },
    Part {
        name: "waits",
        about: "how often the host waits for the device in one step, under everything in the registries: 1, and 2 \
                where groups are formed on the host, the composition keeps state there, or a rule weighs gradients",
        run: waits::waits,
        expected: Expected::Stated(waits::stated_waits),
        tolerance: (0.0, 0.0),
    },
    Part {
        name: "checkpoint",
        about: "a run that is stopped on one backend and resumed on the other: `flex` and this one, both ways",
        run: training::checkpoint,
        expected: Expected::Reference,
        tolerance: (1e-3, 1e-6),
    },
];

impl Part {
    pub(crate) fn tolerance(&self, precision: Precision) -> f64 {
        match precision {
            Precision::F32 => self.tolerance.0,
            Precision::F64 => self.tolerance.1,
        }
    }

    /// What the numbers of this part have to be, by those of the reference.
    pub(crate) fn expected(&self, reference: &Numbers) -> Numbers {
        match self.expected {
            Expected::Reference => reference.clone(),
            Expected::ReferenceBut(stated) => {
                reference.clone().into_iter().chain(stated()).collect()
            }
            Expected::Stated(stated) => stated(reference),
        }
    }

    /// The numbers of this part on `device`. A panic is this part's own.
    pub(crate) fn on(&self, device: &Device) -> Result<Numbers, String> {
        let run = AssertUnwindSafe(|| (self.run)(device));
        match catch_unwind(run) {
            Ok(Ok(numbers)) => Ok(numbers),
            Ok(Err(error)) => Err(gradual::runs::message(error.as_ref())),
            Err(_) => Err("panicked; the message stands above".to_owned()),
        }
    }
}
