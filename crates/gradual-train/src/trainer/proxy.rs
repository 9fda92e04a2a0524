//! Another model whose snapshot is the [lens](crate::lens) of a run.

use std::sync::Arc;

use super::builder::Trainer;
use super::config::NotFinite;
use super::run::Run;
use super::search::{LookPlace, Looked};
use crate::error::TrainError;
use crate::lens::When;
use crate::lens::search::LensSearch;
use crate::observer::End;
use crate::step::verified::verified;
use crate::task::Task;

impl<T: Task> Trainer<'_, T> {
    /// Refuses a proxy that nothing is seen through, and one that can't be trained.
    pub(super) fn check_proxy(&self) -> Result<(), TrainError> {
        let refused = |problem| Err(TrainError::Proxy { problem });
        let Some(proxy) = &self.proxy else {
            return Ok(());
        };
        match &self.lens {
            None => {
                return refused(
                    "there is no lens that it could be; give one by Trainer::with_lens",
                );
            }
            Some(fitted) if fitted.lens.every.is_some() => {
                return refused(
                    "it learns before the run begins, so its lens can't be renewed; leave Lens::renewed_every out",
                );
            }
            Some(_) => {}
        }
        if proxy.lens.is_some() {
            return refused("it has a lens of its own; let it learn without one");
        }
        proxy.check()
    }

    /// Trains the proxy, and opens the lens. Nothing is opened where the run is interrupted: it begins anew then.
    pub(super) fn learn_proxy(&mut self, run: &mut Run<T::Batch>) -> Result<(), TrainError> {
        let due = run.done == 0 && run.lens.is_none();
        let Some(mut proxy) = self.proxy.take().filter(|_| due) else {
            return Ok(());
        };
        let (last, search) = self.proxy_steps();
        let mut all = Vec::new();
        let (draw, fresh) = (proxy.config.draw as u64, proxy.fresh_model());
        (proxy.config.steps, proxy.config.every) = (last.max(1), last.max(1));
        proxy.interrupt = self.interrupt.clone();
        let mut see = |done: u64, model: &T::Model| -> Result<(), TrainError> {
            match &search {
                None if done == last => self.hold_lens(None, model, done, run),
                Some(search) if search.steps.contains(&done) => {
                    let at = LookPlace {
                        step: done,
                        fresh: &fresh,
                    };
                    let Looked { record, better } = self.look_around(search, model, &at, run)?;
                    all.push((record, better.is_some()));
                    if let Some(look) = better {
                        self.hold_lens(Some(look), model, done, run);
                    }
                }
                _ => {}
            }
            match done == last {
                true => self.verify_proxy(model),
                false => Ok(()),
            }
        };
        let (end, examples) = match last {
            0 => (see(0, &fresh).map(|()| End::Completed)?, 0),
            _ => {
                let ended = proxy.watch(see).run()?;
                (ended.end, ended.step * draw)
            }
        };
        if end == End::Interrupted {
            (run.lens, self.frozen) = (None, None);
            return Ok(());
        }
        run.seen.lens += examples;
        for (record, taken) in all {
            self.tell_looks(record, taken)?;
        }
        match run.lens {
            Some(_) => self.open_lens(run),
            None => Ok(()),
        }
    }

    /// Whether the proxy can take a step, without waiting for more. One that takes none is the lens at once.
    pub(super) fn try_proxy(&mut self, run: &mut Run<T::Batch>) -> Result<(), TrainError> {
        if self.proxy_steps().0 == 0 {
            return self.learn_proxy(run);
        }
        let proxy = self.proxy.take();
        proxy.map_or(Ok(()), |proxy| proxy.try_first_step())
    }

    /// How many steps it takes, and what search looks at it.
    fn proxy_steps(&self) -> (u64, Option<Arc<LensSearch>>) {
        match self.lens.as_ref().map(|fitted| &fitted.lens.when) {
            Some(When::Searched(search)) => {
                let last = search.steps.last().copied();
                (last.unwrap_or_default(), Some(Arc::clone(search)))
            }
            Some(When::After(after)) => (*after, None),
            None => (0, None),
        }
    }

    /// Checks the gradients of the proxy that groups are found in, if gradients are to be checked.
    fn verify_proxy(&mut self, model: &T::Model) -> Result<(), TrainError> {
        let Some(frozen) = self.frozen.as_ref().filter(|_| self.config.verify) else {
            return Ok(());
        };
        let tracer = frozen.tracer(self.objective.tracer());
        let part = self.config.draw.div_ceil(self.config.parts);
        let drawn = self.task.draw(part, &mut self.sets_of(0), &self.device)?;
        let losses = |m: &T::Model| self.task.losses(m, &drawn.batch);
        let leaves_out = self.config.not_finite == NotFinite::LeaveOut;
        if let Some(found) = verified(model, Some(&tracer), leaves_out, losses)? {
            for observer in &mut self.observers {
                observer.verified(&found)?;
            }
        }
        Ok(())
    }
}
