//! Interrupts.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use gradual::runs::streams::tell;
use gradual::train::Interrupt;

use super::INTERRUPTED;

/// A termination signal so soon after the first request to stop is the same one: a scheduler tells every process of a job, and
/// the job's script passes on what it was told.
const SAME: Duration = Duration::from_secs(5);

/// The request to stop that an interrupt (Ctrl-C), a termination signal or a closed terminal makes. A second one ends
/// the program at once, but for a termination signal within [`SAME`]; what was written by then stays whole. Signals that were ignored when the program began, as
/// under `nohup`, stay so.
pub(super) fn listen() -> anyhow::Result<Interrupt> {
    let interrupt = Interrupt::default();
    let asked = interrupt.clone();
    let mut first: Option<Instant> = None;
    let stop = move |is_typed: bool| {
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
    Ok(interrupt)
}

#[cfg(unix)]
fn wait(mut stop: impl FnMut(bool) + Send + 'static) -> anyhow::Result<()> {
    use std::sync::Arc;

    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
    use signal_hook::flag;
    use signal_hook::iterator::Signals;

    // A limit on the size of files would end the program without a word; so it makes a write fail that says so.
    flag::register(SIGXFSZ, Arc::default())?;

    let heard = [SIGINT, SIGTERM, SIGHUP].into_iter();
    let mut signals = Signals::new(heard.filter(|&signal| !is_ignored(signal)))?;
    thread::spawn(move || signals.forever().for_each(|signal| stop(signal == SIGINT)));
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
