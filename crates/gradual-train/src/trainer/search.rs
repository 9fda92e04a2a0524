//! Looks at the model of a run, of which one may become its [lens](crate::lens).

use gradual_grad::Traced;
use gradual_group::{Draw, GroupError, Grouping, adjusted_rand};
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

/// The groups of each example, or of those that could not be grouped, why.
type Assigned = Result<Vec<Option<usize>>, GroupError>;

/// A set of examples with their gradients.
struct Seen {
    traced: Traced,
    labels: Vec<Option<usize>>,
}

/// What came of the looks at one step.
pub(super) struct Looked {
    record: LooksRecord,
    /// The look that the rule chooses.
    pub(super) chosen: Option<Look>,
}

impl<T: Task> Trainer<'_, T> {
    /// Takes all looks at a snapshot of the model.
    pub(super) fn look_around(
        &self,
        search: &LensSearch,
        model: &T::Model,
        run: &mut Run<T::Batch>,
    ) -> Result<Looked, TrainError> {
        let layers = search.layers.clone();
        let frozen = Frozen::new(model, layers);
        let mut random = ChaCha8Rng::seed_from_u64(self.config.seed);
        random.set_stream(SETS | (run.done << BITS));
        let mut seen = || self.set(search, &frozen, &mut random, run);
        let sets = [seen()?, seen()?, seen()?];
        let layers: Vec<String> = (sets[0].traced.gradients.paths().map(str::to_owned)).collect();
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
                    let (record, refused) = self.looked(search, &look, &sets)?;
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
        let pairs = looks.iter().zip(&records);
        let pairs: Vec<_> = pairs
            .map(|(look, record)| (look.groups, record.stability))
            .collect();
        let at = choose(&pairs, search.stability);
        Ok(Looked {
            chosen: at.and_then(|at| looks.get(at).cloned()),
            record: LooksRecord {
                schema: SCHEMA,
                step: run.done,
                examples: search.examples as u64,
                looks: records,
                chosen: at.map(|at| at as u64),
                taken: false,
            },
        })
    }

    /// Tells the observers of looks, and whether the chosen one is the lens from here on.
    pub(super) fn tell_looks(&mut self, looked: Looked, taken: bool) -> Result<(), TrainError> {
        let record = LooksRecord {
            taken,
            ..looked.record
        };
        for observer in &mut self.observers {
            observer.looked(&record)?;
        }
        Ok(())
    }

    /// A set of examples with their gradients in all layers that are looked at.
    fn set(
        &self,
        search: &LensSearch,
        frozen: &Frozen<T::Model>,
        random: &mut ChaCha8Rng,
        run: &mut Run<T::Batch>,
    ) -> Result<Seen, TrainError> {
        let parts = self.draw_parts(Wanted::Any(search.examples), random)?;
        let labels = parts.iter().flat_map(|part| part.labels.iter().copied());
        let labels: Vec<Option<usize>> = labels.collect();
        run.seen.standing += search.examples as u64;
        run.seen.shown += search.examples as u64;
        let tracer = frozen.tracer(self.objective.tracer());
        let leaves_out = self.config.not_finite == NotFinite::LeaveOut;
        let each: Vec<&Drawn<T::Batch>> = parts.iter().collect();
        let losses = |m: &T::Model, part: &Drawn<T::Batch>| self.task.losses(m, &part.batch);
        let sizes = (0, search.examples);
        let traced = trace_standing(&frozen.model, leaves_out, &tracer, &each, sizes, losses);
        let (traced, _) = traced.map_err(|source| self.named(run, &labels, source))?;
        Ok(Seen { traced, labels })
    }

    /// How stable one look is, and where examples can't be grouped so, why.
    fn looked(
        &self,
        search: &LensSearch,
        look: &Look,
        [one, other, fresh]: &[Seen; 3],
    ) -> Result<(LookRecord, Option<GroupError>), TrainError> {
        let found = [one, other].map(|standing| {
            let grouping = search.grouping(look)?;
            Ok::<Assigned, TrainError>(assigned(grouping, &standing.traced, &fresh.traced))
        });
        let [first, second] = found;
        let record = |stability, recovery| LookRecord {
            layer: look.layer.clone(),
            metric: search.metrics[look.metric].0.clone(),
            groups: look.groups as u64,
            stability,
            recovery,
        };
        Ok(match (first?, second?) {
            (Ok(first), Ok(second)) => {
                let truth = |found: &[Option<usize>]| adjusted_rand(found, &fresh.labels);
                let recovery = truth(&first).zip(truth(&second));
                // Sets that put all examples together agree on nothing, and a look that sees few examples tells little.
                let both = first.iter().zip(&second);
                let both = both.filter(|(one, other)| one.is_some() && other.is_some());
                let share = both.count() as f64 / first.len().max(1) as f64;
                let stability = adjusted_rand(&first, &second).map(|index| index * share);
                let recovery = recovery.map(|(first, second)| f64::midpoint(first, second));
                (record(stability, recovery), None)
            }
            (Err(error), _) | (_, Err(error)) => (record(None, None), Some(error)),
        })
    }
}

/// The groups that a grouping finds in standing examples, of others.
fn assigned(mut grouping: Box<dyn Grouping>, standing: &Traced, fresh: &Traced) -> Assigned {
    grouping.stand(&Draw::from(standing))?;
    let groups = grouping.group(&Draw::from(fresh))?;
    let none = || vec![None; groups.num_examples()];
    Ok(groups.assignment().map_or_else(none, <[_]>::to_vec))
}
