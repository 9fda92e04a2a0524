//! Ranks that are threads of one process.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::call::Call;
use super::collective::Collective;
use super::error::RanksError;

/// A rank that is a thread of this process: for several devices of one machine, and for tests.
///
/// All ranks put their bytes into one place and wait until the last has. A rank that is dropped, or whose thread
/// panics, wakes those that wait, and their calls fail.
///
/// ```
/// use gradual_train::{Collective, ThreadRank};
///
/// let ranks = ThreadRank::several(3);
/// let sums = std::thread::scope(|threads| {
///     let run = |rank: ThreadRank| {
///         let mut sum = [rank.rank() as f32];
///         rank.all_reduce_f32(&mut sum).map(|()| sum[0])
///     };
///     let started: Vec<_> = ranks.into_iter().map(|rank| threads.spawn(move || run(rank))).collect();
///     started.into_iter().map(|thread| thread.join().expect("no panic")).collect::<Result<Vec<f32>, _>>()
/// })?;
/// assert_eq!(sums, [3.0, 3.0, 3.0]);
/// # Ok::<(), gradual_train::RanksError>(())
/// ```
#[derive(Debug)]
pub struct ThreadRank {
    rank: usize,
    place: Arc<Place>,
}

/// What all ranks of one process share.
#[derive(Debug)]
struct Place {
    size: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    /// What each rank has put down for the call that all are in, and which rank came first with which call.
    put: Vec<Option<Vec<u8>>>,
    call: Option<(usize, Call)>,
    /// How many calls are done, and what was put down for the last.
    done: u64,
    last: Arc<Vec<Vec<u8>>>,
    /// The first failure, which is that of all later calls.
    broken: Option<Broken>,
}

#[derive(Debug, Clone)]
enum Broken {
    Gone { rank: usize, why: String },
    Disagree(RanksError),
}

impl ThreadRank {
    /// `size` ranks, from 0 on, each for a thread of its own; of 0 there are none.
    pub fn several(size: usize) -> Vec<Self> {
        let place = Arc::new(Place {
            size,
            state: Mutex::new(State {
                put: vec![None; size],
                call: None,
                done: 0,
                last: Arc::default(),
                broken: None,
            }),
            changed: Condvar::new(),
        });
        let rank = |rank| Self {
            rank,
            place: Arc::clone(&place),
        };
        (0..size).map(rank).collect()
    }

    /// What every rank has put down for a call.
    fn exchange(&self, call: Call, own: Vec<u8>) -> Result<Arc<Vec<Vec<u8>>>, RanksError> {
        let mut state = self.place.state();
        state.whole(call)?;
        match state.call {
            Some((rank, other)) if other != call => {
                let broken = RanksError::Disagree {
                    rank,
                    theirs: other.name(),
                    ours: call.name(),
                };
                state.broken = Some(Broken::Disagree(broken.clone()));
                self.place.changed.notify_all();
                return Err(broken);
            }
            Some(_) => {}
            None => state.call = Some((self.rank, call)),
        }
        state.put[self.rank] = Some(own);
        if state.put.iter().all(Option::is_some) {
            state.last = Arc::new(state.put.iter_mut().filter_map(Option::take).collect());
            state.call = None;
            state.done += 1;
            self.place.changed.notify_all();
            return Ok(Arc::clone(&state.last));
        }
        let before = state.done;
        loop {
            state = self
                .place
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
            // What was done before something broke is done: no other call can be without this rank.
            if state.done > before {
                return Ok(Arc::clone(&state.last));
            }
            state.whole(call)?;
        }
    }

    fn sum<const W: usize, V: Copy + std::ops::AddAssign>(
        &self,
        call: Call,
        values: &mut [V],
        bytes: fn(V) -> [u8; W],
        value: fn([u8; W]) -> V,
    ) -> Result<(), RanksError> {
        let own = values.iter().flat_map(|&value| bytes(value)).collect();
        let all = self.exchange(call, own)?;
        let expected = all.first().map_or(0, Vec::len);
        if let Some(rank) = all.iter().position(|each| each.len() != expected) {
            return Err(RanksError::Lengths {
                rank,
                expected: expected / W,
                got: all[rank].len() / W,
            });
        }
        // In the order of ranks, so that all get the same bits.
        for (rank, each) in all.iter().enumerate() {
            let (numbers, _) = each.as_chunks::<W>();
            for (sum, &number) in values.iter_mut().zip(numbers) {
                match rank {
                    0 => *sum = value(number),
                    _ => *sum += value(number),
                }
            }
        }
        Ok(())
    }
}

impl Place {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether nothing is broken.
    fn whole(&self, call: Call) -> Result<(), RanksError> {
        match &self.broken {
            None => Ok(()),
            Some(Broken::Disagree(error)) => Err(error.clone()),
            Some(Broken::Gone { rank, why }) => Err(RanksError::Gone {
                rank: *rank,
                why: why.clone(),
                call: call.name(),
            }),
        }
    }
}

impl Collective for ThreadRank {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.place.size
    }

    fn all_gather(&self, own: &[u8]) -> Result<Vec<Vec<u8>>, RanksError> {
        let all = self.exchange(Call::AllGather, own.to_vec())?;
        Ok(all.to_vec())
    }

    fn broadcast(&self, root: usize, bytes: &mut Vec<u8>) -> Result<(), RanksError> {
        let own = match self.rank == root {
            true => std::mem::take(bytes),
            false => Vec::new(),
        };
        let all = self.exchange(Call::Broadcast { root }, own)?;
        bytes.clear();
        bytes.extend(all.get(root).into_iter().flatten());
        Ok(())
    }

    fn all_reduce_f32(&self, values: &mut [f32]) -> Result<(), RanksError> {
        self.sum(
            Call::AllReduceF32,
            values,
            f32::to_le_bytes,
            f32::from_le_bytes,
        )
    }

    fn all_reduce_f64(&self, values: &mut [f64]) -> Result<(), RanksError> {
        self.sum(
            Call::AllReduceF64,
            values,
            f64::to_le_bytes,
            f64::from_le_bytes,
        )
    }

    fn leave(&self, why: &str) {
        let mut state = self.place.state();
        state.broken.get_or_insert_with(|| Broken::Gone {
            rank: self.rank,
            why: why.to_owned(),
        });
        self.place.changed.notify_all();
    }
}

/// A rank that is dropped leaves.
impl Drop for ThreadRank {
    fn drop(&mut self) {
        self.leave(match std::thread::panicking() {
            true => "its thread panicked",
            false => "it was dropped",
        });
    }
}
