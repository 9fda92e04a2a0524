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
