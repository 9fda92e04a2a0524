//! What operations do to slices of numbers, without tensors.

use rayon::prelude::*;

pub(crate) mod activation;
pub(crate) mod attend;
pub(crate) mod exponential;
pub(crate) mod lanes;
pub(crate) mod likelihood;
pub(crate) mod linear;
pub(crate) mod norm;
pub(crate) mod product;
pub(crate) mod weights;

/// Numbers that are worth a thread.
const WORTH: usize = 1 << 15;

/// Parts of `each` numbers, in any order: `work` gets something of its thread's own, the number of the part, and the part. With
/// one thread nothing is handed to another.
pub(crate) fn in_parts<T: Default>(
    numbers: &mut [f32],
    each: usize,
    work: impl Fn(&mut T, usize, &mut [f32]) + Sync,
) {
    let mut nothing = vec![(); numbers.len().div_ceil(each)];
    in_pairs((numbers, each), (&mut nothing, 1), |own, at, part, _| {
        work(own, at, part);
    });
}

/// The same of two at once: the first has parts of as many numbers as stand beside it, and so has the second.
pub(crate) fn in_pairs<T: Default, N: Send>(
    (a, a_each): (&mut [f32], usize),
    (b, b_each): (&mut [N], usize),
    work: impl Fn(&mut T, usize, &mut [f32], &mut [N]) + Sync,
) {
    if rayon::current_num_threads() == 1 || a.len() < 2 * WORTH {
        let mut own = T::default();
        let parts = a.chunks_mut(a_each).zip(b.chunks_mut(b_each));
        for (at, (a, b)) in parts.enumerate() {
            work(&mut own, at, a, b);
        }
        return;
    }
    a.par_chunks_mut(a_each)
        .zip(b.par_chunks_mut(b_each))
        .enumerate()
        .with_min_len(WORTH.div_ceil(a_each))
        .for_each_init(T::default, |own, (at, (a, b))| work(own, at, a, b));
}
