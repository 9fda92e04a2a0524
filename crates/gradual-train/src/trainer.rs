//! A thin loop around the step.

use burn::optim::ModuleOptimizer;
use burn::optim::lr_scheduler::module_lr_scheduler::ModuleLrScheduler;
use burn::tensor::Device;

use crate::observer::{End, Observer};
use crate::observers::{Selected, When};
use crate::run::Run;
use crate::sampler::{Sampler, Stock};
use crate::samplers::TaskMixture;
use crate::{Interrupt, Objective, Snapshot, Task, TrainError, evaluation_steps};

/// How long a run is, and what its steps are made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrainerConfig {
    /// Number of steps.
    pub steps: u64,
    /// Examples per step.
    pub draw: usize,
    /// Forward and backward passes that a draw is split into: see
    /// [`step_in_parts`](crate::step_in_parts).
    pub parts: usize,
    /// Steps between evaluations; see [`evaluation_steps`].
    pub every: u64,
    /// Seed of weights and draws.
    pub seed: u64,
    /// What to do about a step that has numbers that are none.
    pub not_finite: NotFinite,
    /// Whether the first step, of a resumed run too, is preceded by [`verify`](gradual_grad::verify()) on its draw, where
    /// the objective takes per-example gradients. It costs less than four steps and moves nothing. Without it, examples
    /// that are coupled (batch norm, in-batch losses) and layers whose tap is not their forward pass go unnoticed.
    pub verify: bool,
}

/// 1 000 steps of 128 examples in one part, evaluated every 50.
impl Default for TrainerConfig {
    fn default() -> Self {
        Self {
            steps: 1_000,
            draw: 128,
            parts: 1,
            every: 50,
            seed: 0,
            not_finite: NotFinite::Stop,
            verify: true,
        }
    }
}

/// What to do when a loss, a coefficient or a gradient is NaN or infinite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NotFinite {
    /// End the run with an error that names the step, the capability and the example.
    #[default]
    Stop,
    /// Leave the step out, and count it; but end the run when so many follow each other. A step is left out, too, when a
    /// standing example of a grouping has such a loss: of a grouping that wanted fresh ones others are drawn in the next
    /// step; one that wants the same again gets the same.
    Skip {
        /// Steps in a row that may be left out.
        in_a_row: u64,
    },
    /// Leave out the examples whose loss is NaN or infinite, and count them; the step is that of the others. A standing
    /// example without a loss is replaced by the nearest one before it that has a loss. A coefficient or gradient that is
    /// not finite, or a draw without any loss, ends the run. See
    /// [`Stepper::leaving_out`](crate::Stepper::leaving_out).
    LeaveOut,
}

/// Shown the model of a run: the number of steps done, and the model as it is then.
pub type Watch<'a, M> = dyn FnMut(u64, &M) -> Result<(), TrainError> + 'a;

/// A run that came to an end.
#[derive(Debug)]
pub struct Ended<M> {
    /// The model, with autodiff.
    pub model: M,
    /// How it ended.
    pub end: End,
    /// Steps done.
    pub step: u64,
    /// Steps that were left out because of numbers that are none.
    pub skipped: u64,
    /// Examples that were left out because they had no loss.
    pub left_out: u64,
    /// How often another standing example stood for one that had no loss when it was shown.
    pub standing_left_out: u64,
}

/// Draws, steps, evaluates, tells the observers.
///
/// All randomness comes from the seed, in streams of their own: one for the model's weights, one for
/// the draws, one for the standing examples of a grouping. So arms with the same seed start from the
/// same weights and see the same examples. Layers that are random themselves (dropout) draw from the
/// device, which is seeded anew before every step; that makes them repeatable as long as nothing else
/// draws from the same device.
pub struct Trainer<'a, T: Task> {
    pub(crate) task: &'a T,
    pub(crate) objective: Objective,
    pub(crate) optimizer: ModuleOptimizer,
    pub(crate) device: Device,
    pub(crate) config: TrainerConfig,
    pub(crate) rate: ModuleLrScheduler,
    pub(crate) sampler: Box<dyn Sampler + 'a>,
    pub(crate) observers: Vec<Box<dyn Observer + 'a>>,
    pub(crate) watch: Option<Box<Watch<'a, T::Model>>>,
    pub(crate) interrupt: Interrupt,
    pub(crate) from: Option<Snapshot>,
}

impl<T: Task> std::fmt::Debug for Trainer<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Trainer")
            .field("config", &self.config)
            .field("objective", &self.objective)
            .finish_non_exhaustive()
    }
}

impl<'a, T: Task> Trainer<'a, T> {
    /// Trains a model of `task` under `objective`, on `device`, at a learning rate of 1e-3.
    pub fn new(
        task: &'a T,
        objective: Objective,
        optimizer: ModuleOptimizer,
        device: &Device,
        config: TrainerConfig,
    ) -> Self {
        Self {
            task,
            objective,
            optimizer,
            device: device.clone().inner(),
            config,
            rate: ModuleLrScheduler::new(1e-3),
            sampler: Box::new(TaskMixture),
            observers: Vec::new(),
            watch: None,
            interrupt: Interrupt::default(),
            from: None,
        }
    }

    /// A constant learning rate.
    #[must_use]
    pub fn with_rate(self, rate: f64) -> Self {
        self.with_schedule(ModuleLrScheduler::new(rate))
    }

    /// Any of Burn's learning-rate schedules, for all parameters or by groups of them.
    #[must_use]
    pub fn with_schedule(self, rate: ModuleLrScheduler) -> Self {
        Self { rate, ..self }
    }

    /// Another choice of examples than the task's own distribution.
    #[must_use]
    pub fn with_sampler(self, sampler: impl Sampler + 'a) -> Self {
        self.with_boxed_sampler(Box::new(sampler))
    }

    /// The same for a sampler that was chosen at run time.
    #[must_use]
    pub fn with_boxed_sampler(self, sampler: Box<dyn Sampler + 'a>) -> Self {
        Self { sampler, ..self }
    }

    /// Another observer, told of everything, after those before it.
    #[must_use]
    pub fn observe(mut self, observer: impl Observer + 'a) -> Self {
        self.observers.push(Box::new(observer));
        self
    }

    /// Another observer, told of some events only.
    #[must_use]
    pub fn observe_when(self, when: When, observer: impl Observer + 'a) -> Self {
        self.observe(Selected::new(observer, when))
    }

    /// Shows `watch` the model before the first step and after each, with the number of steps done. It
    /// has autodiff, so that it can be traced; looking changes nothing.
    #[must_use]
    pub fn watch(self, watch: impl FnMut(u64, &T::Model) -> Result<(), TrainError> + 'a) -> Self {
        Self {
            watch: Some(Box::new(watch)),
            ..self
        }
    }

    /// Stops when somebody asks for it.
    #[must_use]
    pub fn interrupted_by(self, interrupt: &Interrupt) -> Self {
        Self {
            interrupt: interrupt.clone(),
            ..self
        }
    }

    /// Goes on from a snapshot of the same run, with the same settings and the same observers in the
    /// same order: to the same numbers, bit for bit, on backends whose arithmetic repeats.
    #[must_use]
    pub fn resume(self, from: Option<Snapshot>) -> Self {
        Self { from, ..self }
    }

    /// Trains to the end.
    ///
    /// # Errors
    ///
    /// [`TrainError::Setting`] for zero steps or an empty draw; [`TrainError::Group`] for more groups than a draw has
    /// examples, before the first step; [`TrainError::Sampler`] when the
    /// sampler does not go with the task; [`TrainError::Snapshot`] when the snapshot is of another run;
    /// [`TrainError::Step`] naming step, capability and last checkpoint when a step fails; whatever an
    /// observer returns.
    pub fn run(mut self) -> Result<Ended<T::Model>, TrainError> {
        self.check()?;
        let grid = evaluation_steps(self.config.steps, self.config.every);
        let (mut model, mut run) = self.begin()?;
        if run.kept.is_none() {
            self.look(&model, &mut run, true)?;
        }
        let end = loop {
            if let Some(reason) = &run.stopped {
                break End::Stopped(reason.clone());
            }
            if run.done == self.config.steps {
                break End::Completed;
            }
            if self.interrupt.asked() {
                break End::Interrupted;
            }
            model = self.step(model, &mut run)?;
            let on_grid = grid.binary_search(&run.done).is_ok();
            self.look(&model, &mut run, on_grid)?;
        };
        self.keep(&model, &mut run, true)?;
        for observer in &mut self.observers {
            observer.ended(&end)?;
        }
        Ok(Ended {
            model,
            end,
            step: run.done,
            skipped: run.skipped,
            left_out: run.seen.left_out,
            standing_left_out: run.seen.standing_left_out,
        })
    }

    /// What happens between two steps.
    fn look(
        &mut self,
        model: &T::Model,
        run: &mut Run<T::Batch>,
        evaluate: bool,
    ) -> Result<(), TrainError> {
        if evaluate {
            self.evaluate(model, run)?;
        }
        if let Some(watch) = &mut self.watch {
            watch(run.done, model)?;
        }
        self.keep(model, run, false)
    }

    fn check(&self) -> Result<(), TrainError> {
        let at_least_one = |name, got| match got {
            0 => Err(TrainError::Setting {
                name,
                least: 1,
                got,
            }),
            _ => Ok(()),
        };
        at_least_one("steps", self.config.steps)?;
        at_least_one("draw", self.config.draw as u64)?;
        at_least_one("parts", self.config.parts as u64)?;
        self.objective.check(self.config.draw)?;
        self.sampler.check(self.stock())
    }

    /// The task as the sampler sees it.
    pub(crate) fn stock(&self) -> Stock {
        Stock {
            capabilities: self.task.capabilities().len(),
            items: self.task.items(),
        }
    }
}
