//! What `experiment.json` says: the experiment, and every command that made its runs.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs;

use anyhow::Context as _;
use gradual::runs::files::{self, EXPERIMENT, replace, sweep};
use gradual::runs::streams::{steers, tell};
use gradual::runs::{
    ArmRecord, CommandRecord, ExperimentRecord, FolderLock, Place, Record, RunsError, SCHEMA,
};

use gradual::train::Interrupt;
use gradual_registry::excerpt;

use super::Interrupted;
use super::late::late_claims;
use crate::arm::Arm;
use crate::runner::Plan;

/// How many commands are recorded.
const COMMANDS: usize = 200;
/// Longest command that is recorded as a whole, in bytes.
const LONGEST: usize = 16_384;

/// Writes or brings up to date the `experiment.json` of a plan, so that there is a report of whatever its runs come to.
///
/// Arms of earlier command lines stay, for their runs may be under way; so do the earlier commands, the last
/// [`COMMANDS`] of them. A command that has nothing to run is not one of them, unless it is the first. Returns the record that was
/// there before.
///
/// # Errors
/// [`Interrupted`] where somebody else holds the folder and this program is told to end meanwhile; what can't be read or written.
pub(super) fn write(
    plan: &Plan<'_>,
    command: CommandRecord,
    has_runs: bool,
    interrupt: &Interrupt,
) -> anyhow::Result<Option<ExperimentRecord>> {
    fs::create_dir_all(&plan.folder)
        .with_context(|| format!("could not create {}", plan.folder.display()))?;
    let _lock = locked(plan, interrupt)?;
    // What a program that was killed while it held the folder left half written.
    sweep(&plan.folder)?;
    let before = before(plan)?;
    let record = with_those_before(plan, before.clone(), command, has_runs)?;
    replace(&plan.folder.join(EXPERIMENT), record.to_line()? + "\n")?;
    Ok(before)
}

/// Takes a command out of the record again of which no run could begin, because another program had begun runs that they can't stand
/// beside. What it said of its data is that of the record `before` it, if there was one.
pub(super) fn take_back(
    plan: &Plan<'_>,
    command: &CommandRecord,
    earlier: Option<ExperimentRecord>,
    interrupt: &Interrupt,
) -> anyhow::Result<()> {
    let _lock = locked(plan, interrupt)?;
    let Some(mut record) = before(plan)? else {
        return Ok(());
    };
    record.commands.retain(|other| other != command);
    if record.commands.is_empty() {
        return Ok(());
    }
    if let Some(earlier) = earlier
        && record.notes.starts_with(plan.experiment.task.notes())
    {
        record.notes = earlier.notes;
    }
    Ok(replace(
        &plan.folder.join(EXPERIMENT),
        record.to_line()? + "\n",
    )?)
}

/// Holds the folder of a plan.
fn locked(plan: &Plan<'_>, interrupt: &Interrupt) -> anyhow::Result<FolderLock> {
    let waiting = || {
        tell(format_args!(
            "waiting for another program to be done with {}",
            plan.folder.display()
        ));
    };
    match FolderLock::wait_while(&plan.folder, waiting, || !interrupt.asked()) {
        Err(RunsError::Locked { .. }) if interrupt.asked() => {
            Err(Interrupted::with(plan.count() as usize).into())
        }
        taken => Ok(taken?),
    }
}

/// Refuses a plan whose `experiment.json` could not be written, or not be read back, before anything is moved or run.
pub(super) fn check(plan: &Plan<'_>, command: &CommandRecord) -> anyhow::Result<()> {
    let record =
        before(plan).and_then(|before| with_those_before(plan, before, command.clone(), true));
    let written = record.and_then(|record| {
        record.check(None)?;
        Ok(record.to_line().map(drop)?)
    });
    written.context("nothing was run")
}

/// The record that is there, if one is.
fn before(plan: &Plan<'_>) -> anyhow::Result<Option<ExperimentRecord>> {
    let file = plan.folder.join(EXPERIMENT);
    let before = match files::read::<ExperimentRecord>(&file) {
        Ok(before) => Some(before),
        Err(RunsError::Missing { .. }) => None,
        Err(error) => {
            // A folder that is a file, or whose name is too long, holds no record.
            return Err(error).context(match file.symlink_metadata().is_ok() {
                true => String::from(
                    "the experiment's record can't be read: move it away, and the same command writes it again",
                ),
                false => format!("no run can be written to {}: give another --out", plan.folder.display()),
            });
        }
    };
    if let Some(before) = &before
        && before.name != plan.experiment.name
    {
        anyhow::bail!(
            "{} is of the experiment '{}', and this is '{}': give another --out, or move it away",
            file.display(),
            excerpt(&before.name, 100),
            plan.experiment.name
        );
    }
    Ok(before)
}

/// The record with the arms and commands of the one before. The command is one of those that made runs if it `has_runs`, or is the first.
fn with_those_before(
    plan: &Plan<'_>,
    before: Option<ExperimentRecord>,
    command: CommandRecord,
    has_runs: bool,
) -> anyhow::Result<ExperimentRecord> {
    let late = late_claims(plan, before.as_ref())?;
    let (arms_before, mut commands) =
        before.map_or_else(Default::default, |record| (record.arms, record.commands));
    if commands.last() != Some(&command) && (has_runs || commands.is_empty()) {
        commands.push(command);
    }
    commands.drain(..commands.len().saturating_sub(COMMANDS));
    let mut record = record(plan, arms(plan, arms_before)?, commands);
    record.notes.extend(late);
    Ok(record)
}

fn record(plan: &Plan<'_>, arms: Vec<ArmRecord>, commands: Vec<CommandRecord>) -> ExperimentRecord {
    let experiment = plan.experiment;
    ExperimentRecord {
        schema: SCHEMA,
        name: experiment.name.clone(),
        title: experiment.title.clone(),
        claim: experiment.hypothesis.clone(),
        baseline: experiment.baseline.clone(),
        reference: experiment.reference.clone(),
        arms,
        claims: experiment.claims.clone(),
        notes: experiment.task.notes().to_vec(),
        commands,
    }
}

/// The arms that run when none is named, those of this plan, and those that have run before.
fn arms(plan: &Plan<'_>, before: Vec<ArmRecord>) -> anyhow::Result<Vec<ArmRecord>> {
    let experiment = plan.experiment;
    let run_now: BTreeSet<&str> = plan.arms.iter().map(|arm| arm.name.as_str()).collect();
    let mut names = experiment.names();
    names.retain(|name| {
        experiment.arms.contains(name)
            || run_now.contains(name.as_str())
            || plan.folder.join(name).is_dir()
    });
    let chosen = experiment.choose(&names)?;
    let mut arms: Vec<ArmRecord> = chosen.iter().map(Arm::record).collect();
    for arm in before {
        match arms.iter_mut().find(|other| other.name == arm.name) {
            Some(now) => now.runs = arm.runs,
            None => arms.push(arm),
        }
    }
    let places = Place::all(&plan.folder)?.runs;
    for arm in &plan.arms {
        if let Some(record) = arms.iter_mut().find(|record| record.name == arm.name) {
            record.runs = Some(plan.seeds(arm) + others(plan, arm, &places));
        }
    }
    Ok(arms)
}

/// How many runs of an arm are there that the plan has not: of other seeds.
fn others(plan: &Plan<'_>, arm: &Arm, places: &[Place]) -> u64 {
    let planned = plan.first_seed..plan.first_seed + plan.seeds(arm);
    let of_arm = places.iter().filter(|place| place.arm == arm.name);
    of_arm
        .filter(|place| !planned.contains(&place.seed))
        .count() as u64
}

/// The command `words`, such as `cargo xtask experiment`, with these arguments.
pub(super) fn command(words: &str, arguments: &[OsString]) -> CommandRecord {
    let mut command = words.to_owned();
    for argument in whole(arguments) {
        command.push(' ');
        command += &quoted(argument);
    }
    if command.len() > LONGEST {
        command = format!("{} (cut)", excerpt(&command, LONGEST));
    }
    if arguments.iter().any(|argument| is_pipe(argument)) {
        command += "  # from a pipe: give the same data again";
    }
    CommandRecord {
        command,
        version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        // Set by `cargo xtask`, which builds the program from a checkout.
        commit: std::env::var("GRADUAL_COMMIT")
            .ok()
            .filter(|commit| !commit.is_empty()),
    }
}

/// The arguments without those that ask for a part of the runs: the record is of the experiment, whoever ran which of its
/// runs.
fn whole(arguments: &[OsString]) -> impl Iterator<Item = &OsString> {
    let mut after_part = false;
    arguments.iter().filter(move |argument| {
        let text = argument.to_string_lossy();
        let name = text.split_once('=').map_or(&*text, |(name, _)| name);
        let is_part = ["--only", "--shard"].contains(&name);
        // A flag whose value may be left out takes whatever is no flag.
        let is_value = after_part && !text.starts_with('-');
        after_part = is_part && name == text;
        !is_part && !is_value && text != "--collect"
    })
}

/// Whether an argument names what only this process could read: standard input, a file descriptor as a shell's `<(…)` is, or a named
/// pipe.
pub(crate) fn is_pipe(argument: &OsStr) -> bool {
    let text = argument.to_string_lossy();
    let value = text.split_once('=').map_or(&*text, |(_, value)| value);
    let folders = ["/dev/fd/", "/dev/stdin", "/proc/self/fd/"];
    value == "-" || folders.iter().any(|folder| value.starts_with(folder)) || is_named_pipe(value)
}

#[cfg(unix)]
fn is_named_pipe(path: &str) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    fs::metadata(path).is_ok_and(|there| there.file_type().is_fifo())
}

#[cfg(not(unix))]
fn is_named_pipe(_: &str) -> bool {
    false
}

/// The program that runs, as it was called.
pub(super) fn own_command() -> CommandRecord {
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    let program = match arguments.is_empty() {
        true => OsString::from("study"),
        false => arguments.remove(0),
    };
    command(&quoted(&program), &arguments)
}

/// An argument as a shell takes it. One that is no text, or holds control characters, stands in the form `$'…'` of
/// bash, zsh and POSIX 2024.
pub(crate) fn quoted(argument: &OsStr) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./=,:+@%".contains(letter);
    let steering = |letter: char| letter.is_control() || steers(letter);
    match argument.to_str() {
        Some(text) if !text.is_empty() && text.chars().all(plain) => text.to_owned(),
        Some(text) if !text.chars().any(steering) => {
            format!("'{}'", text.replace('\'', r"'\''"))
        }
        _ => {
            let bytes = argument.as_encoded_bytes().iter();
            let escaped = bytes.map(|&byte| match byte {
                b'\'' | b'\\' => format!("\\{}", char::from(byte)),
                b' '..=b'~' => char::from(byte).to_string(),
                _ => format!("\\{byte:03o}"),
            });
            format!("$'{}'", escaped.collect::<String>())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_quoted_for_a_shell() {
        for (argument, expected) in [
            ("--seeds=3", "--seeds=3"),
            ("", "''"),
            (
                "mine=grouping:spectral(k=8)",
                "'mine=grouping:spectral(k=8)'",
            ),
            ("it's", r"'it'\''s'"),
            ("$HOME `x` \"y\"", "'$HOME `x` \"y\"'"),
            ("a\nb\u{1b}[2J'\\", r"$'a\012b\033[2J\'\\'"),
            ("überall", "'überall'"),
            ("r\u{202e}b", r"$'r\342\200\256b'"),
        ] {
            assert_eq!(quoted(OsStr::new(argument)), expected);
        }
    }

    #[test]
    fn which_part_is_run_is_no_part_of_the_record() {
        for part in [
            "skills --seeds 3 --only 12 --out runs",
            "skills --seeds 3 --only --out runs",
            "skills --seeds 3 --only=12,13 --out runs",
            "skills --seeds 3 --shard 0/4 --out runs",
            "--shard 0/2 skills --seeds 3 --out runs",
            "skills --seeds 3 --collect --out runs",
            "skills --seeds 3 --shard=1/4 --out runs",
            "skills --seeds 3 --out runs --shard",
        ] {
            let arguments: Vec<OsString> = part.split(' ').map(OsString::from).collect();
            let said = command("x", &arguments).command;
            assert_eq!(said, "x skills --seeds 3 --out runs", "{part}");
        }
    }

    #[test]
    fn data_from_a_pipe_is_said_to_be() {
        let said = |arguments: &[&str]| {
            let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
            command("x", &arguments).command
        };
        #[cfg(unix)]
        {
            let home = tempfile::tempdir().unwrap();
            let pipe = home.path().join("pipe");
            let made = std::process::Command::new("mkfifo").arg(&pipe).status();
            assert!(made.unwrap().success());
            let said = said(&["--data", pipe.to_str().unwrap()]);
            assert!(said.contains("# from a pipe"), "{said}");
        }
        for arguments in [
            &["--data", "-"][..],
            &["--data=-"],
            &["--data", "/dev/fd/63"],
            &["--data=/dev/stdin"],
        ] {
            let said = said(arguments);
            assert!(
                said.ends_with("  # from a pipe: give the same data again"),
                "{said}"
            );
        }
        assert_eq!(
            said(&["--data", "a-b.csv", "--seeds=3"]),
            "x --data a-b.csv --seeds=3"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_shell_reads_them_back() {
        use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
        use std::process::Command;

        let arguments = [
            &b"a b"[..],
            b"it's",
            b"\xff\xfe no text",
            b"line\nfeed and \x1b[0m",
            "überall".as_bytes(),
            b"$(touch x) `y` \\ \" ! * ?",
        ];
        for bytes in arguments {
            let argument = OsString::from_vec(bytes.to_vec());
            let script = format!("printf %s {}", quoted(&argument));
            let output = Command::new("bash").args(["-c", &script]).output().unwrap();
            assert_eq!(output.stdout, argument.as_os_str().as_bytes(), "{script}");
        }
    }
}
