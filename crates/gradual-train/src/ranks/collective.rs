//! What ranks can do together.

use std::rc::Rc;

use super::error::RanksError;

/// A rank among others that all make the same calls in the same order.
///
/// Every call waits for all ranks. Where one is gone, or makes another call, the calls of all others fail instead of
/// waiting for ever.
pub trait Collective {
    /// The number of this rank, from 0.
    fn rank(&self) -> usize;

    /// Number of ranks.
    fn size(&self) -> usize;

    /// The bytes of every rank, in the order of ranks, on every rank. They may be of different lengths.
    ///
    /// # Errors
    ///
    /// [`RanksError::Gone`] naming a rank that is there no more, [`RanksError::Disagree`] when another rank makes
    /// another call.
    fn all_gather(&self, own: &[u8]) -> Result<Vec<Vec<u8>>, RanksError>;

    /// The bytes of rank `root` on every rank, in the place of what it held.
    ///
    /// # Errors
    ///
    /// Those of [`all_gather`](Self::all_gather).
    fn broadcast(&self, root: usize, bytes: &mut Vec<u8>) -> Result<(), RanksError>;

    /// The sum over all ranks of each number, in their place. It must be the same bits on every rank.
    ///
    /// # Errors
    ///
    /// Those of [`all_gather`](Self::all_gather), and [`RanksError::Lengths`] when ranks have other numbers of numbers.
    fn all_reduce_f32(&self, values: &mut [f32]) -> Result<(), RanksError>;

    /// The same in double precision.
    ///
    /// # Errors
    ///
    /// Those of [`all_reduce_f32`](Self::all_reduce_f32).
    fn all_reduce_f64(&self, values: &mut [f64]) -> Result<(), RanksError>;

    /// Leaves for good, because a call has failed here: the calls of others fail, now and from here on, and name this
    /// rank. Dropping a rank does the same.
    fn leave(&self, why: &str);
}

/// A rank that is shared is a rank: for one that takes part in several trainings, one after another.
impl<C: Collective + ?Sized> Collective for Rc<C> {
    fn rank(&self) -> usize {
        (**self).rank()
    }

    fn size(&self) -> usize {
        (**self).size()
    }

    fn all_gather(&self, own: &[u8]) -> Result<Vec<Vec<u8>>, RanksError> {
        (**self).all_gather(own)
    }

    fn broadcast(&self, root: usize, bytes: &mut Vec<u8>) -> Result<(), RanksError> {
        (**self).broadcast(root, bytes)
    }

    fn all_reduce_f32(&self, values: &mut [f32]) -> Result<(), RanksError> {
        (**self).all_reduce_f32(values)
    }

    fn all_reduce_f64(&self, values: &mut [f64]) -> Result<(), RanksError> {
        (**self).all_reduce_f64(values)
    }

    fn leave(&self, why: &str) {
        (**self).leave(why);
    }
}
