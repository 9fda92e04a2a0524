//! What a step minimises.

use burn::tensor::Tensor;
use gradual_group::{Grouping, Groups, Needs, Standing};
use gradual_loss::{Composed, Composition, GramComposition, LossError, Scale};

/// A grouping, a composition of its group losses or gradients, and a scale.
pub struct Objective {
    pub(crate) grouping: Box<dyn Grouping>,
    pub(crate) rule: Rule,
    pub(crate) scale: Scale,
}

/// What makes coefficients of groups.
pub(crate) enum Rule {
    /// A function of group losses.
    Losses(Box<dyn Composition>),
    /// A rule on the inner products of group gradients.
    Gradients(Box<dyn GramComposition>),
}

impl Rule {
    /// Whether [`compose`](Self::compose) has to be given the Gram matrix.
    fn needs_gram(&self) -> bool {
        matches!(self, Self::Gradients(_))
    }

    pub(crate) fn compose(
        &mut self,
        losses: &Tensor<1>,
        groups: &Groups,
        gram: Option<&Tensor<2>>,
    ) -> Result<Composed, LossError> {
        match (self, gram) {
            (Self::Losses(composition), _) => composition.compose(losses, groups),
            (Self::Gradients(rule), Some(gram)) => rule.compose(losses, groups, gram),
            (Self::Gradients(rule), None) => Err(LossError::NoGradients {
                operation: rule.name(),
            }),
        }
    }
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
            rule: Rule::Losses(Box::new(composition)),
            scale: Scale::default(),
        }
    }

    /// A rule on group gradients in the place of a composition, with raw coefficients: how large the
    /// step is belongs to such a rule. Needs per-example gradients.
    pub fn on_gradients(
        grouping: impl Grouping + 'static,
        rule: impl GramComposition + 'static,
    ) -> Self {
        Self {
            grouping: Box::new(grouping),
            rule: Rule::Gradients(Box::new(rule)),
            scale: Scale::Raw,
        }
    }

    /// The same grouping and composition under another scale.
    #[must_use]
    pub fn with_scale(self, scale: Scale) -> Self {
        Self { scale, ..self }
    }

    /// Whether a step needs per-example gradients. If not, it costs what an ordinary step costs.
    pub fn needs_gradients(&self) -> bool {
        self.grouping.needs() == Needs::Gradients || self.needs_gram()
    }

    /// Whether a step needs the Gram matrix of its draw, for the rule or for the scale. It is then
    /// taken once.
    pub fn needs_gram(&self) -> bool {
        self.rule.needs_gram() || self.scale.needs_gram()
    }

    /// Whether a step needs the labels of its examples.
    pub fn needs_labels(&self) -> bool {
        self.grouping.needs() == Needs::Labels
    }

    /// Which standing examples the grouping has to be shown before the next step, if any: see
    /// [`stand`](crate::stand()).
    pub fn wants(&self) -> Option<Standing> {
        self.grouping.wants()
    }

    /// What the composition has learned from the draws so far, as numbers to write down; empty for
    /// one that keeps no state.
    pub fn state(&self) -> Vec<f64> {
        match &self.rule {
            Rule::Losses(composition) => composition.state(),
            Rule::Gradients(rule) => rule.state(),
        }
    }

    /// Goes back to a state that [`state`](Self::state) gave.
    ///
    /// # Errors
    ///
    /// [`LossError::State`] for numbers that are no state of this composition.
    pub fn restore(&mut self, state: &[f64]) -> Result<(), LossError> {
        match &mut self.rule {
            Rule::Losses(composition) => composition.restore(state),
            Rule::Gradients(rule) => rule.restore(state),
        }
    }
}
