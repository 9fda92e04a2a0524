//! What a step minimises.

use burn::tensor::{Device, Tensor};
use gradual_group::{Grouping, Groups, Needs, Standing, State};
use gradual_loss::{Composed, Composition, GramComposition, LossError, Scale};
use serde::{Deserialize, Serialize};

use crate::TrainError;

const OPERATION: &str = "objective";

/// State of an objective, as it is written down.
#[derive(Serialize, Deserialize)]
struct Saved {
    grouping: State,
    rule: Vec<f64>,
}

/// A grouping, a composition of its group losses or gradients, and a scale.
pub struct Objective {
    pub(crate) grouping: Box<dyn Grouping>,
    pub(crate) rule: Rule,
    /// None for the one that is [usual](Scale::usual) for the groups.
    pub(crate) scale: Option<Scale>,
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
    /// With the scale that is [usual](Scale::usual) for the groups: coefficients that sum to one, or, where they have
    /// signs, whose absolute values do.
    pub fn new(grouping: impl Grouping + 'static, composition: impl Composition + 'static) -> Self {
        Self {
            grouping: Box::new(grouping),
            rule: Rule::Losses(Box::new(composition)),
            scale: None,
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
            scale: Some(Scale::Raw),
        }
    }

    /// The same grouping and composition under another scale.
    #[must_use]
    pub fn with_scale(self, scale: Scale) -> Self {
        Self {
            scale: Some(scale),
            ..self
        }
    }

    /// Whether a step needs per-example gradients. If not, it costs what an ordinary step costs.
    pub fn needs_gradients(&self) -> bool {
        self.grouping.needs() == Needs::Gradients || self.needs_gram()
    }

    /// Whether a step needs the Gram matrix of its draw, for the rule or for the scale. It is then
    /// taken once.
    pub fn needs_gram(&self) -> bool {
        self.rule.needs_gram() || self.scale.is_some_and(Scale::needs_gram)
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

    /// What grouping and composition have learned from the draws so far, to write down.
    ///
    /// # Errors
    ///
    /// [`GroupError`](gradual_group::GroupError) when it can't be written.
    pub fn state(&self) -> Result<State, TrainError> {
        let rule = match &self.rule {
            Rule::Losses(composition) => composition.state(),
            Rule::Gradients(rule) => rule.state(),
        };
        let grouping = self.grouping.state()?;
        Ok(State::of(OPERATION, &Saved { grouping, rule })?)
    }

    /// Goes back to a state that [`state`](Self::state) gave under the same settings; tensors go to
    /// `device`.
    ///
    /// # Errors
    ///
    /// [`GroupError`](gradual_group::GroupError) and [`LossError`] for what is no state of this
    /// objective.
    pub fn restore(&mut self, state: &State, device: &Device) -> Result<(), TrainError> {
        let saved: Saved = state.read(OPERATION)?;
        match &mut self.rule {
            Rule::Losses(composition) => composition.restore(&saved.rule)?,
            Rule::Gradients(rule) => rule.restore(&saved.rule)?,
        }
        Ok(self.grouping.restore(&saved.grouping, device)?)
    }
}
