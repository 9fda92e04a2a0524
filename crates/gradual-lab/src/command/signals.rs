//! Interrupts.

use std::thread;

use anyhow::Context as _;
use gradual::runs::streams::tell;
use gradual::train::Interrupt;

use super::INTERRUPTED;

/// The request to stop that an interrupt (Ctrl-C), a termination signal or a closed terminal makes. A second one ends
/// the program at once; what was written by then stays whole. Signals that were ignored when the program began, as
/// under `nohup`, stay so.
pub(super) fn listen() -> anyhow::Result<Interrupt> {
    let interrupt = Interrupt::default();
    let asked = interrupt.clone();
    let stop = move || {
        if asked.asked() {
            std::process::exit(INTERRUPTED.into());
        }
        asked.ask();
        tell("stopping after the next step; once more stops at once");
    };
    wait(stop).context("could not listen to signals")?;
    Ok(interrupt)
}

#[cfg(unix)]
fn wait(stop: impl Fn() + Send + 'static) -> anyhow::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    let heard = [SIGINT, SIGTERM, SIGHUP].into_iter();
    let mut signals = Signals::new(heard.filter(|&signal| !is_ignored(signal)))?;
    thread::spawn(move || signals.forever().for_each(|_| stop()));
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
fn wait(stop: impl Fn() + Send + 'static) -> anyhow::Result<()> {
    Ok(ctrlc::set_handler(stop)?)
}
