//! Progress of a run for people.

use std::fmt;
use std::io::{self, IsTerminal, Write as _};
use std::time::{Duration, Instant};

use gradual_grad::Verified;
use gradual_runs::Evaluation;
use indicatif::{MultiProgress, ProgressBar, ProgressState, ProgressStyle};

use crate::TrainError;
use crate::observer::{CONTINUE, Flow, Observer, SeenStep};
use crate::trainer::note::Note;

/// Time between plain lines where there is no terminal.
const QUIET: Duration = Duration::from_secs(10);

/// A bar with steps per second, time left and the worst and mean capability; plain lines where
/// standard error is no terminal.
#[derive(Debug)]
pub struct Progress {
    name: String,
    bar: Option<ProgressBar>,
    started: Instant,
    said: Instant,
    /// Steps that were done before this process came to it.
    first: Option<u64>,
    scores: String,
}

impl Progress {
    /// A bar called `name` among `bars`.
    pub fn new(name: &str, steps: u64, bars: &MultiProgress) -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let style = "{prefix:24} {bar:24} {pos:>6}/{len} {rate} {eta:>4} left  {msg}";
            let style = ProgressStyle::with_template(style)
                .unwrap_or_else(|_| ProgressStyle::default_bar())
                .with_key("rate", |state: &ProgressState, out: &mut dyn fmt::Write| {
                    // A failure to format a number is no reason to end a run.
                    let _ = write!(out, "{:>6.0} steps/s", state.per_sec());
                });
            let bar = bars.add(ProgressBar::new(steps).with_style(style));
            bar.set_prefix(name.to_owned());
            bar
        });
        let now = Instant::now();
        Self {
            name: name.to_owned(),
            bar,
            started: now,
            said: now,
            first: None,
            scores: String::new(),
        }
    }

    /// A line of its own.
    fn say(&self, kind: &str, what: &impl fmt::Display) {
        let line = format!("{}: {kind}: {what}", self.name);
        match &self.bar {
            Some(bar) => bar.println(line),
            None => {
                let _ = writeln!(io::stderr(), "{line}");
            }
        }
    }

    fn plain(&mut self, step: u64, first: u64, steps: u64) {
        let seconds = self.started.elapsed().as_secs_f64().max(1e-9);
        let rate = (step - first) as f64 / seconds;
        let left = (steps - step) as f64 / rate;
        self.said = Instant::now();
        // A closed standard error is no reason to end a run.
        let _ = writeln!(
            io::stderr(),
            "{}: step {step}/{steps}, {rate:.0} steps/s, {left:.0} s left, {}",
            self.name,
            self.scores
        );
    }
}

impl Observer for Progress {
    fn name(&self) -> &'static str {
        "progress"
    }

    fn noted(&mut self, note: &Note) -> Result<(), TrainError> {
        self.say("note", note);
        Ok(())
    }

    fn verified(&mut self, verified: &Verified) -> Result<(), TrainError> {
        for warning in &verified.warnings {
            self.say("warning", warning);
        }
        Ok(())
    }

    fn stepped(&mut self, seen: &SeenStep<'_>) -> Result<Flow, TrainError> {
        // Only steps of this process make its speed.
        let first = *self.first.get_or_insert(seen.step - 1);
        match &self.bar {
            Some(bar) => {
                if bar.position() < first {
                    bar.set_position(first);
                    bar.reset_eta();
                }
                bar.set_position(seen.step);
            }
            None if self.said.elapsed() >= QUIET => self.plain(seen.step, first, seen.steps),
            None => {}
        }
        Ok(CONTINUE)
    }

    fn evaluated(&mut self, evaluation: &Evaluation, _seconds: f64) -> Result<Flow, TrainError> {
        let worst = evaluation.worst_accuracy().unwrap_or_default();
        let mean = evaluation.mean_accuracy().unwrap_or_default();
        self.scores = format!("worst {worst:.3}, mean {mean:.3}");
        if let Some(bar) = &self.bar {
            bar.set_message(self.scores.clone());
        }
        Ok(CONTINUE)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
