//! What a step minimises.

use burn::tensor::{Device, Tensor};
use gradual_grad::{ExampleGradients, GradError, Tracer};
use gradual_group::{Draw, Grouping, Groups, OneGroup, Standing, State};
use gradual_loss::{Composed, Composition, GramComposition, LossError, Scale, Scaler};
use serde::{Deserialize, Serialize};

use crate::error::TrainError;
use crate::lens::matched::Matched;

const OPERATION: &str = "objective";

/// State of an objective, as it is written down.
#[derive(Serialize, Deserialize)]
struct Saved {
    grouping: State,
    rule: Vec<f64>,
    /// Of a scale that remembers.
    #[serde(default)]
    scale: Vec<f64>,
}

/// Whose gradients a grouping sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    /// Those of the model that is trained.
    Model,
    /// Those of a [lens](crate::Lens) that is not there yet: all examples are one group till then.
    Waiting,
    /// Those of a lens.
    Lens,
}

/// A grouping, a composition of its group losses or gradients, and a scale.
pub struct Objective {
    pub(crate) grouping: Box<dyn Grouping>,
    pub(crate) sight: Sight,
    /// What the groups under a lens are to those of an earlier one.
    pub(crate) matched: Option<Matched>,
    rule: Rule,
    scaler: Scaler,
    /// Whether coefficients are divided by their own size.
    divides: bool,
    /// Globs of the parameters that a rule on gradients sees; empty for all.
    layers: Vec<String>,
    /// Whether gradients come from a trace even where Burn's own would do.
    traced: bool,
    tracer: Tracer,
}

/// What makes coefficients of groups.
enum Rule {
    /// A function of group losses.
    Losses(Box<dyn Composition>),
    /// A rule on the inner products of group gradients.
    Gradients(Box<dyn GramComposition>),
}

impl Rule {
    fn state(&self) -> Vec<f64> {
        match self {
            Self::Losses(composition) => composition.state(),
            Self::Gradients(rule) => rule.state(),
        }
    }

    fn restore(&mut self, state: &[f64]) -> Result<(), LossError> {
        match self {
            Self::Losses(composition) => composition.restore(state),
            Self::Gradients(rule) => rule.restore(state),
        }
    }
}

impl std::fmt::Debug for Objective {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Objective")
            .field("scaler", &self.scaler)
            .field("layers", &self.layers)
            .finish_non_exhaustive()
    }
}

impl Objective {
    /// With the scale that is [usual](Scale::usual) for the groups: coefficients that sum to one, or, where they have
    /// signs, whose absolute values do.
    pub fn new(grouping: impl Grouping + 'static, composition: impl Composition + 'static) -> Self {
        Self {
            grouping: Box::new(grouping),
            sight: Sight::Model,
            matched: None,
            rule: Rule::Losses(Box::new(composition)),
            scaler: Scaler::default(),
            divides: true,
            layers: Vec::new(),
            traced: false,
            tracer: Tracer::default(),
        }
    }

    /// A rule on group gradients instead of a composition, with raw coefficients: the size of the step is part of
    /// such a rule. Needs per-example gradients.
    pub fn on_gradients(
        grouping: impl Grouping + 'static,
        rule: impl GramComposition + 'static,
    ) -> Self {
        Self {
            grouping: Box::new(grouping),
            sight: Sight::Model,
            matched: None,
            rule: Rule::Gradients(Box::new(rule)),
            scaler: Scaler::new(Scale::Raw),
            divides: false,
            layers: Vec::new(),
            traced: false,
            tracer: Tracer::default(),
        }
    }

    /// The same grouping and composition under another scale.
    #[must_use]
    pub fn with_scale(self, scale: Scale) -> Self {
        Self {
            scaler: Scaler::new(scale),
            divides: matches!(
                scale,
                Scale::UnitSum | Scale::UnitAbsolute | Scale::MatchNorm
            ),
            ..self
        }
    }

    /// The same with a rule on gradients that sees some parameters alone: those whose path matches one of the `globs`,
    /// such as `trunk.*`.
    ///
    /// The groups' gradients can only conflict on parameters that they share. Those of private heads are orthogonal,
    /// and make gradients longer and conflicts smaller than they are on the trunk: the rule then corrects too
    /// little, and its step can hurt a group there. The convention is to show a rule the shared parameters, with
    /// weights that go for all. A matched norm ([`Scale::MatchNorm`]) and the update use all gradients.
    ///
    /// A step fails with [`GradError::Glob`](gradual_grad::GradError::Glob) for a glob that matches nothing, and with
    /// [`LossError::Layers`] under a composition of losses.
    #[must_use]
    pub fn looking_at(self, globs: &[&str]) -> Self {
        Self {
            layers: globs.iter().map(|&glob| glob.to_owned()).collect(),
            ..self
        }
    }

    /// The same with gradients from a trace, whatever the grouping needs: for models of which Burn's own backward pass
    /// gets a gradient [wrong](gradual_grad::BurnFault), and so that arms that trace and arms that do not train on the
    /// same numbers. The layers must be tapped; a step costs a tenth more or so.
    #[must_use]
    pub fn through_trace(self) -> Self {
        Self {
            traced: true,
            ..self
        }
    }

    /// The same with traces that have options: parameters that a draw need not use ([`Tracer::allow_unused`]: experts,
    /// dropped layers), that are not trained here ([`Tracer::without`]), several rows of an input for each example
    /// ([`Tracer::with_views`]).
    ///
    /// They hold for every pass that a step, standing examples or the check before the first step take. What is left
    /// out is not updated either where the gradients come from Burn's own backward pass, so that all objectives train
    /// the same parameters.
    #[must_use]
    pub fn with_tracer(self, tracer: Tracer) -> Self {
        Self { tracer, ..self }
    }

    /// The options of the traces.
    pub(crate) fn tracer(&self) -> &Tracer {
        &self.tracer
    }

    /// The options of the traces that a step takes, if it takes any.
    pub(crate) fn verified_tracer(&self) -> Option<&Tracer> {
        self.needs_gradients().then_some(&self.tracer)
    }

    /// Whether a step needs per-example gradients. If not, it costs what an ordinary step costs.
    pub fn needs_gradients(&self) -> bool {
        self.traced || self.compares_gradients()
    }

    /// Whether a step needs the Gram matrix of its draw, for the rule or for the scale. It is then
    /// taken once, but for a rule that [looks at](Self::looking_at) some layers beside a scale that needs all.
    pub fn needs_gram(&self) -> bool {
        matches!(self.rule, Rule::Gradients(_)) || self.scaler.needs_gram()
    }

    /// Whether a step compares gradients with each other, by their inner products.
    pub(crate) fn compares_gradients(&self) -> bool {
        self.groups_gradients() || self.needs_gram()
    }

    /// Whether the gradients of a step decide its groups.
    fn groups_gradients(&self) -> bool {
        self.sight == Sight::Model && self.grouping.needs().gradients()
    }

    /// Whether the coefficients of a draw stay the same when all of its gradients are multiplied by one number.
    pub(crate) fn is_scale_free(&self) -> bool {
        match (&self.rule, self.groups_gradients()) {
            (Rule::Losses(_), true) => self.divides,
            (Rule::Gradients(_), true) => false,
            // Only inner products, of which a rule and a matched norm take ratios.
            _ => true,
        }
    }

    /// Whether the grouping is after a draw what it was before.
    pub(crate) fn is_stateless(&self) -> bool {
        self.grouping
            .state()
            .is_ok_and(|state| state == State::none())
    }

    /// Whether a step needs the labels of its examples.
    pub fn needs_labels(&self) -> bool {
        self.grouping.needs().labels()
    }

    /// What tells objectives apart that were made in different ways, as far as they say.
    pub(crate) fn described(&self, examples: usize) -> String {
        let rule = match &self.rule {
            Rule::Losses(composition) => composition.name(),
            Rule::Gradients(rule) => rule.name(),
        };
        let (needs, looks) = (self.grouping.needs(), self.grouping.looks_at());
        let groups = self.grouping.num_groups(examples);
        let signed = self.grouping.is_signed();
        format!(
            "{rule} of {groups:?} groups (needs {needs:?}, looks at {looks:?}, signed {signed}), {self:?}"
        )
    }

    /// Whether the loss is linear in the group losses, so that noise in them does not decide what groups weigh: see
    /// [`Composition::is_linear`]. Rules on gradients are not.
    pub fn is_linear(&self) -> bool {
        match &self.rule {
            Rule::Losses(composition) => composition.is_linear(),
            Rule::Gradients(_) => false,
        }
    }

    /// Whether draws of `examples` examples can be grouped and their groups composed, as far as can be known before the
    /// first: see [`Grouping::check`].
    ///
    /// # Errors
    ///
    /// [`GroupError`](gradual_group::GroupError) naming the grouping and what does not fit. [`LossError`] for groups
    /// with signs under anything but a sum of squares, groups found anew in each draw under a composition that remembers them, a composition that is made for another number of groups, and
    /// layers for one that looks at none.
    pub fn check(&self, examples: usize) -> Result<(), TrainError> {
        self.grouping.check(examples)?;
        let signed = self.grouping.is_signed();
        let (operation, takes_signed) = match &self.rule {
            Rule::Losses(_) if !self.layers.is_empty() => return Err(LossError::Layers.into()),
            Rule::Losses(composition) => (composition.name(), composition.takes_signed()),
            Rule::Gradients(rule) => (rule.name(), false),
        };
        if signed && !takes_signed {
            return Err(LossError::Signed { operation }.into());
        }
        if let Rule::Losses(composition) = &self.rule
            && composition.keeps_state()
            && !self.grouping.keeps_identity()
        {
            return Err(LossError::Anew { operation }.into());
        }
        let groups = self.grouping.num_groups(examples);
        // One at first, so that no other number is that of every draw.
        let groups = groups.filter(|&groups| self.sight != Sight::Waiting || groups == 1);
        let made_for = match &self.rule {
            Rule::Losses(composition) => composition.made_for(),
            Rule::Gradients(_) => None,
        };
        match (made_for, groups) {
            (Some((operation, expected)), Some(got)) if expected != got => {
                return Err(LossError::OtherGroups {
                    operation,
                    expected,
                    got,
                }
                .into());
            }
            (Some((operation, expected)), None) => {
                return Err(LossError::UnknownGroups {
                    operation,
                    expected,
                }
                .into());
            }
            _ => {}
        }
        Ok(self.scaler.check(signed)?)
    }

    /// Which standing examples the grouping has to be shown before the next step, if any: see
    /// [`stand`](crate::stand()).
    pub fn wants(&self) -> Option<Standing> {
        match self.sight {
            Sight::Model => self.grouping.wants(),
            Sight::Waiting => None,
            // Their gradients would be those of before.
            Sight::Lens => {
                let wish = self.grouping.wants();
                wish.filter(|wish| *wish != Standing::Again)
            }
        }
    }

    /// Groups of a draw, which the host may not know yet.
    pub(crate) fn group(&mut self, draw: &Draw<'_>) -> Result<Groups, TrainError> {
        if self.sight == Sight::Waiting {
            return Ok(OneGroup.group(draw)?);
        }
        let groups = self.grouping.group_ahead(draw)?;
        Ok(self.marked(groups))
    }

    /// Groups of a draw whose examples have had these before, under a [lens](crate::lens).
    pub(crate) fn regroup(
        &self,
        draw: &Draw<'_>,
        groups: Vec<Option<usize>>,
    ) -> Result<Groups, TrainError> {
        Ok(self.marked(self.grouping.regroup(draw, groups)?))
    }

    /// Groups with their identities, where they are those of a lens that was renewed.
    pub(crate) fn marked(&self, groups: Groups) -> Groups {
        match &self.matched {
            Some(matched) => matched.mark(groups),
            None => groups,
        }
    }

    /// The states of grouping and composition, to be saved.
    ///
    /// # Errors
    ///
    /// [`GroupError`](gradual_group::GroupError) when it can't be written.
    pub fn state(&self) -> Result<State, TrainError> {
        let saved = Saved {
            grouping: self.grouping.state()?,
            rule: self.rule.state(),
            scale: self.scaler.state(),
        };
        Ok(State::new(OPERATION, &saved)?)
    }

    /// Restores a state that [`state`](Self::state) returned under the same settings; tensors go to
    /// `device`.
    ///
    /// # Errors
    ///
    /// [`GroupError`](gradual_group::GroupError) and [`LossError`] for what is no state of this
    /// objective.
    pub fn restore(&mut self, state: &State, device: &Device) -> Result<(), TrainError> {
        let saved: Saved = state.read(OPERATION)?;
        let scaler = self.scaler;
        self.attempt(|objective| {
            objective.rule.restore(&saved.rule)?;
            objective.scaler.restore(&saved.scale)?;
            Ok(objective.grouping.restore(&saved.grouping, device)?)
        })
        .inspect_err(|_| self.scaler = scaler)
    }

    /// Value and scaled coefficients for the losses `[n]` of a draw, without waiting for the device where the rule
    /// does not; to be [settled](Composed::settled) and then [observed](Self::observe).
    pub(crate) fn compose(
        &mut self,
        losses: &Tensor<1>,
        groups: &Groups,
        gradients: Option<&ExampleGradients>,
    ) -> Result<Composed, TrainError> {
        if matches!(self.rule, Rule::Losses(_)) && !self.layers.is_empty() {
            return Err(LossError::Layers.into());
        }
        let whole = self.scaler.needs_gram() || self.layers.is_empty();
        let whole = gradients.filter(|_| whole && self.needs_gram());
        let whole = whole.map(ExampleGradients::gram);
        let composed = match &mut self.rule {
            Rule::Losses(composition) => composition.compose_ahead(losses, groups)?,
            Rule::Gradients(rule) => {
                let gradients = gradients.ok_or(LossError::NoGradients {
                    operation: rule.name(),
                })?;
                match (&whole, self.layers.as_slice()) {
                    (Some(gram), []) => rule.compose(losses, groups, gram)?,
                    (_, layers) => {
                        let seen = matching(gradients, layers)?;
                        rule.compose(losses, groups, &seen.gram())?
                    }
                }
            }
        };
        Ok(self.scaler.apply_ahead(composed, groups, whole.as_ref())?)
    }

    /// Takes up what was [composed](Self::compose) and is settled, once the whole step is known to be right.
    pub(crate) fn observe(&mut self, composed: &Composed) {
        self.scaler.observe(composed);
    }

    /// Acts, and leaves what the rule remembers as it was if that fails.
    pub(crate) fn attempt<T>(
        &mut self,
        act: impl FnOnce(&mut Self) -> Result<T, TrainError>,
    ) -> Result<T, TrainError> {
        let before = self.rule.state();
        let acted = act(self);
        if acted.is_err() {
            // Its own state is one that it takes.
            let _ = self.rule.restore(&before);
        }
        acted
    }
}

/// The gradients of the parameters that match one of several globs, each of which must match some.
fn matching(gradients: &ExampleGradients, globs: &[String]) -> Result<ExampleGradients, GradError> {
    if let [glob] = globs {
        return gradients.select(glob);
    }
    for glob in globs {
        gradients.select(glob)?;
    }
    gradients.select(&format!("{{{}}}", globs.join(",")))
}
