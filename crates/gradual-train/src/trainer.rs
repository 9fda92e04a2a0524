//! A thin loop around the step.

use std::collections::BTreeMap;
use std::time::Instant;

use burn::module::Module;
use burn::optim::ModuleOptimizer;
use burn::tensor::Device;
use gradual_group::{Groups, Standing, adjusted_rand};
use gradual_measure::{CapabilityRecord, ChurnRecord, Evaluation, Grouping, SCHEMA};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::{Objective, Observer, Score, Stepped, Task, TrainError, evaluation_steps, stand, step};

/// Singular values written per evaluation.
const SPECTRUM: usize = 64;

/// Draws, steps, evaluates, tells the observers.
///
/// All randomness comes from `seed`, in streams of their own: one for the model's weights, one for
/// the draws, one for the standing examples of a grouping. So arms with the same seed start from the
/// same weights and see the same examples.
#[derive(Debug, Clone)]
pub struct Trainer {
    /// Number of steps.
    pub steps: u64,
    /// Examples per step.
    pub draw: usize,
    /// Learning rate.
    pub rate: f64,
    /// Steps between evaluations; see [`evaluation_steps`].
    pub every: u64,
    /// Seed of weights and draws.
    pub seed: u64,
}

/// Shown the model of a run: the number of steps done, and the model as it is then.
pub type Watch<'a, M> = dyn FnMut(u64, &M) -> Result<(), TrainError> + 'a;

impl Trainer {
    /// Trains a fresh model of `task` on `device` and returns it.
    ///
    /// # Errors
    ///
    /// [`TrainError::Setting`] for zero steps or an empty draw; [`TrainError::Step`] naming step
    /// and capability when a step fails; whatever an observer returns.
    pub fn run<T: Task>(
        &self,
        task: &T,
        objective: &mut Objective,
        optimizer: ModuleOptimizer,
        device: &Device,
        observers: &mut [&mut dyn Observer],
    ) -> Result<T::Model, TrainError> {
        let mut nothing = |_: u64, _: &T::Model| Ok(());
        self.run_watched(task, objective, optimizer, device, observers, &mut nothing)
    }

    /// [`run`](Self::run), and shows `watch` the model before every step and after the last, with
    /// the number of steps done. It has autodiff, so that it can be traced; looking changes nothing.
    ///
    /// # Errors
    ///
    /// Those of [`run`](Self::run), and whatever `watch` returns.
    pub fn run_watched<T: Task>(
        &self,
        task: &T,
        objective: &mut Objective,
        mut optimizer: ModuleOptimizer,
        device: &Device,
        observers: &mut [&mut dyn Observer],
        watch: &mut Watch<'_, T::Model>,
    ) -> Result<T::Model, TrainError> {
        let at_least_one = |name, got| match got {
            0 => Err(TrainError::Setting {
                name,
                least: 1,
                got,
            }),
            _ => Ok(()),
        };
        at_least_one("steps", self.steps)?;
        at_least_one("draw", self.draw as u64)?;

        let started = Instant::now();
        let device = &device.clone().inner();
        let [mut weights, mut draws, mut standing_draws] = [0, 1, 3].map(|stream| {
            let mut random = ChaCha8Rng::seed_from_u64(self.seed);
            random.set_stream(stream);
            random
        });
        let mut model = task.model(&mut weights, &device.clone().autodiff());
        let mut since = Since::new(task.capabilities().len());
        let mut standing = None;
        let mut grid = evaluation_steps(self.steps, self.every)
            .into_iter()
            .peekable();

        for done in 0..=self.steps {
            if grid.next_if_eq(&done).is_some() {
                let scores = task.evaluate(&model.valid(), device)?;
                let evaluation = self.evaluation(task, done, &scores, &since)?;
                let seconds = started.elapsed().as_secs_f64();
                for observer in observers.iter_mut() {
                    if let Some(grouping) = since.grouping(task, done) {
                        observer.grouped(&grouping)?;
                    }
                    observer.evaluated(&evaluation, seconds)?;
                }
                since = Since::new(task.capabilities().len());
            }
            watch(done, &model)?;
            if done == self.steps {
                break;
            }
            let wanted = objective.wants();
            if let Some(Standing::Fresh(examples)) = wanted {
                standing = Some(task.draw(examples, &mut standing_draws, device));
            }
            if let (Some(_), Some(shown)) = (wanted, &standing) {
                stand(&model, objective, |m| task.losses(m, &shown.batch))
                    .map_err(|source| named(task, done + 1, &shown.labels, source))?;
            }
            let drawn = task.draw(self.draw, &mut draws, device);
            let labels = drawn.labels;
            let stepped = step(&model, objective, Some(&labels), |m| {
                task.losses(m, &drawn.batch)
            })
            .map_err(|source| named(task, done + 1, &labels, source))?;
            since.add(&labels, &stepped);
            model = optimizer.step(self.rate, model, stepped.update);
            since.groups = Some((stepped.groups, labels));
            for observer in observers.iter_mut() {
                observer.stepped(done + 1, self.steps)?;
            }
        }
        Ok(model)
    }

    fn evaluation<T: Task>(
        &self,
        task: &T,
        step: u64,
        scores: &[Score],
        since: &Since,
    ) -> Result<Evaluation, TrainError> {
        let capabilities = task.capabilities();
        let (expected, got) = (capabilities.len(), scores.len());
        if expected != got {
            return Err(TrainError::Task {
                what: "scores",
                expected,
                got,
            });
        }
        let records: BTreeMap<String, CapabilityRecord> = capabilities
            .iter()
            .zip(scores)
            .map(|(capability, score)| {
                let record = CapabilityRecord {
                    accuracy: score.accuracy,
                    loss: score.loss,
                    chance: capability.chance,
                    frequency: capability.frequency,
                    probability: score.probability,
                    progress: None,
                };
                (capability.name.clone(), record)
            })
            .collect();
        // Before the first step there is no training loss yet: the held-out losses, weighted by
        // frequency, estimate the same number.
        let held_out = || {
            records
                .values()
                .map(|record| record.frequency * record.loss)
                .sum()
        };
        Ok(Evaluation {
            schema: SCHEMA,
            step,
            examples: step * self.draw as u64,
            train_loss: since.mean_loss().unwrap_or_else(held_out),
            compute: None,
            capabilities: records,
        })
    }
}

/// What happened since the last evaluation.
struct Since {
    losses: f64,
    examples: u64,
    mass: Vec<f64>,
    groups: Option<(Groups, Vec<Option<usize>>)>,
}

impl Since {
    fn new(capabilities: usize) -> Self {
        Self {
            losses: 0.0,
            examples: 0,
            mass: vec![0.0; capabilities],
            groups: None,
        }
    }

    fn add(&mut self, labels: &[Option<usize>], stepped: &Stepped) {
        self.examples += stepped.losses.len() as u64;
        self.losses += stepped
            .losses
            .iter()
            .map(|&loss| f64::from(loss))
            .sum::<f64>();
        for (label, &coefficient) in labels.iter().zip(&stepped.coefficients) {
            if let Some(mass) = label.and_then(|label| self.mass.get_mut(label)) {
                *mass += f64::from(coefficient);
            }
        }
    }

    fn mean_loss(&self) -> Option<f64> {
        (self.examples > 0).then(|| self.losses / self.examples as f64)
    }

    fn grouping<T: Task>(&self, task: &T, step: u64) -> Option<Grouping> {
        let (groups, labels) = self.groups.as_ref()?;
        let total: f64 = self.mass.iter().sum();
        let share = |mass: f64| if total > 0.0 { mass / total } else { 0.0 };
        let names = task
            .capabilities()
            .iter()
            .map(|capability| capability.name.clone());
        let assignment = groups.assignment();
        let sizes = assignment.map(|_| groups.sizes().iter().map(|&size| size as u64).collect());
        Some(Grouping {
            schema: SCHEMA,
            step,
            groups: groups.count() as u64,
            sizes: sizes.unwrap_or_default(),
            members: Vec::new(),
            identities: Vec::new(),
            shares: names
                .zip(self.mass.iter().map(|&mass| share(mass)))
                .collect(),
            spectrum: groups.spectrum().iter().copied().take(SPECTRUM).collect(),
            recovery: assignment.and_then(|found| adjusted_rand(found, labels)),
            estimates: groups
                .estimates()
                .iter()
                .map(|&(name, said)| (name.to_owned(), said as u64))
                .collect(),
            churn: groups.churn().map(|churn| ChurnRecord {
                births: churn.births as u64,
                deaths: churn.deaths as u64,
                changed: churn.changed,
                adjusted_rand: churn.adjusted_rand,
            }),
        })
    }
}

/// Names step and capability of a failure.
fn named<T: Task>(task: &T, step: u64, labels: &[Option<usize>], source: TrainError) -> TrainError {
    let capability = match &source {
        TrainError::NotFinite { example, .. } => labels.get(*example).copied().flatten(),
        _ => None,
    };
    let capability = capability.and_then(|label| task.capabilities().get(label));
    TrainError::Step {
        step,
        capability: capability.map(|capability| capability.name.clone()),
        source: Box::new(source),
    }
}
