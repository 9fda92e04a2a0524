//! One draw, tried in a process of its own under limits of memory and time.

use std::io::Read as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use super::search::Tried;
use crate::case::Case;
use crate::measured::Measured;
use crate::method::Method;
use crate::model::Kind;
use crate::turns::Turns;

const GIB: f64 = 1_073_741_824.0;
/// How long a try may take, two of our steps or one of a peer's.
const SECONDS: u64 = 120;
/// What is said where there is no memory, by the standard library and by others that allocate.
const NO_MEMORY: [&str; 3] = ["memory allocation of", "AllocError", "out of memory"];
/// What the peers' script says where there is no room.
const NO_ROOM: [&str; 2] = ["needs more memory", "the rows alone need"];

/// What a try may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    gib: f64,
}

impl Limits {
    pub(super) fn new(gib: f64) -> Self {
        Self { gib }
    }

    /// One of our steps.
    pub(super) fn ours(
        self,
        turns: &Turns,
        model: Kind,
        draw: usize,
        method: Method,
    ) -> anyhow::Result<Tried> {
        let case = Case {
            model,
            draw,
            threads: turns.threads,
            repetitions: 1,
            methods: vec![method],
        };
        let inner = turns.of_case(&case)?;
        // The shell sets the limit, and becomes the program.
        let mut command = Command::new("sh");
        command
            .args(["-c", "ulimit -d \"$0\" && exec \"$@\""])
            .arg(((self.gib * GIB) as u64 / 1024).to_string())
            .arg(inner.get_program())
            .args(inner.get_args());
        let Some(ended) = Ended::within(&mut command, Duration::from_secs(SECONDS))? else {
            return Ok(Tried::TooSlow);
        };
        if !ended.status.success() {
            return match NO_MEMORY.iter().any(|said| ended.errors.contains(said)) {
                true => Ok(Tried::TooLarge),
                false => bail!(
                    "{model} at draw {draw}, {}: {}\n{}",
                    method.name(),
                    ended.status,
                    ended.errors
                ),
            };
        }
        let measured: Measured =
            serde_json::from_str(&ended.output).with_context(|| ended.output.clone())?;
        Ok(Tried::Fits(measured.median().unwrap_or_default()))
    }

    /// A step of a peer.
    pub(super) fn peer(
        self,
        turns: &Turns,
        model: Kind,
        draw: usize,
        peer: &str,
    ) -> anyhow::Result<Tried> {
        let peers = turns.peers.as_ref().context("there are no peers")?;
        let mut command = peers.command(model, draw, turns.threads, 1);
        command
            .args(["--peers", peer, "--budget", "0"])
            .args(["--memory-limit", &self.gib.to_string()])
            .args(["--time-limit", &SECONDS.to_string()]);
        // The script keeps to both limits.
        let ended = Ended::within(&mut command, Duration::from_secs(10 * SECONDS))?;
        let ended = ended.with_context(|| format!("{peer} does not end"))?;
        if !ended.status.success() {
            bail!(
                "{peer}, {model} at draw {draw}: {}\n{}",
                ended.status,
                ended.errors
            );
        }
        let measured: Measured =
            serde_json::from_str(&ended.output).with_context(|| ended.output.clone())?;
        Ok(said_by_peer(&measured))
    }
}

/// What came of a step, by what the peers' script says of it.
fn said_by_peer(measured: &Measured) -> Tried {
    match &measured.skipped {
        None => Tried::Fits(measured.median().unwrap_or_default()),
        Some(why) if NO_ROOM.iter().any(|said| why.contains(said)) => Tried::TooLarge,
        Some(why) if why.starts_with("not done after") => Tried::TooSlow,
        // Libraries that end themselves where they get no memory.
        Some(why) if why.starts_with("ended by signal") => Tried::TooLarge,
        Some(why) => Tried::Never(why.clone()),
    }
}

/// A process that has ended.
struct Ended {
    status: ExitStatus,
    output: String,
    errors: String,
}

impl Ended {
    /// Runs a command whose output is short; none where it takes longer, and it is stopped then.
    fn within(command: &mut Command, time: Duration) -> anyhow::Result<Option<Self>> {
        let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().context("could not start a try")?;
        let began = Instant::now();
        loop {
            if let Some(status) = child.try_wait()? {
                return Self::of(status, child).map(Some);
            }
            if began.elapsed() > time {
                child.kill()?;
                child.wait()?;
                return Ok(None);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn of(status: ExitStatus, mut child: Child) -> anyhow::Result<Self> {
        let (mut output, mut errors) = (Vec::new(), Vec::new());
        if let Some(from) = &mut child.stdout {
            from.read_to_end(&mut output)?;
        }
        if let Some(from) = &mut child.stderr {
            from.read_to_end(&mut errors)?;
        }
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).trim().to_owned();
        Ok(Self {
            status,
            output: text(output),
            errors: text(errors),
        })
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::measured::sample;

    fn of(script: &str, milliseconds: u64) -> Option<Ended> {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Ended::within(&mut command, Duration::from_millis(milliseconds)).unwrap()
    }

    #[test]
    fn a_try_is_stopped_when_its_time_is_over() {
        let ended = of("echo out; echo err >&2; exit 3", 60_000).unwrap();
        assert_eq!(
            (
                ended.output.as_str(),
                ended.errors.as_str(),
                ended.status.code()
            ),
            ("out", "err", Some(3))
        );
        assert!(of("exec sleep 60", 50).is_none());
    }

    #[test]
    fn what_peers_say_is_understood() {
        let said = |why: &str| {
            said_by_peer(&Measured {
                skipped: Some(why.to_owned()),
                ..Measured::default()
            })
        };
        assert_eq!(
            said("needs more memory than the limit of 8 GiB"),
            Tried::TooLarge
        );
        assert_eq!(
            said("the rows alone need 9.1 GiB, more than the limit of 8"),
            Tried::TooLarge
        );
        assert_eq!(said("ended by signal 6"), Tried::TooLarge);
        assert_eq!(said("not done after 300 s"), Tried::TooSlow);
        let never = "not for this model or device";
        assert_eq!(said(never), Tried::Never(never.to_owned()));
        assert_eq!(
            said_by_peer(&sample(false, "vmap", &[2.0], 1)),
            Tried::Fits(2.0)
        );
    }
}
