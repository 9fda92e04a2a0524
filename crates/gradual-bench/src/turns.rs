//! Both sides in turn, each case in a process of its own.
//!
//! A machine's speed drifts, most of all a shared one's. Our methods take turns round by round within one
//! process; with the peers the turns are longer, peers, ours, peers, ours, half of the repetitions each,
//! so that a drift hits both sides. Peaks of memory are taken one method per process.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use gradual_backends::backend::Backend;

use crate::case::Case;
use crate::measured::Measured;
use crate::method::Method;
use crate::model::Kind;

/// Repetitions that a peak of memory is taken over.
const FOR_MEMORY: usize = 3;

/// How cases are measured.
#[derive(Debug)]
pub(crate) struct Turns {
    /// What ours run on.
    pub(crate) backend: Backend,
    pub(crate) threads: usize,
    pub(crate) repetitions: usize,
    pub(crate) peers: Option<Peers>,
}

/// Where the peers are.
#[derive(Debug)]
pub(crate) struct Peers {
    pub(crate) python: PathBuf,
    pub(crate) script: PathBuf,
    /// What those that can choose run on: `cpu` or `cuda`.
    pub(crate) device: String,
}

impl Turns {
    /// The peers' results, where they are asked for, and ours. `peers` are the names of those that are
    /// timed; none means all.
    pub(crate) fn measure(
        &self,
        model: Kind,
        draw: usize,
        methods: &[Method],
        peers: &[&str],
    ) -> anyhow::Result<Vec<Measured>> {
        let mut theirs = Vec::new();
        let mut ours = Vec::new();
        let mut wanted: Vec<String> = peers.iter().map(|&name| name.to_owned()).collect();
        for (turn, repetitions) in self.halves().into_iter().enumerate() {
            if let Some(script) = &self.peers
                && (turn == 0 || !wanted.is_empty())
            {
                let measured = script.turn(model, draw, self.threads, repetitions, &wanted)?;
                join(&mut theirs, measured);
                // What could not be done in the first turn is not tried again.
                let done = theirs.iter().filter(|each| each.skipped.is_none());
                wanted = done.map(|each| each.method.clone()).collect();
            }
            join(&mut ours, self.ours(model, draw, methods, repetitions)?);
        }
        for (measured, method) in ours.iter_mut().zip(methods) {
            if let Some(alone) = self.ours(model, draw, &[*method], FOR_MEMORY)?.pop() {
                measured.peak_memory_bytes = alone.peak_memory_bytes;
                measured.start_memory_bytes = alone.start_memory_bytes;
            }
        }
        theirs.extend(ours);
        Ok(theirs)
    }

    /// The repetitions of each turn: two turns where there is someone to take turns with.
    fn halves(&self) -> Vec<usize> {
        let first = match self.peers {
            Some(_) => self.repetitions.div_ceil(2),
            None => self.repetitions,
        };
        let turns = [first, self.repetitions - first].into_iter();
        turns.filter(|&repetitions| repetitions > 0).collect()
    }

    fn ours(
        &self,
        model: Kind,
        draw: usize,
        methods: &[Method],
        repetitions: usize,
    ) -> anyhow::Result<Vec<Measured>> {
        let case = Case {
            model,
            draw,
            threads: self.threads,
            repetitions,
            methods: methods.to_vec(),
        };
        lines(&mut self.of_case(&case)?)
    }

    /// The process that measures a case of ours.
    pub(crate) fn of_case(&self, case: &Case) -> anyhow::Result<Command> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(["bench", "--backend", &self.backend.argument()])
            .arg("--case")
            .arg(serde_json::to_string(case)?);
        Ok(command)
    }
}

impl Peers {
    /// The peers `wanted`, or all where none is named, by the script that knows them.
    fn turn(
        &self,
        model: Kind,
        draw: usize,
        threads: usize,
        repetitions: usize,
        wanted: &[String],
    ) -> anyhow::Result<Vec<Measured>> {
        let mut command = self.command(model, draw, threads, repetitions);
        if !wanted.is_empty() {
            command.args(["--peers", &wanted.join(",")]);
        }
        lines(&mut command)
    }

    /// The script that measures the peers on one model and draw.
    pub(crate) fn command(
        &self,
        model: Kind,
        draw: usize,
        threads: usize,
        repetitions: usize,
    ) -> Command {
        let mut command = Command::new(&self.python);
        command
            .arg(&self.script)
            .args(["--models", &model.to_string()])
            .args(["--draws", &draw.to_string()])
            .args(["--device", &self.device])
            .args(["--threads", &threads.to_string()])
            .args(["--repetitions", &repetitions.to_string()]);
        command
    }
}

/// Adds the results of a turn to those of the turns before.
fn join(all: &mut Vec<Measured>, turn: Vec<Measured>) {
    for later in turn {
        match all.iter_mut().find(|each| each.method == later.method) {
            Some(each) => each.join(later),
            None => all.push(later),
        }
    }
}

/// Runs a command that prints one measurement per line.
fn lines(command: &mut Command) -> anyhow::Result<Vec<Measured>> {
    let name = command.get_program().display().to_string();
    let output = command.stderr(Stdio::inherit()).output();
    let output = output.with_context(|| format!("could not start {name}"))?;
    if !output.status.success() {
        bail!("{name} failed: {}", output.status);
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let each = text
        .lines()
        .map(|line| serde_json::from_str(line).with_context(|| line.to_owned()));
    each.collect::<anyhow::Result<_>>()
        .with_context(|| format!("unexpected output of {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measured::sample;

    fn turns(repetitions: usize, peers: bool) -> Turns {
        Turns {
            backend: Backend::choose(None).unwrap(),
            threads: 1,
            repetitions,
            peers: peers.then(|| Peers {
                python: "python".into(),
                script: "peers.py".into(),
                device: "cpu".into(),
            }),
        }
    }

    #[test]
    fn repetitions_are_halved_where_there_are_peers() {
        assert_eq!(turns(30, true).halves(), [15, 15]);
        assert_eq!(turns(5, true).halves(), [3, 2]);
        assert_eq!(turns(1, true).halves(), [1]);
        assert_eq!(turns(30, false).halves(), [30]);
    }

    #[test]
    fn turns_are_joined_by_method() {
        let mut all = vec![sample(false, "vmap", &[1.0], 1)];
        join(
            &mut all,
            vec![
                sample(false, "jax", &[5.0], 1),
                sample(false, "vmap", &[2.0], 1),
            ],
        );
        assert_eq!(all.len(), 2);
        assert_eq!(all[0].seconds, [1.0, 2.0]);
    }

    #[cfg(unix)]
    #[test]
    fn output_that_is_no_measurement_is_shown() {
        let error = lines(Command::new("echo").arg("hello")).unwrap_err();
        assert!(format!("{error:#}").contains("hello"));
        assert!(lines(&mut Command::new("/no/such/program")).is_err());
    }
}
