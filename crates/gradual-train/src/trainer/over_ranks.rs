//! A run over several ranks: a common start, and a common end of every step.

use burn::module::Module;
use gradual_group::State;

use super::builder::Trainer;
use super::run::Run;
use crate::digests::{Digests, fnv};
use crate::error::TrainError;
use crate::generator;
use crate::label_set::LabelSet;
use crate::observer::End;
use crate::ranks::{Entries, FirstExamples, Point, Ranks, RanksError};
use crate::snapshot::Snapshot;
use crate::step::over_ranks::needs_no_others;
use crate::task::Task;

/// The stream of random numbers that the examples to compare are drawn with.
const COMPARED: u64 = 6;
/// How many there are at most.
const MOST: usize = 16;

/// What a rank says at the end of a step.
const INTERRUPTED: u8 = 1;
const STOPPED: u8 = 2;
const DIGEST: usize = 8;

impl<T: Task> Trainer<'_, T> {
    /// The run at its start, or where a snapshot left it; on all ranks the same.
    pub(super) fn begun(&mut self) -> Result<(T::Model, Run<T::Batch>), TrainError> {
        let Some(ranks) = self.ranks else {
            self.check()?;
            return self.begin();
        };
        if !ranks.is_first() {
            self.observers.clear();
        }
        ranks.see_unchecked();
        let alike = self.check_over(ranks).and_then(|()| {
            let fresh = self.fresh()?;
            Ok((self.entries(ranks, &fresh.0)?, fresh))
        });
        let (model, run) = ranks.same_entries(alike)?;
        // An empty message where the run starts.
        let own = self.from.take().filter(|_| ranks.is_first());
        let own = own.as_ref().map_or_else(Vec::new, Snapshot::bytes);
        let sent = ranks.told_by_first(Point::Start, Ok(own))?;
        let begun = match sent.is_empty() {
            true => ranks.start(model).map(|model| (model, run)),
            false => {
                let snapshot = Snapshot::read(&sent).ok_or(RanksError::Message {
                    rank: 0,
                    at: Point::Start.name(),
                });
                let snapshot = snapshot.map_err(TrainError::from);
                snapshot.and_then(|snapshot| self.restore(model, run, &snapshot))
            }
        };
        let begun = begun.and_then(|begun| Ok((self.first_examples(ranks, &begun.0)?, begun)));
        ranks.same_examples(begun)
    }

    /// Refuses what can't be done over these ranks.
    fn check_over(&self, ranks: &Ranks) -> Result<(), TrainError> {
        self.check()?;
        let then = self.then.as_ref().map(|(_, phase)| phase);
        if self.lens.is_some() || then.is_some_and(|phase| phase.lens.is_some()) {
            let problem = "a lens can't be looked through over several ranks yet; leave it out, or train on one rank";
            return Err(RanksError::refused(problem).into());
        }
        for (name, got) in [
            ("the number of examples of a draw", self.config.draw),
            ("the number of parts of a draw", self.config.parts),
        ] {
            if got < ranks.size() {
                let ranks = ranks.size();
                return Err(RanksError::TooMany { ranks, name, got }.into());
            }
        }
        ranks.check(&self.objective)?;
        Ok(then.map_or(Ok(()), |phase| ranks.check(&phase.objective))?)
    }

    /// What has to be the same on all ranks.
    fn entries(&self, ranks: &Ranks, model: &T::Model) -> Result<Entries, TrainError> {
        let config = &self.config;
        let names = self.task.capabilities().iter();
        let names: Vec<&str> = names.map(|capability| capability.name.as_str()).collect();
        let rate = self.rate.to_record().into_bytes();
        let rate = rate.map_err(|problem| TrainError::Snapshot {
            what: "learning rate",
            path: None,
            problem: problem.to_string(),
        })?;
        let settings = [
            ("the version of gradual", env!("CARGO_PKG_VERSION").into()),
            ("the number of ranks", ranks.size().to_string()),
            ("gathering", format!("{:?}", ranks.gathering())),
            ("steps", config.steps.to_string()),
            ("draw", config.draw.to_string()),
            ("parts", config.parts.to_string()),
            ("every", config.every.to_string()),
            ("seed", config.seed.to_string()),
            ("not_finite", format!("{:?}", config.not_finite)),
            ("verify", config.verify.to_string()),
            (
                "the step of the second phase",
                format!("{:?}", self.then.as_ref().map(|(after, _)| after)),
            ),
            ("the capabilities of the task", names.join(", ")),
            ("the number of items", format!("{:?}", self.task.items())),
            ("the objective", self.objective.described(config.draw)),
            (
                "whether gradients are compared",
                self.objective.compares_gradients().to_string(),
            ),
            (
                "the state of the objective",
                of_state(&self.objective.state()?)?,
            ),
            (
                "the state of the sampler",
                of_state(&self.sampler.state()?)?,
            ),
            ("the learning rate's state", hex(fnv_of(&rate))),
        ];
        let settings = settings.map(|(name, value)| (name.to_owned(), value));
        let digests = Digests::of(model)?;
        let weights = digests.each().map(|(path, digest)| {
            (
                format!("the digest of the fresh weights of {path}"),
                hex(digest),
            )
        });
        Ok(settings.into_iter().chain(weights).collect())
    }

    /// Some examples of random numbers of their own, once it is known by them that the model can learn over ranks.
    fn first_examples(&self, ranks: &Ranks, model: &T::Model) -> Result<FirstExamples, TrainError> {
        let mut random = self.stream(COMPARED);
        let n = self.config.draw.min(MOST);
        let Ok(drawn) = self.task.draw(n, &mut random, &self.device) else {
            // A task of chosen items alone: their labels are compared in every step.
            return Ok(FirstExamples {
                labels: 0,
                losses: Vec::new(),
                half: false,
            });
        };
        if ranks.take_unchecked() {
            needs_no_others(model, |model| self.task.losses(model, &drawn.batch))?;
        }
        let untracked = model.clone().no_grad();
        let read = || self.read_losses(&untracked, &drawn, self.config.seed);
        let (losses, half) = generator::alone(read)?;
        let labels = LabelSet::new(&drawn.labels).with_more(&drawn.more_labels);
        Ok(FirstExamples {
            labels: fnv(labels.codes()),
            losses,
            half,
        })
    }

    /// The end of a step on all ranks: whether the run has come to its end. After an evaluation, the weights of all are
    /// compared.
    pub(super) fn together(
        &self,
        advanced: Result<T::Model, TrainError>,
        run: &mut Run<T::Batch>,
    ) -> Result<(T::Model, Option<End>), TrainError> {
        let Some(ranks) = self.ranks else {
            let model = advanced?;
            return Ok((model, self.end(run, self.interrupt.asked())));
        };
        let here = advanced.and_then(|model| {
            let digest = match self.is_on_grid(run) {
                true => Digests::of(&model)?.whole(),
                false => 0,
            };
            let interrupted = if self.interrupt.asked() {
                INTERRUPTED
            } else {
                0
            };
            let stopped = run.stopped.as_ref().map_or(0, |_| STOPPED);
            let reason = run.stopped.as_deref().unwrap_or_default();
            let flags = [interrupted | stopped];
            let bytes = [&flags, digest.to_le_bytes().as_slice(), reason.as_bytes()].concat();
            Ok((bytes, model))
        });
        let (all, model) = ranks.gather_with(Point::Step, here)?;
        let mut interrupted = false;
        let mut first = None;
        for (rank, said) in all.iter().enumerate() {
            let read = said.split_first();
            let read = read.and_then(|(flags, rest)| Some((flags, rest.split_first_chunk()?)));
            let Some((flags, (digest, reason))) = read else {
                let at = Point::Step.name();
                return Err(RanksError::Message { rank, at }.into());
            };
            let digest: [u8; DIGEST] = *digest;
            if *first.get_or_insert(digest) != digest {
                let step = run.done;
                return Err(RanksError::Drifted { rank, step }.into());
            }
            interrupted |= flags & INTERRUPTED != 0;
            if rank == 0 && flags & STOPPED != 0 {
                run.stopped = Some(String::from_utf8_lossy(reason).into_owned());
            }
        }
        Ok((model, self.end(run, interrupted)))
    }

    /// What all ranks come to at the very end.
    pub(super) fn ended_together(&self, ended: Result<(), TrainError>) -> Result<(), TrainError> {
        match self.ranks {
            Some(ranks) => ranks.all_well(Point::End, ended),
            None => ended,
        }
    }
}

fn of_state(state: &State) -> Result<String, TrainError> {
    let mut bytes = Vec::new();
    ciborium::into_writer(state, &mut bytes)
        .map_err(|problem| RanksError::refused(format!("a state can't be written: {problem}")))?;
    Ok(hex(fnv_of(&bytes)))
}

fn fnv_of(bytes: &[u8]) -> u64 {
    fnv(bytes.iter().map(|&byte| u64::from(byte)))
}

fn hex(digest: u64) -> String {
    format!("{digest:016x}")
}
