//! What a run is made of.

use burn::optim::ModuleOptimizer;
use burn::optim::lr_scheduler::module_lr_scheduler::ModuleLrScheduler;
use burn::tensor::Device;

use super::config::TrainerConfig;
use super::phase::Phase;
use crate::error::TrainError;
use crate::interrupt::Interrupt;
use crate::lens::{Fitted, Frozen, Lens};
use crate::objective::Objective;
use crate::observer::Observer;
use crate::observers::{Selected, When};
use crate::ranks::Ranks;
use crate::samplers::sampler::{Sampler, TaskSize};
use crate::samplers::task_mixture::TaskMixture;
use crate::snapshot::Snapshot;
use crate::task::Task;

/// Shown the model of a run: the number of steps done, and the model as it is then.
pub type Watch<'a, M> = dyn FnMut(u64, &M) -> Result<(), TrainError> + 'a;

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
    /// The second phase, until it has begun, and after how many steps that is.
    pub(crate) then: Option<(u64, Phase<'a>)>,
    /// Globs of the parameters that learn; all where there are none.
    pub(crate) trained: Vec<String>,
    /// Steps before the phase that goes on: samplers count from there.
    pub(crate) before: u64,
    pub(crate) lens: Option<Fitted>,
    /// The snapshot that the lens is, once it was taken.
    pub(crate) frozen: Option<Frozen<T::Model>>,
    /// What trains the model of the lens, until it has.
    pub(crate) proxy: Option<Box<Self>>,
    /// Whether the lens is a snapshot of the proxy's model.
    pub(crate) by_proxy: bool,
    /// This rank, of a run over several.
    pub(crate) ranks: Option<&'a Ranks>,
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
            then: None,
            trained: Vec::new(),
            before: 0,
            lens: None,
            frozen: None,
            proxy: None,
            by_proxy: false,
            ranks: None,
        }
    }

    /// Groups are those that the grouping finds under a [lens](crate::lens), a frozen snapshot of the model.
    #[must_use]
    pub fn with_lens(mut self, lens: Lens) -> Self {
        self.lens = Some(Fitted::new(lens, &mut self.objective));
        self
    }

    /// The lens is a snapshot of *another* model, which `proxy` trains before the run begins: a smaller one, whose groups
    /// serve a large one (as the proxy of DoReMi, arXiv 2305.10429, whose weights serve one). The steps of the lens are those of
    /// the proxy, which trains to the last of them, whatever its own number of steps is. A search takes all of its looks and
    /// keeps the one that explains most, and the run groups from its first step on.
    ///
    /// The models may have any sizes and layers. The losses of this trainer's task are taken of both, on its own draws, so they
    /// have to go with both. What looks at layers, such as the metric, looks at those of the proxy.
    /// [`gradient_evaluations`](gradual_runs::Evaluation::gradient_evaluations) counts the proxy's examples. A run that is
    /// stopped while the proxy learns begins anew.
    ///
    /// ```
    /// # use gradual_train::{Lens, Task, Trainer};
    /// # fn proxied<'a, T: Task>(large: Trainer<'a, T>, small: Trainer<'a, T>) -> Trainer<'a, T> {
    /// // Groups of a small model after 200 steps.
    /// large.with_lens(Lens::after(200)).with_proxy(small)
    /// # }
    /// ```
    #[must_use]
    pub fn with_proxy(self, proxy: Self) -> Self {
        Self {
            proxy: Some(Box::new(proxy)),
            by_proxy: true,
            ..self
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

    /// Stops when the interrupt is raised.
    #[must_use]
    pub fn interrupted_by(self, interrupt: &Interrupt) -> Self {
        Self {
            interrupt: interrupt.clone(),
            ..self
        }
    }

    /// Only the parameters that match one of these globs learn, such as `read_out.*`; the others stay what they are. All learn
    /// where there are none. Gradients of the others are still there for a grouping to look at.
    #[must_use]
    pub fn learning_only(self, globs: &[&str]) -> Self {
        Self {
            trained: globs.iter().map(|&glob| glob.to_owned()).collect(),
            ..self
        }
    }

    /// After so many steps, the model goes on to learn in another way. Evaluations of this second phase tell
    /// [how far the weights have moved](gradual_runs::Evaluation::moved) since its start.
    #[must_use]
    pub fn then(self, after: u64, phase: Phase<'a>) -> Self {
        Self {
            then: Some((after, phase)),
            ..self
        }
    }

    /// Takes the steps together with the other [ranks](crate::ranks): each traces some of the
    /// [parts](TrainerConfig::parts) of every draw, of which there must be as many as ranks at least. The same trainer
    /// is run on every rank. With the same number of parts, a run is the same on any number of ranks, to rounding, and
    /// on the same number of ranks to the bit.
    ///
    /// Rank 0 evaluates, and its observers are told; those of other ranks never are. It goes on from a
    /// [snapshot](Self::resume) on behalf of all. A run ends on all ranks after the same step, also when any of them is
    /// interrupted or fails. What is [watched](Self::watch) is shown on every rank.
    #[must_use]
    pub fn with_ranks(self, ranks: &'a Ranks) -> Self {
        Self {
            ranks: Some(ranks),
            ..self
        }
    }

    /// Goes on from a snapshot of the same run, with the same settings and the same observers in the
    /// same order: to the same numbers, bit for bit, on backends whose arithmetic repeats.
    #[must_use]
    pub fn resume(self, from: Option<Snapshot>) -> Self {
        Self { from, ..self }
    }

    /// The task as the sampler sees it.
    pub(crate) fn size(&self) -> TaskSize {
        TaskSize {
            num_capabilities: self.task.capabilities().len(),
            num_items: self.task.items(),
        }
    }
}
