//! What moves in a run, and how a step, an evaluation and a checkpoint move it.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Instant;

use burn::module::Module;
use gradual_group::{Churn, State};
use gradual_runs::{CapabilityRecord, Evaluation, SCHEMA};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::observer::{Flow, SeenStep};
use crate::parameters;
use crate::sampler::Wanted;
use crate::since::Since;
use crate::snapshot::{Moving, Seen, Snapshot, Standing};
use crate::standing::{Kept, show};
use crate::trainer::{NotFinite, Trainer};
use crate::verified::verified;
use crate::{Drawn, LabelSet, Score, Stepper, Task, TrainError};

/// Streams of random numbers: the model's weights, the draws, the standing examples.
const WEIGHTS: u64 = 0;
const DRAWS: u64 = 1;
const STANDING: u64 = 3;

/// Everything that moves but the model, the optimizer and the learning rate.
pub(crate) struct Run<B> {
    pub(crate) done: u64,
    pub(crate) skipped: u64,
    pub(crate) seen: Seen,
    /// Why an observer stopped the run.
    pub(crate) stopped: Option<String>,
    /// Step of the last checkpoint.
    pub(crate) kept: Option<u64>,
    skipped_in_a_row: u64,
    /// Whether the gradients are still to be checked.
    unverified: bool,
    /// Whether there were groups before, and what they said had changed.
    grouped: bool,
    churn: Option<Churn>,
    draws: ChaCha8Rng,
    standing_draws: ChaCha8Rng,
    /// Standing examples in parts, with the random numbers that they were drawn with.
    standing: Kept<Rc<(ChaCha8Rng, Vec<Drawn<B>>)>>,
    since: Since,
    mean_accuracy: Option<f64>,
    /// When the process came to the run, less the seconds that it had gone on before.
    started: Instant,
    seconds_before: f64,
}

impl<B> Run<B> {
    fn seconds(&self) -> f64 {
        self.seconds_before + self.started.elapsed().as_secs_f64()
    }
}

impl<T: Task> Trainer<'_, T> {
    /// The run at its start, or where the snapshot left it.
    pub(crate) fn begin(&mut self) -> Result<(T::Model, Run<T::Batch>), TrainError> {
        let stream = |stream| {
            let mut random = ChaCha8Rng::seed_from_u64(self.config.seed);
            random.set_stream(stream);
            random
        };
        let on = self.device.clone().autodiff();
        let model = self.task.model(&mut stream(WEIGHTS), &on);
        parameters::draw(&model);
        let run = Run {
            done: 0,
            skipped: 0,
            seen: Seen::default(),
            stopped: None,
            kept: None,
            skipped_in_a_row: 0,
            unverified: self.config.verify,
            grouped: false,
            churn: None,
            draws: stream(DRAWS),
            standing_draws: stream(STANDING),
            standing: Kept::default(),
            since: Since::new(self.task.capabilities().len()),
            mean_accuracy: None,
            started: Instant::now(),
            seconds_before: 0.0,
        };
        match self.from.take() {
            None => Ok((model, run)),
            Some(snapshot) => self.restore(model, run, &snapshot),
        }
    }

    fn restore(
        &mut self,
        model: T::Model,
        run: Run<T::Batch>,
        snapshot: &Snapshot,
    ) -> Result<(T::Model, Run<T::Batch>), TrainError> {
        let moving = snapshot.moving()?;
        let refused = |what, problem| TrainError::Snapshot { what, problem };
        if moving.step > self.config.steps {
            let problem = format!(
                "it is of step {}, and the run has {} steps",
                moving.step, self.config.steps
            );
            return Err(refused("steps", problem));
        }
        if moving.mass.len() != run.since.mass.len() {
            let problem = format!(
                "it is of {} capabilities, and the task has {}",
                moving.mass.len(),
                run.since.mass.len()
            );
            return Err(refused("capabilities", problem));
        }
        let held: Vec<&str> = moving
            .observers
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        let here: Vec<&str> = self
            .observers
            .iter()
            .map(|observer| observer.name())
            .collect();
        if held != here {
            let problem = format!(
                "it is of the observers {}, and there are {}",
                held.join(", "),
                here.join(", ")
            );
            return Err(refused("observers", problem));
        }
        let model = snapshot.model(model)?;
        self.optimizer = snapshot.optimizer(self.optimizer.clone())?;
        self.rate = snapshot.rate(self.rate.clone())?;
        self.objective.restore(&moving.objective, &self.device)?;
        self.sampler.restore(&moving.sampler)?;
        for (observer, (_, state)) in self.observers.iter_mut().zip(&moving.observers) {
            observer.restore(state)?;
        }
        let again = moving.standing.into_iter().map(|standing| {
            let Standing { random, examples } = standing;
            let drawn = self.draw_parts(Wanted::Any(examples), &mut random.clone())?;
            Ok((examples, Rc::new((random, drawn))))
        });
        let standing = again.collect::<Result<Vec<_>, TrainError>>()?;
        let run = Run {
            done: moving.step,
            skipped: moving.skipped,
            // Of snapshots from before they were counted, what can be told.
            seen: moving.seen.unwrap_or(Seen {
                examples: moving.step * self.config.draw as u64,
                ..Seen::default()
            }),
            stopped: moving.stopped,
            kept: Some(moving.step),
            skipped_in_a_row: moving.skipped_in_a_row,
            grouped: moving.grouped,
            churn: moving.churn,
            draws: moving.draws,
            standing_draws: moving.standing_draws,
            standing: Kept::new(standing, moving.dropped),
            since: Since::from(
                moving.losses,
                moving.examples,
                moving.mass,
                moving.other_mass,
            ),
            mean_accuracy: moving.mean_accuracy,
            seconds_before: moving.seconds,
            ..run
        };
        Ok((model, run))
    }

    /// One step.
    pub(crate) fn step(
        &mut self,
        model: T::Model,
        run: &mut Run<T::Batch>,
    ) -> Result<T::Model, TrainError> {
        let step = run.done + 1;
        let seed = self.config.seed.wrapping_add(step << 20);
        self.device.seed(seed);
        let rate = self.rate.step();
        if let Err(source) = self.show_standing(&model, run) {
            return self.skip(run, source).map(|()| model);
        }
        let wanted = self
            .sampler
            .next(step, self.config.draw, self.stock(), &mut run.draws)?;
        let drawn = self.draw(wanted, self.config.parts, &mut run.draws)?;
        let (labels, more) = (labels(&drawn), more_labels(&drawn)?);
        if run.unverified {
            self.verify(&model, run, &drawn)
                .map_err(|source| self.named(run, &labels, source))?;
            self.device.seed(seed);
        }
        let stepped = self.stepper().step_in_parts(
            &model,
            &mut self.objective,
            LabelSet::new(&labels).with_more(&more),
            &drawn,
            |m, part| self.task.losses(m, &part.batch),
        );
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
        let model = self.optimizer.step(rate, model, update);
        self.stepped(run, loss, left_out)?;
        Ok(model)
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
        let Some(verified) = verified(model, &self.objective, left_out, losses)? else {
            return Ok(());
        };
        run.unverified = false;
        for observer in &mut self.observers {
            observer.verified(&verified)?;
        }
        Ok(())
    }

    /// Shows the grouping its standing examples, if it wants them.
    fn show_standing(
        &mut self,
        model: &T::Model,
        run: &mut Run<T::Batch>,
    ) -> Result<(), TrainError> {
        let Some(wish) = self.objective.wants() else {
            return Ok(());
        };
        // What the grouping refuses is forgotten, so that it is given others in the next step.
        let mut standing = run.standing.clone();
        if let Some(examples) = standing.make_room(wish) {
            let random = run.standing_draws.clone();
            let drawn = self.draw_parts(Wanted::Any(examples), &mut run.standing_draws)?;
            standing.add(examples, Rc::new((random, drawn)));
            run.seen.standing += examples as u64;
        }
        let (dropped, expected) = (standing.dropped(), standing.examples());
        if expected == 0 {
            run.standing = standing;
            return Ok(());
        }
        let draws = standing.draws().iter();
        let parts: Vec<&Drawn<T::Batch>> = draws.flat_map(|(_, drawn)| &drawn.1).collect();
        let labels = parts.iter().flat_map(|part| part.labels.iter().copied());
        let labels: Vec<_> = labels.skip(dropped).collect();
        // All that are traced, those too that have made room for others.
        let traced: usize = parts.iter().map(|part| part.labels.len()).sum();
        run.seen.shown += traced as u64;
        let losses = |m: &T::Model, part: &Drawn<T::Batch>| self.task.losses(m, &part.batch);
        let (sizes, stepper) = ((dropped, expected), self.stepper());
        let left_out = show(model, (&mut self.objective, stepper), &parts, sizes, losses)
            .map_err(|source| self.named(run, &labels, source))?;
        run.seen.standing_left_out += left_out as u64;
        run.standing = standing;
        Ok(())
    }

    /// Draws in parts of about the size of those of a step.
    fn draw_parts(
        &self,
        wanted: Wanted,
        random: &mut ChaCha8Rng,
    ) -> Result<Vec<Drawn<T::Batch>>, TrainError> {
        let parts = match self.config.parts {
            1 => 1,
            parts => wanted.examples().div_ceil(self.config.draw.div_ceil(parts)),
        };
        self.draw(wanted, parts, random)
    }

    fn draw(
        &self,
        wanted: Wanted,
        parts: usize,
        random: &mut ChaCha8Rng,
    ) -> Result<Vec<Drawn<T::Batch>>, TrainError> {
        let draw = |wanted: Wanted| match wanted {
            Wanted::Any(n) => Ok(self.task.draw(n, random, &self.device)),
            Wanted::Of(each) => self.task.draw_of(&each, random, &self.device),
            Wanted::Items(items) => self.task.pick(&items, &self.device),
        };
        wanted.split(parts).into_iter().map(draw).collect()
    }

    /// Evaluates every capability and tells the observers.
    pub(crate) fn evaluate(
        &mut self,
        model: &T::Model,
        run: &mut Run<T::Batch>,
    ) -> Result<(), TrainError> {
        let scores = self.task.evaluate(&model.valid(), &self.device)?;
        let evaluation = self.evaluation(run, &scores)?;
        let seconds = run.seconds();
        let grouping = run.since.grouping(self.task, run.done);
        for observer in &mut self.observers {
            let mut told = Vec::new();
            if let Some(grouping) = &grouping {
                told.push(observer.grouped(grouping)?);
            }
            told.push(observer.evaluated(&evaluation, seconds)?);
            for flow in told {
                if let Flow::Break(reason) = flow {
                    run.stopped.get_or_insert(reason);
                }
            }
        }
        run.mean_accuracy = evaluation.mean_accuracy();
        run.since = Since::new(self.task.capabilities().len());
        Ok(())
    }

    fn evaluation(&self, run: &Run<T::Batch>, scores: &[Score]) -> Result<Evaluation, TrainError> {
        let capabilities = self.task.capabilities();
        let (expected, got) = (capabilities.len(), scores.len());
        if expected != got {
            return Err(TrainError::Task {
                what: "scores",
                expected,
                got,
            });
        }
        let drawn = self.sampler.frequencies(run.done.max(1), self.stock());
        let records: BTreeMap<String, CapabilityRecord> = capabilities
            .iter()
            .zip(scores)
            .enumerate()
            .map(|(at, (capability, score))| {
                let drawn = drawn.as_ref().and_then(|drawn| drawn.get(at).copied());
                let record = CapabilityRecord {
                    accuracy: score.accuracy,
                    loss: score.loss,
                    chance: capability.chance,
                    frequency: drawn.unwrap_or(capability.frequency),
                    probability: score.probability,
                    progress: score.progress,
                };
                (capability.name.clone(), record)
            })
            .collect();
        // Before the first step, and where all steps were skipped, there is no training loss: the held-out losses,
        // weighted by frequency, estimate the same number.
        let held_out = || {
            let records = records.values();
            records.map(|record| record.frequency * record.loss).sum()
        };
        Ok(Evaluation {
            schema: SCHEMA,
            step: run.done,
            examples: run.seen.examples,
            standing_examples: (run.seen.standing > 0).then_some(run.seen.standing),
            gradient_evaluations: (run.seen.shown > 0)
                .then_some(run.seen.examples + run.seen.shown),
            left_out: (run.seen.left_out > 0).then_some(run.seen.left_out),
            compute: None,
            train_loss: run.since.mean_loss().unwrap_or_else(held_out),
            capabilities: records,
        })
    }

    /// Gives the observers that keep checkpoints one, if it is time, or `anyway`.
    pub(crate) fn keep(
        &mut self,
        model: &T::Model,
        run: &mut Run<T::Batch>,
        anyway: bool,
    ) -> Result<(), TrainError> {
        let due = |every: u64| anyway || run.done.is_multiple_of(every.max(1));
        let mut every = self
            .observers
            .iter()
            .filter_map(|each| each.checkpoint_every());
        if run.kept == Some(run.done) || !every.any(due) {
            return Ok(());
        }
        let observers = self.observers.iter();
        let observers = observers.map(|each| Ok((each.name().to_owned(), each.state()?)));
        let moving = Moving {
            step: run.done,
            mean_accuracy: run.mean_accuracy,
            draws: run.draws.clone(),
            standing_draws: run.standing_draws.clone(),
            standing: run.standing.draws().iter().map(standing).collect(),
            dropped: run.standing.dropped(),
            losses: run.since.losses,
            examples: run.since.examples,
            mass: run.since.mass.clone(),
            other_mass: run.since.other_mass,
            seen: Some(run.seen),
            skipped: run.skipped,
            skipped_in_a_row: run.skipped_in_a_row,
            grouped: run.grouped,
            churn: run.churn,
            stopped: run.stopped.clone(),
            seconds: run.seconds(),
            objective: self.objective.state()?,
            sampler: self.sampler.state()?,
            observers: observers.collect::<Result<Vec<(String, State)>, TrainError>>()?,
        };
        let snapshot = Snapshot::take(model, &self.optimizer, &self.rate, &moving)?;
        for observer in &mut self.observers {
            observer.checkpoint(&snapshot)?;
        }
        run.kept = Some(run.done);
        Ok(())
    }

    /// Names step, capability and last checkpoint of a failure.
    fn named(
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

/// What a snapshot keeps of standing examples.
fn standing<D>((examples, drawn): &(usize, Rc<(ChaCha8Rng, D)>)) -> Standing {
    Standing {
        random: drawn.0.clone(),
        examples: *examples,
    }
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
