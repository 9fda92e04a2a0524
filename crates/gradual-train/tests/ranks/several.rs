//! Threads that are ranks.

use std::thread;

use gradual_train::ThreadRank;

/// What each of `size` ranks comes to, by number; an error for one that panicked.
pub(crate) fn on_ranks<V: Send>(
    size: usize,
    run: impl Fn(ThreadRank) -> V + Sync,
) -> Vec<thread::Result<V>> {
    let run = &run;
    thread::scope(|threads| {
        let started: Vec<_> = ThreadRank::several(size)
            .into_iter()
            .map(|rank| threads.spawn(move || run(rank)))
            .collect();
        started.into_iter().map(|thread| thread.join()).collect()
    })
}

/// The same where none panics.
pub(crate) fn all_ranks<V: Send>(size: usize, run: impl Fn(ThreadRank) -> V + Sync) -> Vec<V> {
    let each = on_ranks(size, run).into_iter();
    each.map(|one| one.expect("a rank panicked")).collect()
}

/// Whether numbers are the same to 1e-5 of the largest.
pub(crate) fn near(one: &[f32], other: &[f32]) -> bool {
    near_to(1e-5, one, other)
}

/// The same to a share of the largest.
pub(crate) fn near_to(share: f32, one: &[f32], other: &[f32]) -> bool {
    let largest = one
        .iter()
        .fold(0.0, |most: f32, value| most.max(value.abs()));
    one.len() == other.len()
        && one
            .iter()
            .zip(other)
            .all(|(a, b)| a == b || (a - b).abs() <= share * largest)
}

pub(crate) fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}
