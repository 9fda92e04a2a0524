//! Looks at the model of a run, of which one may become its [lens](crate::lens).

use burn::module::Module;
use burn::tensor::Tensor;
use gradual_grad::Traced;
use gradual_grad::host::read;
use gradual_group::{Draw, GroupError, Grouping, adjusted_rand, explained_share};
use gradual_runs::{LookRecord, LooksRecord, SCHEMA};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::builder::Trainer;
use super::config::NotFinite;
use super::run::Run;
use crate::error::TrainError;
use crate::lens::Frozen;
use crate::lens::search::{LensSearch, Look, choose};
use crate::samplers::sampler::Wanted;
use crate::step::standing::trace_standing;
use crate::task::{Drawn, Task};

/// Streams of random numbers of the sets of examples, one for each step: this one, and the step in the bits above.
const SETS: u64 = 5;
const BITS: u32 = 8;

/// Losses that differ by less than this share of the largest are the same but for rounding.
const ROUNDING: f64 = 1e-4;

/// The groups of each example, or of those that could not be grouped, why.
type Assigned = Result<Vec<Option<usize>>, GroupError>;

/// A set of examples with their gradients.
struct Seen {
    traced: Traced,
    labels: Vec<Option<usize>>,
}

/// Three sets: two that find groups, and one that both group.
struct Sets {
    standing: [Seen; 2],
    fresh: Seen,
}

/// Of what step looks are, and the weights that the model began with.
pub(super) struct LookPlace<'a, M> {
    pub(super) step: u64,
    pub(super) fresh: &'a M,
}

/// What came of the looks at one step.
pub(super) struct Looked {
    pub(super) record: LooksRecord,
    /// The look that the rule chooses, if it explains more than the one that is held.
    pub(super) better: Option<Look>,
}

impl<T: Task> Trainer<'_, T> {
    /// Takes all looks at a snapshot of the model, and the one that is held again.
    pub(super) fn look_around(
        &self,
        search: &LensSearch,
        model: &T::Model,
        at: &LookPlace<'_, T::Model>,
        run: &mut Run<T::Batch>,
    ) -> Result<Looked, TrainError> {
        let layers = search.layers.clone();
        let frozen = Frozen::new(model, layers);
        let mut random = self.sets_of(at.step);
        let standing = self.standing_sets(search, &frozen, &mut random, run)?;
        let compared = self.draw_parts(Wanted::Any(search.examples), &mut random)?;
        run.seen.standing += search.examples as u64;
        let fresh = self.seen(&compared, &frozen, run)?;
        let learned = self.learned(at.fresh, &compared, &fresh.traced)?;
        let sets = Sets { standing, fresh };
        let gradients = &sets.fresh.traced.gradients;
        let layers: Vec<String> = gradients.paths().map(str::to_owned).collect();
        let mut looks = Vec::new();
        let mut refusal = None;
        for layer in &layers {
            for metric in 0..search.metrics.len() {
                for &groups in &search.groups {
                    let look = Look {
                        layer: layer.clone(),
                        metric,
                        groups,
                    };
                    let (record, refused) = self.looked(search, &look, &sets, &learned)?;
                    refusal = refused.or(refusal);
                    looks.push((look, record));
                }
            }
        }
        let (looks, records): (Vec<Look>, Vec<LookRecord>) = looks.into_iter().unzip();
        if let Some(error) = refusal
            && records.iter().all(|record| record.stability.is_none())
        {
            return Err(error.into());
        }
        let pairs: Vec<_> = records
            .iter()
            .map(|record| (record.explained, record.stability))
            .collect();
        let chosen = choose(&pairs, search.stability, search.explained);
        let held = match chosen {
            Some(_) => self.held_explains(search, &compared, &learned, run)?,
            None => None,
        };
        let is_better = |at: &usize| held.is_none_or(|held| records[*at].explained > Some(held));
        Ok(Looked {
            better: chosen.filter(is_better).map(|at| looks[at].clone()),
            record: LooksRecord {
                schema: SCHEMA,
                step: at.step,
                examples: search.examples as u64,
                looks: records,
                chosen: chosen.map(|at| at as u64),
                held,
                taken: false,
            },
        })
    }

    /// What the look that is held, if one is, explains of what these examples have learned.
    fn held_explains(
        &self,
        search: &LensSearch,
        compared: &[Drawn<T::Batch>],
        learned: &[Option<f64>],
        run: &mut Run<T::Batch>,
    ) -> Result<Option<f64>, TrainError> {
        let held = run.lens.as_ref();
        let held = held.and_then(|held| Some((held.step, held.look.clone()?)));
        let (Some((step, look)), Some(frozen)) = (held, &self.frozen) else {
            return Ok(None);
        };
        let mut random = self.sets_of(step);
        let sets = Sets {
            standing: self.standing_sets(search, frozen, &mut random, run)?,
            fresh: self.seen(compared, frozen, run)?,
        };
        let (record, _) = self.looked(search, &look, &sets, learned)?;
        Ok(record.explained)
    }

    /// The random numbers that the sets of a step are drawn with.
    pub(super) fn sets_of(&self, step: u64) -> ChaCha8Rng {
        let mut random = ChaCha8Rng::seed_from_u64(self.config.seed);
        random.set_stream(SETS | (step << BITS));
        random
    }

    /// Tells the observers of looks, and whether the chosen one is the lens from here on.
    pub(super) fn tell_looks(
        &mut self,
        record: LooksRecord,
        taken: bool,
    ) -> Result<(), TrainError> {
        let record = LooksRecord { taken, ..record };
        for observer in &mut self.observers {
            observer.looked(&record)?;
        }
        Ok(())
    }

    /// By how much the loss of each example of these parts has fallen since fresh weights. None where it is no number, and
    /// of all examples where nothing but rounding has changed.
    fn learned(
        &self,
        fresh: &T::Model,
        parts: &[Drawn<T::Batch>],
        traced: &Traced,
    ) -> Result<Vec<Option<f64>>, TrainError> {
        let fresh = fresh.valid();
        let before = parts
            .iter()
            .map(|part| self.task.losses(&fresh, &part.batch));
        let before = floats(Tensor::cat(before.collect(), 0))?;
        let now = floats(traced.losses.clone())?;
        let size = |losses: &[f64]| -> f64 {
            let finite = losses.iter().filter(|loss| loss.is_finite());
            finite.fold(0.0, |most, loss| loss.abs().max(most))
        };
        let falls = before.iter().zip(&now).map(|(before, now)| before - now);
        let falls: Vec<f64> = falls.collect();
        let is_anything = size(&falls) > ROUNDING * size(&before);
        let known = |fall: f64| (is_anything && fall.is_finite()).then_some(fall);
        Ok(falls.into_iter().map(known).collect())
    }

    /// Two sets of examples with their gradients in all layers that are looked at.
    fn standing_sets(
        &self,
        search: &LensSearch,
        frozen: &Frozen<T::Model>,
        random: &mut ChaCha8Rng,
        run: &mut Run<T::Batch>,
    ) -> Result<[Seen; 2], TrainError> {
        let mut set = || {
            let parts = self.draw_parts(Wanted::Any(search.examples), random)?;
            run.seen.standing += search.examples as u64;
            self.seen(&parts, frozen, run)
        };
        Ok([set()?, set()?])
    }

    /// A set of examples with their gradients in all layers that are looked at.
    fn seen(
        &self,
        parts: &[Drawn<T::Batch>],
        frozen: &Frozen<T::Model>,
        run: &mut Run<T::Batch>,
    ) -> Result<Seen, TrainError> {
        let labels = parts.iter().flat_map(|part| part.labels.iter().copied());
        let labels: Vec<Option<usize>> = labels.collect();
        run.seen.shown += labels.len() as u64;
        let tracer = frozen.tracer(self.objective.tracer());
        let leaves_out = self.config.not_finite == NotFinite::LeaveOut;
        let each: Vec<&Drawn<T::Batch>> = parts.iter().collect();
        let losses = |m: &T::Model, part: &Drawn<T::Batch>| self.task.losses(m, &part.batch);
        let sizes = (0, labels.len());
        let traced = trace_standing(&frozen.model, leaves_out, &tracer, &each, sizes, losses);
        let (traced, _) = traced.map_err(|source| self.named(run, &labels, source))?;
        Ok(Seen { traced, labels })
    }

    /// How stable one look is, and where examples can't be grouped so, why.
    fn looked(
        &self,
        search: &LensSearch,
        look: &Look,
        sets: &Sets,
        learned: &[Option<f64>],
    ) -> Result<(LookRecord, Option<GroupError>), TrainError> {
        let found = |standing: &Seen| -> Result<Assigned, TrainError> {
            let grouping = search.grouping(look)?;
            Ok(assigned(grouping, &standing.traced, &sets.fresh.traced))
        };
        let [one, other] = &sets.standing;
        let record = |stability, explained, recovery| LookRecord {
            layer: look.layer.clone(),
            metric: search.metrics[look.metric].0.clone(),
            groups: look.groups as u64,
            stability,
            explained,
            recovery,
        };
        Ok(match (found(one)?, found(other)?) {
            (Ok(first), Ok(second)) => {
                let truth = |found: &[Option<usize>]| adjusted_rand(found, &sets.fresh.labels);
                let recovery = truth(&first).zip(truth(&second));
                // Sets that put all examples together agree on nothing, and a look that sees few examples tells little.
                let both = first.iter().zip(&second);
                let both = both.filter(|(one, other)| one.is_some() && other.is_some());
                let share = both.count() as f64 / first.len().max(1) as f64;
                let stability = adjusted_rand(&first, &second).map(|index| index * share);
                let explained = explains(&first, learned).zip(explains(&second, learned));
                let mean = |(first, second)| f64::midpoint(first, second);
                let found = record(stability, explained.map(mean), recovery.map(mean));
                (found, None)
            }
            (Err(error), _) | (_, Err(error)) => (record(None, None, None), Some(error)),
        })
    }
}

/// The share of what examples have learned that groups explain.
fn explains(groups: &[Option<usize>], learned: &[Option<f64>]) -> Option<f64> {
    let pairs = groups.iter().zip(learned);
    let known = pairs.filter_map(|(group, learned)| Some((*group, (*learned)?)));
    let (groups, learned): (Vec<_>, Vec<_>) = known.unzip();
    explained_share(&groups, &learned)
}

fn floats(losses: Tensor<1>) -> Result<Vec<f64>, TrainError> {
    read(losses).map_err(|problem| TrainError::Read {
        operation: "search",
        problem,
    })
}

/// The groups that a grouping finds in standing examples, of others.
fn assigned(mut grouping: Box<dyn Grouping>, standing: &Traced, fresh: &Traced) -> Assigned {
    grouping.stand(&Draw::from(standing))?;
    let groups = grouping.group(&Draw::from(fresh))?;
    let none = || vec![None; groups.num_examples()];
    Ok(groups.assignment().map_or_else(none, <[_]>::to_vec))
}
