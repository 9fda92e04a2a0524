//! A step of a run.

use super::builder::Trainer;
use super::config::NotFinite;
use super::run::Run;
use super::seen::Seen;
use crate::digests::fnv;
use crate::error::TrainError;
use crate::generator;
use crate::label_set::LabelSet;
use crate::observer::{Flow, SeenStep};
use crate::ranks::Point;
use crate::step::known::Known;
use crate::step::over_ranks::{OwnParts, step_over};
use crate::step::stepped::Stepped;
use crate::step::stepper::Stepper;
use crate::step::verified::verified;
use crate::task::{Drawn, Task};

impl<T: Task> Trainer<'_, T> {
    /// One step.
    pub(super) fn step(
        &mut self,
        model: T::Model,
        run: &mut Run<T::Batch>,
    ) -> Result<T::Model, TrainError> {
        let step = run.done + 1;
        let seed = self.config.seed.wrapping_add(step << 20);
        let device = self.device.clone();
        let rate = self.rate.step();
        let draws = *run.draws_from_device.get_or_insert_with(|| {
            // What nobody checks may draw.
            !self.config.verify || generator::is_drawn_from(&model)
        });
        // Over several ranks, which wait for each other in a step, what draws is refused.
        let alone = self.ranks.is_none();
        // Before the first draw has shown whether a loss draws, standing examples are seeded all the same.
        let seeds = alone && (draws || run.unverified);
        let wishes = self.objective.wants().is_some();
        let shown = generator::seeded(seeds, &device, seed, || {
            let looked = self.take_lens(&model, run);
            looked.and_then(|()| self.show_standing(&model, run))
        });
        let shown = match self.ranks {
            Some(ranks) if wishes => ranks.all_well(Point::Standing, shown),
            _ => shown,
        };
        if let Err(source) = shown {
            return self.skip(run, source).map(|()| model);
        }
        let prepared = self.prepare(&model, run);
        let (drawn, labels, more) = match (prepared, self.ranks) {
            (Err(error), Some(ranks)) => return Err(ranks.announce(Point::Losses, error)),
            (prepared, _) => prepared?,
        };
        let draws = alone && run.draws_from_device.unwrap_or(draws);
        // Anew, whatever a lens, standing examples or checks have drawn.
        let stepped = generator::seeded(draws, &device, seed, || {
            let all = LabelSet::new(&labels).with_more(&more);
            self.pass(&model, run, &drawn, all, seed)
        });
        run.seen.examples += labels.len() as u64;
        let stepped = match stepped {
            Ok(stepped) => stepped,
            Err(source) => {
                let source = self.named(run, &labels, source);
                return self.skip(run, source).map(|()| model);
            }
        };
        run.skipped_in_a_row = 0;
        let left_out = stepped.left_out.len();
        run.seen.left_out += left_out as u64;
        let (update, loss) = run.since.add(labels, stepped);
        let update = self.of_trained(&model, update)?;
        let model = self.optimizer.step(rate, model, update);
        self.stepped(run, loss, left_out)?;
        Ok(model)
    }

    /// The examples of a step with their labels, checked before the first step.
    fn prepare(
        &mut self,
        model: &T::Model,
        run: &mut Run<T::Batch>,
    ) -> Result<Prepared<T::Batch>, TrainError> {
        let wanted = self.sampler.next(
            run.done + 1 - self.before,
            self.config.draw,
            self.size(),
            &mut run.draws,
        )?;
        let before = run.unverified.then(|| (wanted.clone(), run.draws.clone()));
        let drawn = self.draw(wanted, self.config.parts, &mut run.draws)?;
        let (labels, more) = (labels(&drawn), more_labels(&drawn)?);
        if run.described.is_none() {
            let first = drawn.first();
            let words = first.and_then(|part| self.task.describe(&part.batch, 0));
            run.described = Some(words.is_some());
        }
        if let Some((wanted, random)) = before {
            // A loss may draw where no layer does, which the first draw shows.
            let checked = generator::alone(|| {
                let loss_draws = self.check_draw(model, wanted, random, &drawn)?;
                run.draws_from_device = Some(run.draws_from_device == Some(true) || loss_draws);
                self.verify(model, run, &drawn)
            });
            checked.map_err(|source| self.named(run, &labels, source))?;
        }
        Ok((drawn, labels, more))
    }

    /// The gradients of a draw.
    fn pass(
        &mut self,
        model: &T::Model,
        run: &mut Run<T::Batch>,
        drawn: &[Drawn<T::Batch>],
        labels: LabelSet<'_>,
        seed: u64,
    ) -> Result<Stepped, TrainError> {
        let losses = |m: &T::Model, part: &Drawn<T::Batch>| self.task.losses(m, &part.batch);
        let stepper = self.stepper();
        if let Some(ranks) = self.ranks {
            let own = OwnParts {
                parts: &drawn[ranks.share(drawn.len())?],
                digest: digest(labels, drawn),
            };
            return step_over(
                ranks,
                stepper,
                model,
                &mut self.objective,
                labels,
                own,
                losses,
            );
        }
        let seen = self.seen_through_lens(run, drawn)?;
        let (seen, groups) = match &seen {
            Seen::Nothing => (None, None),
            Seen::Draw(draw) => (Some(draw.as_ref()), None),
            Seen::Groups(groups) => (None, Some(groups.as_slice())),
        };
        if run.draws_from_device == Some(true) && (seen.is_some() || groups.is_some()) {
            self.device.seed(seed);
        }
        let known = Known {
            labels,
            seen,
            groups,
        };
        stepper.step_in_parts_known(model, &mut self.objective, known, drawn, losses)
    }

    /// Goes on without a step that failed for a number that is not finite, if it may.
    fn skip(&mut self, run: &mut Run<T::Batch>, source: TrainError) -> Result<(), TrainError> {
        let NotFinite::Skip { in_a_row } = self.config.not_finite else {
            return Err(source);
        };
        if !source.is_not_finite() || run.skipped_in_a_row >= in_a_row {
            return Err(source);
        }
        run.skipped += 1;
        run.skipped_in_a_row += 1;
        self.stepped(run, f64::NAN, 0)
    }

    /// Counts a step, one that was skipped too, and tells the observers.
    fn stepped(
        &mut self,
        run: &mut Run<T::Batch>,
        loss: f64,
        left_out: usize,
    ) -> Result<(), TrainError> {
        run.done += 1;
        let skipped = run.skipped_in_a_row > 0;
        let groups = run.since.groups().filter(|_| !skipped);
        let churn = groups.and_then(|groups| groups.churn().copied());
        let seen = SeenStep {
            step: run.done,
            steps: self.config.steps,
            loss,
            left_out,
            groups,
            regrouped: groups.is_some() && (!run.grouped || churn != run.churn),
        };
        for observer in &mut self.observers {
            if let Flow::Break(reason) = observer.stepped(&seen)? {
                run.stopped.get_or_insert(reason);
            }
        }
        if groups.is_some() {
            run.grouped = true;
            run.churn = churn;
        }
        Ok(())
    }

    fn stepper(&self) -> Stepper {
        match self.config.not_finite {
            NotFinite::LeaveOut => Stepper::default().leaving_out(),
            NotFinite::Stop | NotFinite::Skip { .. } => Stepper::default(),
        }
    }

    /// Checks the gradients on the first part of a draw whose losses are all finite.
    fn verify(
        &mut self,
        model: &T::Model,
        run: &mut Run<T::Batch>,
        drawn: &[Drawn<T::Batch>],
    ) -> Result<(), TrainError> {
        let Some(part) = drawn.first() else {
            return Ok(());
        };
        let losses = |m: &T::Model| self.task.losses(m, &part.batch);
        let left_out = self.config.not_finite == NotFinite::LeaveOut;
        let own = self.objective.verified_tracer();
        let lens = self.sight().filter(|_| !self.by_proxy);
        let lens = lens.map(|_| self.sight_tracer());
        let mut found = Vec::new();
        // A lens has the layers of the model, and the model has what a check needs. That of a proxy is checked by itself.
        for tracer in [Some(own), lens.as_ref().map(Some)].into_iter().flatten() {
            match verified(model, tracer, left_out, losses)? {
                Some(verified) => found.push(verified),
                None => return Ok(()),
            }
        }
        run.unverified = false;
        for observer in &mut self.observers {
            for verified in &found {
                observer.verified(verified)?;
            }
        }
        Ok(())
    }

    /// Names step, capability and last checkpoint of a failure.
    pub(super) fn named(
        &self,
        run: &Run<T::Batch>,
        labels: &[Option<usize>],
        source: TrainError,
    ) -> TrainError {
        let label = source
            .example()
            .and_then(|at| labels.get(at).copied().flatten());
        let capability = label.and_then(|label| self.task.capabilities().get(label));
        TrainError::Step {
            step: run.done + 1,
            capability: capability.map(|capability| capability.name.clone()),
            checkpoint: run.kept,
            source: Box::new(source),
        }
    }
}

/// The examples of a step in parts, their labels, and those of further labellings.
type Prepared<B> = (Vec<Drawn<B>>, Vec<Option<usize>>, Vec<Vec<Option<usize>>>);

/// Of what all ranks know of a draw.
fn digest<B>(labels: LabelSet<'_>, drawn: &[Drawn<B>]) -> u64 {
    let items = drawn.iter().flat_map(|part| {
        let items = part.items.iter().map(|&item| item as u64);
        std::iter::once(items.len() as u64).chain(items)
    });
    fnv(labels.codes().chain(items))
}

/// The labels of a draw in parts by further labellings.
fn more_labels<B>(drawn: &[Drawn<B>]) -> Result<Vec<Vec<Option<usize>>>, TrainError> {
    let mut all: Vec<Vec<Option<usize>>> = Vec::new();
    for (at, part) in drawn.iter().enumerate() {
        if at == 0 {
            all.resize(part.more_labels.len(), Vec::new());
        }
        let (expected, got) = (all.len(), part.more_labels.len());
        if expected != got {
            return Err(TrainError::Task {
                what: "further labellings of a part of a draw",
                expected,
                got,
            });
        }
        for (labels, more) in all.iter_mut().zip(&part.more_labels) {
            labels.extend(more);
        }
    }
    Ok(all)
}

/// The labels of a draw in parts.
fn labels<B>(drawn: &[Drawn<B>]) -> Vec<Option<usize>> {
    let each = drawn.iter().flat_map(|part| part.labels.iter().copied());
    each.collect()
}
