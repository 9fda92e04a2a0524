//! Interrupts.

use anyhow::Context as _;
use gradual::runs::streams::tell;
use gradual::train::Interrupt;

use super::INTERRUPTED;

/// The request to stop that an interrupt (Ctrl-C) or a termination signal makes. A second one ends the
/// program at once; what was written by then stays whole.
pub(super) fn listen() -> anyhow::Result<Interrupt> {
    let interrupt = Interrupt::default();
    let asked = interrupt.clone();
    ctrlc::set_handler(move || {
        if asked.asked() {
            std::process::exit(INTERRUPTED.into());
        }
        asked.ask();
        tell("stopping after the next step; once more stops at once");
    })
    .context("could not listen to signals")?;
    Ok(interrupt)
}
