//! What is compared: gradients in a metric, on some of the weights.

use gradual::grad::{GradError, Metric, Part, Whitening};

/// Gradients as they are.
pub(crate) const RAW: Whitening = Whitening::None;
/// Every coordinate scaled.
pub(crate) const WHITE: Whitening = Whitening::Coordinates;
/// Whitened by full covariances; the damping is the share of the mean diagonal entry that is added.
pub(crate) const KRONECKER: Whitening = Whitening::Kronecker { damping: 0.1 };

/// A metric on one part of some weights.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Look {
    pub(crate) whitening: Whitening,
    pub(crate) part: Part,
    pub(crate) layers: Layers,
}

/// Which weights are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layers {
    /// What the report calls them.
    pub(crate) name: String,
    /// Globs of their paths; all weights and biases where there are none.
    pub(crate) globs: Vec<String>,
}

impl Layers {
    pub(crate) fn all() -> Self {
        Self::of("all layers", [])
    }

    pub(crate) fn of<const N: usize>(name: impl Into<String>, globs: [String; N]) -> Self {
        Self {
            name: name.into(),
            globs: globs.into(),
        }
    }
}

impl Look {
    pub(crate) fn new(whitening: Whitening, part: Part, layers: &Layers) -> Self {
        Self {
            whitening,
            part,
            layers: layers.clone(),
        }
    }

    /// Raw gradients as they come, or whitened with each weight counting alike.
    pub(crate) fn metric(&self) -> Result<Metric, GradError> {
        let globs: Vec<&str> = self.layers.globs.iter().map(String::as_str).collect();
        Metric::euclidean()
            .with_whitening(self.whitening)
            .with_part(self.part)
            .balanced(self.whitening != Whitening::None)
            .with_layers(&globs)
    }

    pub(crate) fn metric_name(&self) -> &'static str {
        match self.whitening {
            Whitening::None => "raw",
            Whitening::Coordinates => "whitened",
            Whitening::Kronecker { .. } => "Kronecker",
        }
    }

    pub(crate) fn part_name(&self) -> &'static str {
        match self.part {
            Part::Gradients => "gradients",
            Part::Inputs => "inputs",
            Part::OutputGradients => "output-gradients",
        }
    }

    /// All of it in words.
    pub(crate) fn name(&self) -> String {
        let (metric, part) = (self.metric_name(), self.part_name());
        format!("{metric} {part}, {}", self.layers.name)
    }
}
