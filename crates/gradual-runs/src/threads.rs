//! Threads to compute with, as many as the system gives. It may refuse some (`ulimit -u`, a container's limit on processes), and
//! Rayon by itself takes all that it asks for or panics.
//!
//! Programs with Burn's backend `ndarray` also have the threads of `matrixmultiply`; `MATMUL_NUM_THREADS=1` in the environment makes none.

use std::io;
use std::sync::mpsc::{self, SyncSender};
use std::thread::{self, available_parallelism};

use rayon::{ThreadBuilder, ThreadPoolBuilder};

use crate::streams::tell;

/// Makes the threads for whatever computes outside of [`within`]. For programs, once they have started all their other threads.
pub fn prepare() {
    let most = asked().unwrap_or_else(cores);
    let (threads, refused) = given(most);
    if let Some(refused) = refused {
        tell(format_args!(
            "note: the system gives this program {} of {most} threads to compute with: {refused}",
            threads.len()
        ));
    }
    let made = pool(threads.len()).spawn_handler(handing(threads));
    // An error says that there are some already.
    drop(made.build_global());
}

/// Processors that this program may use.
#[must_use]
pub fn cores() -> usize {
    available_parallelism().map_or(1, usize::from)
}

/// As many threads as the environment asks for (`RAYON_NUM_THREADS`), and no more than [`cores`]. A scheduler that gives a program
/// some of a machine's cores says so, and more threads than cores only get into each other's way.
#[must_use]
pub fn asked() -> Option<usize> {
    let asked = std::env::var("RAYON_NUM_THREADS").ok()?;
    let asked: usize = asked.parse().ok()?;
    (asked > 0).then(|| asked.min(cores()))
}

/// Does `work` with `most` threads, or with those that the system gives: at least with the current one.
pub fn within<T: Send>(most: usize, work: impl FnOnce() -> T + Send) -> T {
    let (threads, _) = given(most);
    let made = pool(threads.len()).spawn_handler(handing(threads));
    match made.build() {
        Ok(pool) => pool.install(work),
        // The current thread has been made a pool of one before.
        Err(_) => work(),
    }
}

/// Up to so many threads that wait for what they are to do, and why there are no more.
fn given(most: usize) -> (Vec<SyncSender<ThreadBuilder>>, Option<io::Error>) {
    let mut threads = Vec::new();
    while threads.len() < most {
        let (give, task) = mpsc::sync_channel::<ThreadBuilder>(1);
        let waiting = move || task.recv().into_iter().for_each(ThreadBuilder::run);
        match thread::Builder::new().spawn(waiting) {
            Ok(_) => threads.push(give),
            Err(refused) => return (threads, Some(refused)),
        }
    }
    (threads, None)
}

/// Hands each of a pool's tasks to one of `threads`.
fn handing(
    mut threads: Vec<SyncSender<ThreadBuilder>>,
) -> impl FnMut(ThreadBuilder) -> io::Result<()> {
    move |task| {
        let thread = threads.pop();
        let handed = thread.and_then(|thread| thread.send(task).ok());
        handed.ok_or_else(|| io::Error::other("a thread is gone"))
    }
}

/// A pool of so many threads, or of the current one where there are none.
fn pool(threads: usize) -> ThreadPoolBuilder {
    match threads {
        0 => ThreadPoolBuilder::new().num_threads(1).use_current_thread(),
        _ => ThreadPoolBuilder::new().num_threads(threads),
    }
}

#[cfg(test)]
mod tests {
    use rayon::prelude::*;

    use super::*;

    #[test]
    fn a_pool_has_its_threads() {
        assert_eq!(within(3, rayon::current_num_threads), 3);
        let sum = || (0..1000_u64).into_par_iter().sum::<u64>();
        assert_eq!(within(2, sum), 499_500);
    }

    #[test]
    fn a_thread_that_is_a_pool_computes_by_itself() {
        let alone = thread::spawn(|| {
            let _here = pool(0).build().unwrap();
            let inner = within(0, || (rayon::current_num_threads(), thread::current().id()));
            (inner, thread::current().id())
        });
        let ((threads, inner), here) = alone.join().unwrap();
        assert_eq!((threads, inner), (1, here));
    }
}
