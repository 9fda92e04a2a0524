//! Training a model of any task, whatever its types.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use burn::tensor::Device;
use gradual::group::OneGroup;
use gradual::loss::Mean;
use gradual::runs::streams::tell;
use gradual::train::{
    Capability, End, Ended, Interrupt, NotFinite, Objective, Phase, Progress, RunFolder, Snapshot,
    Task, Trainer, TrainerConfig,
};
use gradual_registry::Spec;
use gradual_report::{EventFile, Report};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::arm::Arm;
use crate::shown::Shown;

/// What one arm learns with one seed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting<'a> {
    /// With a complete recipe.
    pub(crate) arm: &'a Arm,
    pub(crate) seed: u64,
    pub(crate) steps: u64,
    pub(crate) draw: usize,
    pub(crate) evaluate_every: u64,
    pub(crate) device: &'a Device,
}

/// One run of one arm.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    pub(crate) setting: Setting<'a>,
    pub(crate) interrupt: &'a Interrupt,
    pub(crate) folder: RunFolder,
    /// What it resumes from.
    pub(crate) snapshot: Option<Snapshot>,
    pub(crate) progress: Progress,
    /// Whether its arm has no run before it.
    pub(crate) is_first: bool,
    /// Where its evaluations go for TensorBoard, if they do.
    pub(crate) events: Option<EventFile>,
}

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) end: End,
    pub(crate) step: u64,
}

impl<M> From<Ended<M>> for Finished {
    fn from(ended: Ended<M>) -> Self {
        Self {
            end: ended.end,
            step: ended.step,
        }
    }
}

/// A report.
#[derive(Debug)]
pub(crate) struct Written {
    /// Its page.
    pub(crate) page: PathBuf,
    /// What to print of it beside the path of the page.
    pub(crate) text: Option<String>,
}

/// A task for every seed, whatever its types.
pub(crate) trait AnyTask: Send + Sync {
    /// Everything that its numbers depend on, but for the seed.
    fn settings(&self) -> anyhow::Result<Value>;

    /// The capabilities, those of seed 0.
    fn capabilities(&self) -> anyhow::Result<Vec<Capability>>;

    /// Whether its examples are labelled with more than one group to tell apart: by name, not found.
    fn has_known_groups(&self) -> bool {
        true
    }

    /// What is unusual about it, a sentence each, for whoever starts its runs.
    fn notes(&self) -> &[String] {
        &[]
    }

    /// Whether claims are judged by losses in the place of accuracies, as where numbers are predicted.
    fn is_judged_by_loss(&self) -> bool {
        false
    }

    /// Whether its model comes in other sizes than the experiment's.
    fn has_sizes(&self) -> bool {
        false
    }

    /// The journals that its runs have beside the usual ones.
    fn journals(&self) -> &[&str] {
        &[]
    }

    /// The folder of which every file may be read as data.
    fn data_folder(&self) -> Option<&Path> {
        None
    }

    /// Takes the first step of a run and throws it away, to find out whether one can be taken.
    fn try_first_step(&self, setting: Setting<'_>) -> anyhow::Result<()>;

    /// Trains a model of it, and writes down what there is to be seen.
    fn train(&self, run: Run<'_>) -> anyhow::Result<Finished>;

    /// Writes the report of the runs in `folder`, unless it is interrupted.
    fn report(&self, folder: &Path, interrupt: &Interrupt) -> anyhow::Result<Written> {
        let interrupt = interrupt.clone();
        let report = Report::new([folder])
            .interrupted_by(move || interrupt.asked())
            .noting(|note| tell(format!("note: {note}")));
        Ok(Written {
            page: report.write()?,
            text: None,
        })
    }
}

/// A configuration, and how it becomes a task for a seed.
pub(crate) struct Configured<C, F> {
    config: C,
    make: F,
    /// The same with other sizes of the model, where it has some.
    resize: Option<fn(&C, &Spec) -> anyhow::Result<C>>,
}

impl<C, F> Configured<C, F> {
    pub(crate) fn new(config: C, make: F) -> Self {
        Self {
            config,
            make,
            resize: None,
        }
    }

    /// The same, whose model may have other sizes: settings of these names.
    pub(crate) fn with_sizes(self) -> Self
    where
        C: Serialize + DeserializeOwned,
    {
        Self {
            resize: Some(resized),
            ..self
        }
    }

    /// The task of this arm, whose model may have sizes of its own.
    fn task<T, E>(&self, setting: Setting<'_>) -> anyhow::Result<T>
    where
        F: Fn(&C, u64) -> Result<T, E>,
        E: Into<anyhow::Error>,
    {
        match self.of_sizes("size", &setting.arm.recipe.size, setting.seed)? {
            Some(task) => Ok(task),
            None => (self.make)(&self.config, setting.seed).map_err(Into::into),
        }
    }

    /// The task of the proxy of this arm, if it has one.
    fn proxy<T, E>(&self, setting: Setting<'_>) -> anyhow::Result<Option<T>>
    where
        F: Fn(&C, u64) -> Result<T, E>,
        E: Into<anyhow::Error>,
    {
        self.of_sizes("proxy", &setting.arm.recipe.proxy, setting.seed)
    }

    /// The task with a model of other sizes, where some are named as `what`.
    fn of_sizes<T, E>(
        &self,
        what: &str,
        sizes: &Option<Spec>,
        seed: u64,
    ) -> anyhow::Result<Option<T>>
    where
        F: Fn(&C, u64) -> Result<T, E>,
        E: Into<anyhow::Error>,
    {
        let Some(sizes) = sizes else {
            return Ok(None);
        };
        let resize = self.resize.with_context(|| no_sizes(what))?;
        let resized = resize(&self.config, sizes);
        let task = resized.and_then(|config| (self.make)(&config, seed).map_err(Into::into));
        task.with_context(|| format!("{what} = \"{sizes}\""))
            .map(Some)
    }
}

pub(crate) fn no_sizes(what: &str) -> String {
    format!(
        "{what}: this task has no model of another size; leave the {what} out ({what} = \"none\")"
    )
}

/// The settings of a model of another size.
fn resized<C: Serialize + DeserializeOwned>(config: &C, sizes: &Spec) -> anyhow::Result<C> {
    let mut settings = serde_json::to_value(config)?;
    for (name, size) in &sizes.parameters {
        let Some(setting) = settings.get_mut(name) else {
            bail!("the model of this task has no '{name}'");
        };
        *setting = serde_json::to_value(size)?;
    }
    Ok(serde_json::from_value(settings)?)
}

impl<C, F, T, E> AnyTask for Configured<C, F>
where
    C: serde::Serialize + Send + Sync,
    F: Fn(&C, u64) -> Result<T, E> + Send + Sync,
    T: Task,
    E: Into<anyhow::Error>,
{
    fn settings(&self) -> anyhow::Result<Value> {
        Ok(serde_json::to_value(&self.config)?)
    }

    fn capabilities(&self) -> anyhow::Result<Vec<Capability>> {
        let task = (self.make)(&self.config, 0).map_err(Into::into)?;
        Ok(task.capabilities().to_vec())
    }

    fn has_sizes(&self) -> bool {
        self.resize.is_some()
    }

    fn try_first_step(&self, setting: Setting<'_>) -> anyhow::Result<()> {
        let task = self.task(setting)?;
        first_step(&task, self.proxy(setting)?.as_ref(), setting)
    }

    fn train(&self, run: Run<'_>) -> anyhow::Result<Finished> {
        let task = self.task(run.setting)?;
        trained(&task, self.proxy(run.setting)?.as_ref(), run)
    }
}

/// Data that was read once for all runs, and how it becomes a task for a seed.
pub(crate) struct Opened<S, F> {
    settings: Value,
    capabilities: Vec<Capability>,
    pub(crate) notes: Vec<String>,
    pub(crate) data_folder: Option<PathBuf>,
    pub(crate) has_known_groups: bool,
    pub(crate) is_judged_by_loss: bool,
    /// The model's sizes, which an arm may have otherwise.
    sized: Configured<S, F>,
}

impl<S, F, T> Opened<S, F>
where
    S: Serialize + DeserializeOwned,
    F: Fn(&S, u64) -> anyhow::Result<T>,
    T: Task,
{
    /// What stands in a run folder: these settings, which say what was read and not where, since a file can be moved and
    /// another be put in its place; and the names of the capabilities. A task is made of the sizes of its model and a seed.
    pub(crate) fn new(mut settings: Value, sizes: S, make: F) -> anyhow::Result<Self> {
        let capabilities = make(&sizes, 0)?.capabilities().to_vec();
        let names = capabilities.iter().map(|capability| &capability.name);
        settings["capabilities"] = json!(names.collect::<Vec<_>>());
        Ok(Self {
            settings,
            capabilities,
            notes: Vec::new(),
            data_folder: None,
            has_known_groups: true,
            is_judged_by_loss: false,
            sized: Configured::new(sizes, make).with_sizes(),
        })
    }
}

impl<S, F, T> AnyTask for Opened<S, F>
where
    S: Serialize + Send + Sync,
    F: Fn(&S, u64) -> anyhow::Result<T> + Send + Sync,
    T: Task,
{
    fn settings(&self) -> anyhow::Result<Value> {
        Ok(self.settings.clone())
    }

    fn capabilities(&self) -> anyhow::Result<Vec<Capability>> {
        Ok(self.capabilities.clone())
    }

    fn has_known_groups(&self) -> bool {
        self.has_known_groups
    }

    fn is_judged_by_loss(&self) -> bool {
        self.is_judged_by_loss
    }

    fn notes(&self) -> &[String] {
        &self.notes
    }

    fn data_folder(&self) -> Option<&Path> {
        self.data_folder.as_deref()
    }

    fn has_sizes(&self) -> bool {
        self.sized.has_sizes()
    }

    fn try_first_step(&self, setting: Setting<'_>) -> anyhow::Result<()> {
        self.sized.try_first_step(setting)
    }

    fn train(&self, run: Run<'_>) -> anyhow::Result<Finished> {
        self.sized.train(run)
    }
}

fn first_step<T: Task>(task: &T, proxy: Option<&T>, setting: Setting<'_>) -> anyhow::Result<()> {
    Ok(trainer(task, proxy, setting)?.try_first_step()?)
}

/// Trains a model of it, with the task of its proxy, if it has one.
pub(crate) fn trained<T: Task>(
    task: &T,
    proxy: Option<&T>,
    run: Run<'_>,
) -> anyhow::Result<Finished> {
    let trainer = trainer(task, proxy, run.setting)?;
    Ok(written_down(trainer, run).run()?.into())
}

/// Number of groups that labels tell apart: all capabilities up to the last one that is trained.
pub(crate) fn num_groups(capabilities: &[Capability]) -> usize {
    let trained = capabilities
        .iter()
        .rposition(|capability| capability.frequency > 0.0);
    trained.map_or(capabilities.len(), |last| last + 1)
}

/// A trainer of this arm that nobody listens to, with the task of its proxy, if it has one.
pub(crate) fn trainer<'t, T: Task>(
    task: &'t T,
    proxy: Option<&'t T>,
    setting: Setting<'_>,
) -> anyhow::Result<Trainer<'t, T>> {
    let config = TrainerConfig {
        steps: setting.steps,
        draw: setting.draw,
        parts: 1,
        every: setting.evaluate_every,
        seed: setting.seed,
        not_finite: NotFinite::Stop,
        verify: true,
    };
    let capabilities = task.capabilities();
    let frequencies: Vec<f64> = capabilities
        .iter()
        .map(|capability| capability.frequency)
        .collect();
    let groups = num_groups(capabilities);
    let objective = (setting.arm).objective(groups, setting.seed)?;
    let recipe = &setting.arm.recipe;
    let optimizer = recipe.optimizer()?;
    let trainer = Trainer::new(task, objective, optimizer, setting.device, config.clone());
    let trainer = trainer
        .with_rate(recipe.learning_rate()?)
        .learning_only(&globs(&recipe.trained))
        .with_boxed_sampler(recipe.sampler(&frequencies, setting.steps)?);
    let trainer = match recipe.lens(groups, setting.seed)? {
        Some(lens) => trainer.with_lens(lens),
        None => trainer,
    };
    let trainer = match (&recipe.proxy, proxy) {
        (None, _) => trainer,
        (Some(_), None) => bail!(no_sizes("proxy")),
        (Some(_), Some(task)) => {
            let mean = Objective::new(OneGroup, Mean);
            let proxy = Trainer::new(task, mean, recipe.optimizer()?, setting.device, config);
            let sampler = recipe.sampler(&frequencies, setting.steps)?;
            let proxy = proxy.with_rate(recipe.learning_rate()?);
            trainer.with_proxy(proxy.with_boxed_sampler(sampler))
        }
    };
    let Some((after, then)) = recipe.second_phase(setting.steps) else {
        return Ok(trainer);
    };
    let objective = then.objective(groups, setting.seed);
    let objective = objective.context("its second phase (then)")?;
    let phase = Phase::new(objective, then.optimizer()?, then.learning_rate()?)
        .learning_only(&globs(&then.trained))
        .with_sampler(then.sampler(&frequencies, setting.steps - after)?);
    let phase = match then.lens(groups, setting.seed)? {
        Some(lens) => phase.with_lens(lens),
        None => phase,
    };
    Ok(trainer.then(after, phase))
}

fn globs(globs: &[String]) -> Vec<&str> {
    globs.iter().map(String::as_str).collect()
}

/// The trainer of a run: it goes on from where the run is, and writes down what there is to be seen.
pub(crate) fn written_down<'t, T: Task>(trainer: Trainer<'t, T>, run: Run<'_>) -> Trainer<'t, T> {
    trainer
        .interrupted_by(run.interrupt)
        .observe(run.folder)
        .observe(Shown {
            progress: run.progress,
            events: run.events,
            says_notes: run.is_first,
        })
        .resume(run.snapshot)
}
