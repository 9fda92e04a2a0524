//! Interrupts.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use gradual::runs::streams::tell;
use gradual::train::Interrupt;

use super::INTERRUPTED;

/// A termination signal so soon after the first request to stop is the same one: a scheduler tells every process of a job, and
/// the job's script passes on what it was told.
const SAME: Duration = Duration::from_secs(5);

/// A program that listens to signals and has nothing to lose yet.
pub(super) struct Listening {
    interrupt: Interrupt,
    has_begun: Arc<AtomicBool>,
}

impl Listening {
    /// From here on a signal is a request to stop, and no longer the end at once.
    pub(super) fn begun(self) -> Interrupt {
        self.has_begun.store(true, Ordering::Relaxed);
        self.interrupt
    }
}

/// The request to stop that an interrupt (Ctrl-C), a termination signal or a closed terminal makes. A second one ends
/// the program at once, but for a termination signal within [`SAME`]; what was written by then stays whole. Signals that were ignored when the program began, as
/// under `nohup`, stay so. Before anything has [begun](Listening::begun), while data are read, the first one ends the program.
pub(super) fn listen() -> anyhow::Result<Listening> {
    let (interrupt, has_begun) = (Interrupt::default(), Arc::new(AtomicBool::new(false)));
    let (asked, begun) = (interrupt.clone(), Arc::clone(&has_begun));
    let mut first: Option<Instant> = None;
    let stop = move |is_typed: bool| {
        if !begun.load(Ordering::Relaxed) {
            std::process::exit(INTERRUPTED.into());
        }
        if let Some(first) = first {
            if is_typed || first.elapsed() > SAME {
                std::process::exit(INTERRUPTED.into());
            }
            return;
        }
        first = Some(Instant::now());
        asked.ask();
        tell("stopping after the next step; once more stops at once");
    };
    wait(stop).context("could not listen to signals")?;
    Ok(Listening {
        interrupt,
        has_begun,
    })
}

#[cfg(unix)]
fn wait(mut stop: impl FnMut(bool) + Send + 'static) -> anyhow::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    gradual::runs::process::outlive_file_limits();
    let heard = [SIGINT, SIGTERM, SIGHUP].into_iter();
    let mut signals = Signals::new(heard.filter(|&signal| !is_ignored(signal)))?;
    let listening = move || signals.forever().for_each(|signal| stop(signal == SIGINT));
    thread::Builder::new().spawn(listening)?;
    Ok(())
}

/// Whether this process ignores a signal, where the system tells it.
#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

#[cfg(not(unix))]
fn wait(mut stop: impl FnMut(bool) + Send + 'static) -> anyhow::Result<()> {
    Ok(ctrlc::set_handler(move || stop(true))?)
}
