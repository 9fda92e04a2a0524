//! Ranks that are processes, under MPI.

use std::cell::Cell;
use std::fmt;

use mpi::collective::SystemOperation;
use mpi::datatype::PartitionMut;
use mpi::environment::Universe;
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator as _, CommunicatorCollectives as _, Equivalence, Root as _};

use super::call::Call;
use super::collective::Collective;
use super::error::RanksError;

/// What a rank says in the place of a call when it is dropped.
const END: u64 = u64::MAX;

/// Most numbers of one call: MPI counts in 32 bits.
const MOST: usize = 1 << 30;

/// A rank that is a process, started by `mpirun` or `srun`: for devices of many machines. With the feature `mpi`, which
/// needs Open MPI or MPICH, and libclang to build.
///
/// MPI knows no errors that a program could go on from. Where a process dies, MPI ends the others; where a rank leaves or
/// panics, it ends them as well when it is dropped.
pub struct MpiRank {
    world: SimpleCommunicator,
    left: Cell<bool>,
    /// MPI is at its end when this is dropped.
    _universe: Universe,
}

impl fmt::Debug for MpiRank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MpiRank")
            .field("rank", &self.world.rank())
            .field("size", &self.world.size())
            .finish_non_exhaustive()
    }
}

impl MpiRank {
    /// Starts MPI; none where this process has started it before.
    pub fn start() -> Option<Self> {
        let universe = mpi::initialize()?;
        Some(Self {
            world: universe.world(),
            left: Cell::new(false),
            _universe: universe,
        })
    }

    /// What all ranks say before a call.
    fn said(&self, own: [u64; 2]) -> Vec<u64> {
        let mut all = vec![0; 2 * self.size()];
        self.world.all_gather_into(&own[..], &mut all[..]);
        all
    }

    /// The lengths of what all ranks bring to a call.
    ///
    /// # Errors
    ///
    /// [`RanksError::Disagree`] where some are in another: MPI would wait for ever.
    fn lengths(&self, call: Call, own: usize) -> Result<Vec<u64>, RanksError> {
        let code = |call: Call| match call {
            Call::AllGather => 0,
            Call::AllReduceF32 => 1,
            Call::AllReduceF64 => 2,
            Call::Broadcast { root } => 3 + root as u64,
        };
        let called = |code| match code {
            0 => Call::AllGather.name(),
            1 => Call::AllReduceF32.name(),
            2 => Call::AllReduceF64.name(),
            END => "the end of its program",
            _ => "broadcast",
        };
        let own = [code(call), own as u64];
        let all = self.said(own);
        let (pairs, _) = all.as_chunks::<2>();
        match pairs.iter().position(|&[other, _]| other != own[0]) {
            None => Ok(pairs.iter().map(|&[_, length]| length).collect()),
            Some(rank) => Err(RanksError::Disagree {
                rank,
                theirs: called(pairs[rank][0]),
                ours: call.name(),
            }),
        }
    }

    /// Sums on rank 0 and sends the sum to all, for MPI does not promise that all get the same bits otherwise.
    fn sum<V: Equivalence + Copy + Default>(
        &self,
        call: Call,
        values: &mut [V],
    ) -> Result<(), RanksError> {
        let lengths = self.lengths(call, values.len())?;
        let expected = lengths.first().copied().unwrap_or_default();
        if let Some(rank) = lengths.iter().position(|&length| length != expected) {
            return Err(RanksError::Lengths {
                rank,
                expected: expected as usize,
                got: lengths[rank] as usize,
            });
        }
        let first = self.world.process_at_rank(0);
        for own in values.chunks_mut(MOST) {
            let mut sums = vec![V::default(); own.len()];
            match self.rank() {
                0 => first.reduce_into_root(&*own, &mut sums[..], SystemOperation::sum()),
                _ => first.reduce_into(&*own, SystemOperation::sum()),
            }
            first.broadcast_into(&mut sums[..]);
            own.copy_from_slice(&sums);
        }
        Ok(())
    }
}

impl Collective for MpiRank {
    fn rank(&self) -> usize {
        usize::try_from(self.world.rank()).unwrap_or_default()
    }

    fn size(&self) -> usize {
        usize::try_from(self.world.size()).unwrap_or(1)
    }

    fn all_gather(&self, own: &[u8]) -> Result<Vec<Vec<u8>>, RanksError> {
        let lengths = self.lengths(Call::AllGather, own.len())?;
        let total: u64 = lengths.iter().sum();
        if total > MOST as u64 {
            return Err(RanksError::refused(format!(
                "{total} bytes are more than MPI gathers at once; gather sketches, or take smaller draws"
            )));
        }
        let counts: Vec<i32> = lengths.iter().map(|&length| length as i32).collect();
        let starts = counts.iter().scan(0, |from, count| {
            let start = *from;
            *from += count;
            Some(start)
        });
        let starts: Vec<i32> = starts.collect();
        let mut bytes = vec![0u8; total as usize];
        let mut parts = PartitionMut::new(&mut bytes[..], counts, &starts[..]);
        self.world.all_gather_varcount_into(own, &mut parts);
        drop(parts);
        let mut rest = bytes.as_slice();
        let each = lengths.iter().map(|&length| {
            let (own, others) = rest.split_at(length as usize);
            rest = others;
            own.to_vec()
        });
        Ok(each.collect())
    }

    fn broadcast(&self, root: usize, bytes: &mut Vec<u8>) -> Result<(), RanksError> {
        let from = i32::try_from(root)
            .ok()
            .filter(|&root| root < self.world.size());
        let from = from.ok_or_else(|| RanksError::refused(format!("there is no rank {root}")))?;
        let from = self.world.process_at_rank(from);
        let lengths = self.lengths(Call::Broadcast { root }, bytes.len())?;
        bytes.resize(lengths.get(root).copied().unwrap_or_default() as usize, 0);
        for part in bytes.chunks_mut(MOST) {
            from.broadcast_into(part);
        }
        Ok(())
    }

    fn all_reduce_f32(&self, values: &mut [f32]) -> Result<(), RanksError> {
        self.sum(Call::AllReduceF32, values)
    }

    fn all_reduce_f64(&self, values: &mut [f64]) -> Result<(), RanksError> {
        self.sum(Call::AllReduceF64, values)
    }

    fn leave(&self, _why: &str) {
        self.left.set(true);
    }
}

/// The others would wait for ever for a rank that does not come to their next call. So one that has left, or panics, ends
/// them; one that comes to its end says so, and where others are in a call, that call fails.
impl Drop for MpiRank {
    fn drop(&mut self) {
        if self.left.get() || std::thread::panicking() {
            self.world.abort(1);
        }
        drop(self.said([END, 0]));
    }
}
