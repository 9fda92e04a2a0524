//! What all clones of a grouped step share.

use std::cell::RefCell;
use std::sync::Arc;

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use gradual_group::{Average, Groups, Standing};

use super::moved::{Change, SeenModel};
use crate::error::TrainError;
use crate::label_set::{LabelSet, OwnedLabels};
use crate::objective::Objective;
use crate::step::finish::finish;
use crate::step::finite::finite;
use crate::step::pass::Pass;
use crate::step::standing::{StandingDraws, show};
use crate::step::stepped::Stepped;
use crate::step::stepper::Stepper;
use crate::step::trainable::trainable;
use crate::step::verified::verified;

pub(super) struct Shared<B> {
    pub(super) objective: Objective,
    pub(super) stepper: Stepper,
    pub(super) source: Source<B>,
    /// Standing examples that were drawn.
    pub(super) kept: StandingDraws<Arc<B>>,
    /// Calls that make a draw, and those of an epoch.
    pub(super) calls: usize,
    pub(super) epoch: Option<usize>,
    /// Calls since the epoch began.
    pub(super) called: usize,
    pub(super) held: Vec<Pass>,
    pub(super) labels: OwnedLabels,
    /// Whether the model has to move between two draws.
    pub(super) checks: bool,
    pub(super) seen: Option<SeenModel>,
    /// Whether the gradients are to be checked, and still have to be.
    pub(super) verifies: bool,
    pub(super) unverified: bool,
}

/// Where standing examples come from.
pub(super) enum Source<B> {
    None,
    Fixed(B),
    Drawn(Box<dyn FnMut(usize) -> B + Send>),
}

impl<B> Shared<B> {
    /// Before the first call.
    pub(super) fn new(objective: Objective) -> Self {
        Self {
            objective,
            stepper: Stepper::default(),
            source: Source::None,
            kept: StandingDraws::default(),
            calls: 1,
            epoch: None,
            called: 0,
            held: Vec::new(),
            labels: OwnedLabels::default(),
            checks: true,
            seen: None,
            verifies: true,
            unverified: true,
        }
    }

    /// Forgets the batches that are held.
    pub(super) fn let_go(&mut self) {
        self.held.clear();
        self.labels = OwnedLabels::default();
    }

    pub(super) fn step<M: Module>(
        &mut self,
        model: &M,
        labels: LabelSet<'_>,
        batch: &B,
        mut losses: impl FnMut(&M, &B) -> Tensor<1>,
    ) -> Result<Stepped, TrainError> {
        self.check_settings()?;
        trainable(model)?;
        self.check(model)?;
        if self.unverified {
            let losses = RefCell::new(&mut losses);
            let losses = |m: &M| losses.borrow_mut()(m, batch);
            let left_out = self.stepper.leaves_out();
            let tracer = self.objective.verified_tracer();
            let verified = verified(model, tracer, left_out, losses)?;
            self.unverified = verified.is_none();
        }
        self.called += 1;
        let ends = self.epoch.is_some_and(|batches| self.called >= batches);
        if ends {
            self.called = 0;
        }
        let whole = ends || self.held.len() + 1 >= self.calls;
        if whole {
            self.show_standing(model, &mut losses)?;
        }
        let pass = Pass::of(model, &self.objective, |m| losses(m, batch))?;
        let mut again = |_: usize, m: &M| losses(m, batch);
        let pass = self
            .stepper
            .leave_out(model, &self.objective, vec![pass], &mut again)?;
        let first = self.held.is_empty();
        self.hold(pass, labels);
        if !whole {
            if first {
                self.seen = SeenModel::of(model, None);
            }
            return self.waiting();
        }
        let passes = std::mem::take(&mut self.held);
        let labels = std::mem::take(&mut self.labels);
        let stepped = finish(model, &mut self.objective, labels.as_set().into(), passes)?;
        self.seen = SeenModel::of(model, Some(&stepped.update));
        Ok(stepped)
    }

    pub(super) fn restart(&mut self) {
        self.let_go();
        self.seen = None;
        self.called = 0;
        self.unverified = self.verifies;
    }

    fn check_settings(&self) -> Result<(), TrainError> {
        let name = match (self.calls, self.epoch) {
            (0, _) => "with_accumulation",
            (_, Some(0)) => "with_epoch",
            _ => return Ok(()),
        };
        Err(TrainError::Accumulation {
            problem: format!("`{name}` takes at least 1 batch, got 0"),
        })
    }

    /// Whether the model is the one that this call should see.
    fn check<M: Module>(&mut self, model: &M) -> Result<(), TrainError> {
        let Some(seen) = self.seen.as_ref().filter(|_| self.checks) else {
            return Ok(());
        };
        let held = self.held.len();
        let (calls, next) = (self.calls, held + 1);
        let problem = match (seen.since(model)?, held) {
            (Change::Moved, 0) | (Change::Unmoved, 1..) => return Ok(()),
            (Change::Unmoved, 0) => format!(
                "the model is the same as in the last draw, so the loop adds up gradients of several draws, and their \
                 groups would be weighed one by one. A Learner with `grads_accumulation(k)` needs a GroupedStep \
                 `with_accumulation(k)` of the same k, which is {calls} here, and `with_epoch` where k does not divide \
                 the batches of an epoch; a loop that does not apply every update needs one `with_still_model`"
            ),
            (Change::Moved, _) => format!(
                "the model has moved before batch {next} of the {calls} that make a draw; between these no optimizer may \
                 step, so `with_accumulation` of GroupedStep must be `grads_accumulation` of the Learner"
            ),
            (Change::Copied, _) => "the model is a copy of the one in the last call, on another device or thread, so \
                 the loop adds up gradients of several devices, whose groups would be weighed one by one. Use a \
                 Learner on one device; for another training with the same GroupedStep call `restart`"
                .to_owned(),
        };
        Err(TrainError::Accumulation { problem })
    }

    /// Holds the pass of one batch, with the labels of all its examples.
    fn hold(&mut self, passes: Vec<Pass>, labels: LabelSet<'_>) {
        let before: usize = self.held.iter().map(Pass::num_examples).sum();
        let examples = passes.iter().map(Pass::num_examples).sum();
        self.labels.extend(before, labels, examples);
        self.held.extend(passes);
    }

    /// What there is of a step before its last batch.
    fn waiting(&self) -> Result<Stepped, TrainError> {
        let pass = self.held.last().ok_or(gradual_grad::GradError::EmptyDraw)?;
        let present = finite("loss", pass.losses())?;
        let n = pass.num_examples();
        let mut losses = vec![0.0; n];
        for (at, loss) in pass.present().into_iter().zip(present) {
            losses[at] = loss;
        }
        for &(at, loss) in pass.absent() {
            losses[at] = loss;
        }
        Ok(Stepped {
            update: GradientsParams::new(),
            losses,
            coefficients: vec![0.0; n],
            groups: Groups::hard(vec![None; n], 1, Average::Mean, &pass.losses().device())?,
            left_out: pass.absent().iter().map(|(at, _)| *at).collect(),
        })
    }

    /// Shows the grouping its standing examples, if it wants them.
    fn show_standing<M: Module>(
        &mut self,
        model: &M,
        losses: &mut impl FnMut(&M, &B) -> Tensor<1>,
    ) -> Result<(), TrainError> {
        let Some(wish) = self.objective.wants() else {
            return Ok(());
        };
        let (objective, stepper) = (&mut self.objective, self.stepper);
        match (&mut self.source, wish) {
            // The grouping itself says what it lacks.
            (Source::None, _) => Ok(()),
            (Source::Fixed(_), Standing::Replace(examples)) => Err(TrainError::Standing {
                problem: format!(
                    "the grouping wants {examples} of them replaced by fresh ones, and `with_standing` gave fixed ones; \
                     give a way to draw them with `with_standing_from`"
                ),
            }),
            (Source::Fixed(examples), _) => {
                stepper.stand(model, objective, |m| losses(m, examples))
            }
            (Source::Drawn(draw), wish) => {
                // A grouping that refuses them wants the same again, of the same examples.
                let mut kept = self.kept.clone();
                if let Some(examples) = kept.make_room(wish) {
                    kept.add(examples, Arc::new(draw(examples)));
                }
                if kept.num_examples() == 0 {
                    return Err(TrainError::Standing {
                        problem: "the grouping wants those of before again, and this GroupedStep has drawn none; a \
                                  grouping that was restored needs the GroupedStep that drew them, or fixed ones"
                            .to_owned(),
                    });
                }
                let parts: Vec<&B> = kept.draws().iter().map(|(_, drawn)| &**drawn).collect();
                let sizes = (kept.dropped(), kept.num_examples());
                let leaves_out = stepper.leaves_out();
                let tracer = objective.tracer().clone();
                show(
                    model,
                    (objective, leaves_out),
                    &tracer,
                    &parts,
                    sizes,
                    losses,
                )?;
                self.kept = kept;
                Ok(())
            }
        }
    }
}
