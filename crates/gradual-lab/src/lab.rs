//! A study of one's own.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use gradual::measure::{Claim, Direction, Metric};
use gradual::train::Task;
use serde::Serialize;

use crate::arm::{Arm, Library};
use crate::command::{self, Asked};
use crate::experiment::{Experiment, Size};
use crate::recipe::Usual;
use crate::training::{AnyTask, Configured};

/// A study: a task of one's own, arms that learn it, and claims about them.
///
/// It is put together like this, and [run](Self::run) by a program of one's own, or [with the flags](Self::main) that
/// `cargo xtask experiment` has. A run folder, resuming, progress, a report and verdicts come with it.
///
/// ```no_run
/// # use gradual_lab::Lab;
/// # fn study<T: gradual::train::Task + 'static>(make: fn(&u64, u64) -> Result<T, std::io::Error>) ->
/// anyhow::Result<()> {
/// let page = Lab::new("my-study")
///     .task(20u64, make)
///     .arms(["erm", "grouped"])
///     .layers(["hidden.weight"])
///     .steps(2_000)
///     .seeds(5)
///     .run()?;
/// println!("{}", page.display());
/// # Ok(())
/// # }
/// ```
pub struct Lab {
    name: String,
    title: Option<String>,
    hypothesis: String,
    baseline: Option<String>,
    reference: Option<String>,
    arms: Vec<String>,
    own: Vec<Arm>,
    claims: Vec<Claim>,
    size: Size,
    every: Option<u64>,
    usual: Usual,
    task: Option<Box<dyn AnyTask>>,
    out: PathBuf,
}

impl std::fmt::Debug for Lab {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lab")
            .field("name", &self.name)
            .field("arms", &self.arms)
            .finish_non_exhaustive()
    }
}

impl Lab {
    /// A study called `name`, which is that of its folder, with five seeds of 1 000 steps, 128 examples a step, at a
    /// learning rate of 1e-3.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            title: None,
            hypothesis: String::new(),
            baseline: None,
            reference: None,
            arms: Vec::new(),
            own: Vec::new(),
            claims: Vec::new(),
            size: Size {
                seeds: 5,
                first_seed: 0,
                steps: 1_000,
                draw: 128,
                evaluate_every: None,
            },
            every: None,
            usual: Usual {
                layers: Vec::new(),
                rate: 1e-3,
            },
            task: None,
            out: PathBuf::from("runs"),
        }
    }

    /// The task for each seed: `make(&config, seed)`. `config` is everything else that the task depends on; it stands
    /// in every run folder, so that a run is not resumed on another task.
    #[must_use]
    pub fn task<C, T, E>(
        self,
        config: C,
        make: impl Fn(&C, u64) -> Result<T, E> + Send + Sync + 'static,
    ) -> Self
    where
        C: Serialize + Send + Sync + 'static,
        T: Task + 'static,
        E: Into<anyhow::Error> + 'static,
    {
        Self {
            task: Some(Box::new(Configured::new(config, make))),
            ..self
        }
    }

    /// The title of its report.
    #[must_use]
    pub fn title(self, title: impl Into<String>) -> Self {
        Self {
            title: Some(title.into()),
            ..self
        }
    }

    /// What is tested, in a few sentences for the report.
    #[must_use]
    pub fn hypothesis(self, hypothesis: impl Into<String>) -> Self {
        Self {
            hypothesis: hypothesis.into(),
            ..self
        }
    }

    /// The arms that run, of those that every experiment has (`cargo xtask experiment --list` shows them); the first
    /// is the baseline unless [another](Self::baseline) is
    /// named.
    #[must_use]
    pub fn arms<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        self.arms.extend(names.into_iter().map(str::to_owned));
        self
    }

    /// One arm more, with a recipe or an objective of one's own.
    #[must_use]
    pub fn arm(mut self, arm: Arm) -> Self {
        self.arms.push(arm.name.clone());
        self.own.push(arm);
        self
    }

    /// The arm that others are compared with.
    #[must_use]
    pub fn baseline(self, name: impl Into<String>) -> Self {
        Self {
            baseline: Some(name.into()),
            ..self
        }
    }

    /// The arm whose effect is the whole: the report then says what share of it every other arm has
    /// ([`share`](gradual::measure::share())), such as groups that were found of what the known ones do.
    #[must_use]
    pub fn reference(self, name: impl Into<String>) -> Self {
        Self {
            reference: Some(name.into()),
            ..self
        }
    }

    /// One claim more: that `arm` has less (or more) of `metric` than the baseline, by the ratio `smallest_effect`. The
    /// report gives a verdict on it. State it before the runs.
    #[must_use]
    pub fn claim(
        self,
        arm: &str,
        metric: Metric,
        direction: Direction,
        smallest_effect: f64,
        statement: &str,
    ) -> Self {
        let source = format!("the study {}", self.name);
        self.claims([Claim {
            capability: None,
            statement: statement.to_owned(),
            source,
            arm: arm.to_owned(),
            against: None,
            metric,
            direction,
            smallest_effect,
        }])
    }

    /// Claims with sources of their own, such as a paper.
    #[must_use]
    pub fn claims(mut self, claims: impl IntoIterator<Item = Claim>) -> Self {
        self.claims.extend(claims);
        self
    }

    /// Globs of the parameters whose gradients found groups look at, such as `hidden.*`; all by default.
    #[must_use]
    pub fn layers<'a>(mut self, globs: impl IntoIterator<Item = &'a str>) -> Self {
        self.usual.layers = globs.into_iter().map(str::to_owned).collect();
        self
    }

    /// Learning rate.
    #[must_use]
    pub fn rate(mut self, rate: f64) -> Self {
        self.usual.rate = rate;
        self
    }

    /// Seeds per arm. Verdicts take five.
    #[must_use]
    pub fn seeds(mut self, seeds: u64) -> Self {
        self.size.seeds = seeds;
        self
    }

    /// The first seed, 0 by default; the others follow it. A claim that was made by looking at some seeds is tested on
    /// others.
    #[must_use]
    pub fn first_seed(mut self, seed: u64) -> Self {
        self.size.first_seed = seed;
        self
    }

    /// Optimizer steps per run.
    #[must_use]
    pub fn steps(mut self, steps: u64) -> Self {
        self.size.steps = steps;
        self
    }

    /// Examples per step.
    #[must_use]
    pub fn draw(mut self, examples: usize) -> Self {
        self.size.draw = examples;
        self
    }

    /// Steps between evaluations of all capabilities; a hundredth of a run by default.
    #[must_use]
    pub fn evaluate_every(self, steps: u64) -> Self {
        Self {
            every: Some(steps),
            ..self
        }
    }

    /// The folder in which that of the study is made; `runs` by default.
    #[must_use]
    pub fn out(self, folder: impl AsRef<Path>) -> Self {
        Self {
            out: folder.as_ref().to_owned(),
            ..self
        }
    }

    /// Runs whatever is not done yet, on the first backend that is compiled in, and writes the report, whose page is
    /// returned.
    ///
    /// # Errors
    ///
    /// For settings that make no sense, before anything runs; for runs that failed, after the others have ended; for a
    /// folder that holds other runs.
    pub fn run(self) -> anyhow::Result<PathBuf> {
        let asked = Asked::in_folder(&self.out);
        command::run(self.experiment()?, &asked).map(|written| written.page)
    }

    /// The same as a program: with `--seeds`, `--steps`, `--arms`, `--backend` and the other flags of
    /// `cargo xtask experiment`, and with messages and an exit code.
    pub fn main(self) -> ExitCode {
        let out = self.out.clone();
        command::main_of(&out, || self.experiment())
    }

    fn experiment(self) -> anyhow::Result<Experiment> {
        let mut size = self.size;
        for (what, value) in [
            ("seeds", size.seeds),
            ("steps", size.steps),
            ("draw", size.draw as u64),
            ("evaluate_every", self.every.unwrap_or(1)),
        ] {
            anyhow::ensure!(
                value > 0,
                "study {}: {what} = 0, but it is a whole number ≥ 1",
                self.name
            );
        }
        size.evaluate_every = self.every;
        let task = self.task.ok_or_else(|| {
            anyhow::anyhow!("study {} has no task: give one with Lab::task", self.name)
        })?;
        let Some(first) = self.arms.first() else {
            anyhow::bail!(
                "study {} has no arms: name some with Lab::arms, such as \"erm\" and \"grouped\"",
                self.name
            );
        };
        let experiment = Experiment {
            title: self.title.unwrap_or_else(|| self.name.clone()),
            hypothesis: self.hypothesis,
            baseline: self.baseline.unwrap_or_else(|| first.clone()),
            reference: self.reference,
            arms: self.arms,
            library: Library::shared()?,
            own: self.own,
            claims: self.claims,
            size,
            usual: self.usual,
            task,
            notes: Vec::new(),
            unclaimed: None,
            open: true,
            name: self.name,
        };
        experiment.check()?;
        Ok(experiment)
    }
}
