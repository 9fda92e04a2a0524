//! One of four ranks ends at some moment: the others end with an error that names it, and the run goes on from its last
//! snapshot as if nothing had been.

use std::cell::{Cell, RefCell};
use std::panic;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use gradual_group::KMeans;
use gradual_loss::SumOfSquares;
use gradual_train::{Collective, Objective, Ranks, RanksError, Snapshot, ThreadRank, TrainError};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::close::bits;
use crate::common::products::Products;
use crate::several::on_ranks;
use crate::trained::{Seen, Weights, config, run, trainer};

const STEPS: u64 = 20;
const RANKS: usize = 4;
/// Far more than it takes, and far less than for ever.
const LIMIT: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Panics,
    IsDropped,
    Fails,
}

/// A rank that ends before some call.
struct Mortal {
    rank: usize,
    inner: RefCell<Option<ThreadRank>>,
    left: Cell<Option<(u64, End)>>,
}

impl Mortal {
    fn new(inner: ThreadRank, end: Option<(u64, End)>) -> Self {
        Self {
            rank: inner.rank(),
            inner: RefCell::new(Some(inner)),
            left: Cell::new(end),
        }
    }

    fn call<V>(
        &self,
        call: impl FnOnce(&ThreadRank) -> Result<V, RanksError>,
    ) -> Result<V, RanksError> {
        let gone = || RanksError::Gone {
            rank: self.rank,
            why: "of a test".into(),
            call: "a call",
        };
        if let Some((calls, end)) = self.left.get() {
            match (calls, end) {
                (0, End::Panics) => panic!("of a test"),
                (0, End::IsDropped) => drop(self.inner.take()),
                (0, End::Fails) => return Err(gone()),
                _ => self.left.set(Some((calls - 1, end))),
            }
        }
        match &*self.inner.borrow() {
            Some(inner) => call(inner),
            None => Err(gone()),
        }
    }
}

impl Collective for Mortal {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        RANKS
    }

    fn all_gather(&self, own: &[u8]) -> Result<Vec<Vec<u8>>, RanksError> {
        self.call(|inner| inner.all_gather(own))
    }

    fn broadcast(&self, root: usize, bytes: &mut Vec<u8>) -> Result<(), RanksError> {
        self.call(|inner| inner.broadcast(root, bytes))
    }

    fn all_reduce_f32(&self, values: &mut [f32]) -> Result<(), RanksError> {
        self.call(|inner| inner.all_reduce_f32(values))
    }

    fn all_reduce_f64(&self, values: &mut [f64]) -> Result<(), RanksError> {
        self.call(|inner| inner.all_reduce_f64(values))
    }

    fn leave(&self, why: &str) {
        if let Some(inner) = &*self.inner.borrow() {
            inner.leave(why);
        }
    }
}

fn objective() -> Objective {
    Objective::new(KMeans::new(3, 1), SumOfSquares)
}

type Outcome = std::thread::Result<Result<Weights, TrainError>>;

/// Four ranks, of which one may end before its call of this number.
fn four(
    ends: Option<(usize, u64, End)>,
    from: Option<&Snapshot>,
    seen: &Mutex<Seen>,
) -> Vec<Outcome> {
    let none = Mutex::new(Seen::default());
    on_ranks(RANKS, |rank| {
        let ends = ends.filter(|(ending, ..)| *ending == rank.rank());
        let ranks = Ranks::new(Mortal::new(rank, ends.map(|(_, calls, end)| (calls, end))));
        let task = Products::new(0.0);
        let (seen, from) = match ranks.is_first() {
            true => (seen, from.cloned()),
            false => (&none, None),
        };
        let ran = run(
            trainer(&task, objective(), config(STEPS)),
            Some(&ranks),
            from,
            seen,
        );
        ran.map(|(_, weights)| weights)
    })
}

fn whole() -> Weights {
    let each = four(None, None, &Mutex::new(Seen::default()));
    each.into_iter().next().unwrap().unwrap().unwrap()
}

#[test]
fn at_any_moment() {
    let whole = whole();
    let mut random = ChaCha8Rng::seed_from_u64(22);
    for moment in 0..10 {
        let end = [End::Panics, End::IsDropped, End::Fails][moment % 3];
        let ending = random.random_range(0..RANKS);
        // A run makes about six calls a step, and some before the first.
        let calls = random.random_range(0..5 + 6 * (STEPS - 1));
        let seen = Mutex::new(Seen::default());
        let began = Instant::now();
        let each = four(Some((ending, calls, end)), None, &seen);
        let at = format!("rank {ending} before call {calls}, {end:?}");
        assert!(began.elapsed() < LIMIT, "{at}");
        for (rank, outcome) in each.into_iter().enumerate() {
            match outcome {
                Err(_) => assert!(rank == ending && end == End::Panics, "{at}: {rank}"),
                Ok(Ok(_)) => panic!("{at}: rank {rank} went on"),
                Ok(Err(error)) => {
                    let named = format!("rank {ending} is gone");
                    let message = error.to_string();
                    assert!(message.contains(&named), "{at}: rank {rank}: {message}");
                }
            }
        }
        let snapshots = seen.into_inner().unwrap().snapshots;
        let last = snapshots.last();
        let each = four(None, last, &Mutex::new(Seen::default()));
        for outcome in each {
            let weights = outcome.unwrap().unwrap();
            let rest = &whole[whole.len() - weights.len()..];
            let same = weights.iter().zip(rest).all(|(a, b)| bits(a) == bits(b));
            assert!(
                same && last.is_none_or(|last| weights.len() as u64 == STEPS - last.step),
                "{at}"
            );
        }
    }
}

/// An error of a program's own is told, and a panic in it as well.
#[test]
fn an_error_of_ones_own_is_told() {
    for panics in [false, true] {
        let each = on_ranks(3, |rank| {
            let ranks = Ranks::new(rank);
            let task = Products::new(0.0);
            let own = ranks.rank() == 1;
            let trainer = trainer(&task, objective(), config(STEPS)).with_ranks(&ranks);
            let trainer = trainer.watch(move |step, _| match step == 7 && own {
                true if panics => panic!("the disk is full"),
                true => Err(TrainError::data("the disk is full")),
                false => Ok(()),
            });
            trainer.run().map(drop).unwrap_err().to_string()
        });
        for (rank, one) in each.into_iter().enumerate() {
            let expected: &[&str] = match (rank, panics) {
                (1, true) => {
                    assert!(one.is_err());
                    continue;
                }
                (1, false) => &["the disk is full"],
                (_, true) => &["rank 1 is gone (its thread panicked)"],
                (_, false) => &["rank 1 failed (end of a step): the disk is full"],
            };
            let message = one.unwrap();
            assert!(
                expected.iter().all(|part| message.contains(part)),
                "{message}"
            );
        }
    }
}
