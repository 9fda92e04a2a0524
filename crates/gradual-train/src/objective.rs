//! What a step minimises.

use gradual_group::{Grouping, Needs};
use gradual_loss::{Composition, Scale};

/// A grouping, a composition of its group losses, and a scale.
pub struct Objective {
    pub(crate) grouping: Box<dyn Grouping>,
    pub(crate) composition: Box<dyn Composition>,
    pub(crate) scale: Scale,
}

impl std::fmt::Debug for Objective {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Objective")
            .field("scale", &self.scale)
            .finish_non_exhaustive()
    }
}

impl Objective {
    /// With the default scale, coefficients that sum to one.
    pub fn new(grouping: impl Grouping + 'static, composition: impl Composition + 'static) -> Self {
        Self {
            grouping: Box::new(grouping),
            composition: Box::new(composition),
            scale: Scale::default(),
        }
    }

    /// The same grouping and composition under another scale.
    #[must_use]
    pub fn with_scale(self, scale: Scale) -> Self {
        Self { scale, ..self }
    }

    /// Whether a step needs per-example gradients. If not, it costs what an ordinary step costs.
    pub fn needs_gradients(&self) -> bool {
        self.grouping.needs() == Needs::Gradients || self.scale.needs_gram()
    }

    /// Whether a step needs the labels of its examples.
    pub fn needs_labels(&self) -> bool {
        self.grouping.needs() == Needs::Labels
    }
}
