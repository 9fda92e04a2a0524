//! The [lens](crate::lens) of a run.

use std::collections::BTreeMap;
use std::sync::Arc;

use burn::optim::GradientsParams;
use gradual_grad::Tracer;
use gradual_group::{Draw, Grouping};

use super::builder::Trainer;
use super::config::NotFinite;
use super::run::Run;
use super::search::{LookPlace, Looked};
use crate::error::TrainError;
use crate::lens::matched::Matched;
use crate::lens::search::{LensSearch, Look};
use crate::lens::{Fitted, Frozen, LensState, When};
use crate::objective::Sight;
use crate::snapshot::Snapshot;
use crate::step::standing::trace_standing;
use crate::task::{Drawn, Task};

impl<T: Task> Trainer<'_, T> {
    /// Takes the snapshot when it is time, or another one in its place.
    pub(super) fn take_lens(
        &mut self,
        model: &T::Model,
        run: &mut Run<T::Batch>,
    ) -> Result<(), TrainError> {
        let Some(fitted) = self.lens.as_ref().filter(|_| !self.by_proxy) else {
            return Ok(());
        };
        let done = run.done - self.before;
        match &fitted.lens.when {
            When::After(after) if run.lens.is_none() && done >= *after => {
                self.hold_lens(None, model, run.done, run);
                self.open_lens(run)?;
            }
            When::Searched(search) if search.steps.contains(&done) => {
                let search = Arc::clone(search);
                self.search_lens(&search, model, run)?;
            }
            _ => {}
        }
        match (&run.lens, &self.lens) {
            (Some(held), Some(fitted)) if held.open && fitted.lens.is_old(run.done - held.step) => {
                let look = held.look.clone();
                self.renew_lens(look, model, run)
            }
            _ => Ok(()),
        }
    }

    /// Refuses a lens of this phase or the next that looks at parameters which the model has not: it may be taken only
    /// after many steps.
    pub(super) fn check_lenses(&self, model: &T::Model) -> Result<(), TrainError> {
        let next = self.then.as_ref().map(|(_, phase)| phase);
        let next = next.and_then(|phase| Some((phase.lens.as_ref()?, phase.objective.tracer())));
        let known = |fitted: &Fitted, tracer: &Tracer, model: &T::Model| {
            let globs: Vec<&str> = fitted.lens.globs().iter().map(String::as_str).collect();
            let tracer = tracer.clone().only(&globs);
            tracer.restrict(model, GradientsParams::new()).map(drop)
        };
        if let Some(fitted) = &self.lens {
            let tracer = self.objective.tracer();
            match &self.proxy {
                Some(proxy) => known(fitted, tracer, &proxy.fresh_model())?,
                None if self.by_proxy => {}
                None => known(fitted, tracer, model)?,
            }
        }
        Ok(next.map_or(Ok(()), |(fitted, tracer)| known(fitted, tracer, model))?)
    }

    /// Takes all looks, and makes the chosen one the lens if there is none that explains as much.
    fn search_lens(
        &mut self,
        search: &LensSearch,
        model: &T::Model,
        run: &mut Run<T::Batch>,
    ) -> Result<(), TrainError> {
        let fresh = self.fresh_model();
        let at = LookPlace {
            step: run.done,
            fresh: &fresh,
        };
        let Looked { record, better } = self.look_around(search, model, &at, run)?;
        let is_taken = better.is_some();
        let is_open = run.lens.as_ref().is_some_and(|held| held.open);
        let is_last = search.steps.last() == Some(&(run.done - self.before));
        let taken = match better {
            Some(look) if is_open => self.renew_lens(Some(look), model, run),
            better => {
                if let Some(look) = better {
                    self.hold_lens(Some(look), model, run.done, run);
                }
                match run.lens.is_some() && !is_open && (is_last || !search.waits) {
                    true => self.open_lens(run),
                    false => Ok(()),
                }
            }
        };
        self.tell_looks(record, is_taken && taken.is_ok())?;
        taken
    }

    /// Takes a snapshot, for the groups of later.
    pub(super) fn hold_lens(
        &mut self,
        look: Option<Look>,
        model: &T::Model,
        step: u64,
        run: &mut Run<T::Batch>,
    ) {
        let layers = self
            .lens
            .as_ref()
            .map(|fitted| fitted.layers(look.as_ref()));
        self.frozen = Some(Frozen::new(model, layers.unwrap_or_default()));
        run.lens = Some(LensState {
            step,
            look,
            open: false,
            matched: None,
            items: BTreeMap::new(),
        });
    }

    /// Groups examples by the snapshot that is held, from now on.
    pub(super) fn open_lens(&mut self, run: &mut Run<T::Batch>) -> Result<(), TrainError> {
        if let (Some(fitted), Some(held)) = (&self.lens, &mut run.lens) {
            self.objective.grouping = fitted.grouping(held.look.as_ref())?;
            self.objective.sight = Sight::Lens;
            held.open = true;
            run.unverified = self.config.verify;
        }
        Ok(())
    }

    /// Another snapshot, whose groups are matched with those of before by the new standing examples. Where these can't be
    /// grouped, the lens stays what it was.
    fn renew_lens(
        &mut self,
        look: Option<Look>,
        model: &T::Model,
        run: &mut Run<T::Batch>,
    ) -> Result<(), TrainError> {
        let Some(fitted) = &self.lens else {
            return Ok(());
        };
        let fresh = fitted.grouping(look.as_ref())?;
        let frozen = Frozen::new(model, fitted.layers(look.as_ref()));
        let before = Before {
            grouping: std::mem::replace(&mut self.objective.grouping, fresh),
            matched: self.objective.matched.take(),
            frozen: self.frozen.replace(frozen),
        };
        let standing = std::mem::take(&mut run.standing);
        let shown = self.show_standing(model, run);
        match shown.and_then(|()| self.matched(&before, run)) {
            Ok(matched) => {
                self.objective.matched.clone_from(&matched);
                // Perhaps of other layers than before.
                run.unverified = self.config.verify;
                run.lens = Some(LensState {
                    step: run.done,
                    look,
                    open: true,
                    matched,
                    items: BTreeMap::new(),
                });
                Ok(())
            }
            Err(error) => {
                self.objective.grouping = before.grouping;
                self.objective.matched = before.matched;
                self.frozen = before.frozen;
                run.standing = standing;
                Err(error)
            }
        }
    }

    /// What the groups are to those of `before`. None for soft groups, and without standing examples.
    fn matched(
        &self,
        before: &Before<T::Model>,
        run: &mut Run<T::Batch>,
    ) -> Result<Option<Matched>, TrainError> {
        let (Some(old), Some(now)) = (&before.frozen, &self.frozen) else {
            return Ok(None);
        };
        let draws = run.standing.draws().iter();
        let parts: Vec<&Drawn<T::Batch>> = draws.flat_map(|(_, drawn)| &drawn.1).collect();
        let sizes = (run.standing.dropped(), run.standing.num_examples());
        if sizes.1 == 0 {
            return Ok(None);
        }
        let leaves_out = self.config.not_finite == NotFinite::LeaveOut;
        let mut groups = |frozen: &Frozen<T::Model>, mut copy: Box<dyn Grouping>| {
            let (model, tracer) = (&frozen.model, frozen.tracer(self.objective.tracer()));
            let losses = |m: &T::Model, part: &Drawn<T::Batch>| self.task.losses(m, &part.batch);
            let (traced, _) = trace_standing(model, leaves_out, &tracer, &parts, sizes, losses)?;
            run.seen.lens += traced.gradients.num_examples() as u64;
            Ok::<_, TrainError>(copy.group(&Draw::from(&traced))?)
        };
        // Copies, as a grouping may learn of what it is shown.
        let was = groups(old, before.grouping.clone())?;
        let was = match &before.matched {
            Some(matched) => matched.mark(was),
            None => was,
        };
        let is = groups(now, self.objective.grouping.clone())?;
        let pair = (was.assignment(), is.assignment());
        Ok(match pair {
            (Some(was_in), Some(is_in)) => Some(Matched::new((was_in, was.identities()), is_in)),
            _ => None,
        })
    }

    /// The snapshot that the grouping looks at, if it looks at one.
    pub(super) fn sight(&self) -> Option<&Frozen<T::Model>> {
        let frozen = self.frozen.as_ref();
        frozen.filter(|_| self.objective.sight == Sight::Lens)
    }

    /// The options of the traces that the grouping sees the results of.
    pub(super) fn sight_tracer(&self) -> Tracer {
        let tracer = self.objective.tracer();
        self.sight()
            .map_or_else(|| tracer.clone(), |frozen| frozen.tracer(tracer))
    }

    /// Puts a lens where a snapshot of the run left it.
    pub(super) fn restore_lens(
        &mut self,
        snapshot: &Snapshot,
        held: Option<&LensState>,
    ) -> Result<(), TrainError> {
        let refused = |problem: &str| snapshot.refused_state("lens", &problem);
        let Some(held) = held else {
            return Ok(());
        };
        let Some(fitted) = &self.lens else {
            return Err(refused("it is of a run with a lens, and this one has none"));
        };
        let fresh = match &self.proxy {
            Some(proxy) => proxy.fresh_model(),
            None => self.fresh_model(),
        };
        let model = snapshot.lens(fresh)?;
        let model = model.ok_or_else(|| refused("the weights of the lens are missing"))?;
        let look = held.look.as_ref();
        self.frozen = Some(Frozen::new(&model, fitted.layers(look)));
        if held.open {
            self.objective.grouping = fitted.grouping(look)?;
            self.objective.sight = Sight::Lens;
        }
        self.objective.matched.clone_from(&held.matched);
        Ok(())
    }
}

/// A lens that another one takes the place of.
struct Before<M> {
    grouping: Box<dyn Grouping>,
    matched: Option<Matched>,
    frozen: Option<Frozen<M>>,
}
