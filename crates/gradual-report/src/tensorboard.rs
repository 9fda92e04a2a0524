//! TensorBoard event files: the curves of every run as scalars.
//!
//! A file of events is a row of records, each `length (8 bytes, little endian), masked CRC-32C of it (4),
//! data, masked CRC-32C of the data (4)` as TensorFlow's `record_writer` has it, and the data is a protocol
//! buffer `Event`. Of that message four fields are needed, so it is written by hand:
//!
//! ```text
//! Event   { double wall_time = 1; int64 step = 2; string file_version = 3; Summary summary = 5; }
//! Summary { repeated Value value = 1; }    Value { string tag = 1; float simple_value = 2; }
//! ```
//!
//! Seconds of training stand in for the wall-clock time, so equal runs have equal files. A file that grew during a run
//! ([`EventFile`]) is the one that a report writes of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use gradual_measure::{Evaluation, Timing};
use gradual_runs::files::{self, CURVES, TIMING};
use gradual_runs::{Journal, Lines, Place, RunsError};

use crate::ReportError;
use crate::folder::Folder;
use crate::output::ReportFolder;
use crate::stop::Stop;

/// The folder of event files, in that of an experiment and in a report.
const FOLDER: &str = gradual_runs::files::TENSORBOARD;
/// The name that TensorBoard looks for.
const NAME: &str = "events.out.tfevents.0.gradual";

/// Writes `tensorboard/<arm>/seed-<s>/events.out.tfevents.0.gradual` for every run into the report.
pub(crate) fn write(
    folder: &Folder,
    report: &mut ReportFolder,
    stop: &Stop,
) -> Result<(), ReportError> {
    for arm in &folder.arms {
        for run in &arm.runs {
            stop.check()?;
            let place = format!("{FOLDER}/{}/seed-{}", arm.name, run.seed);
            let events = events(&run.evaluations, &run.timings);
            report.write(&format!("{place}/{NAME}"), events)?;
        }
    }
    Ok(())
}

/// The event file of a run that is under way, `<experiment>/tensorboard/<arm>/seed-<s>/`, which grows with its evaluations.
#[derive(Debug)]
pub struct EventFile(Journal);

impl EventFile {
    /// Begins the file of the run at `place`, in the folder of its experiment, with the evaluations that its journals hold:
    /// those up to the checkpoint that a stopped run goes on from. What TensorBoard has shown of later ones it shows anew.
    ///
    /// # Errors
    /// Those of [`Lines::read`] and [`Journal::create`], and [`RunsError::Link`] or [`RunsError::Kind`] where something else
    /// than a folder is on the way there.
    pub fn begin(experiment: &Path, place: &Place) -> Result<Self, RunsError> {
        let evaluations: Vec<Evaluation> = records(&place.folder.join(CURVES))?;
        let timings: Vec<Timing> = records(&place.folder.join(TIMING))?;
        let mut folder = experiment.to_owned();
        for part in [FOLDER, &place.arm, &format!("seed-{}", place.seed)] {
            folder.push(part);
            if !files::is_folder(&folder)? {
                fs::create_dir(&folder)
                    .or_else(|error| match error.kind() {
                        // Another run of the arm was faster.
                        std::io::ErrorKind::AlreadyExists => Ok(()),
                        _ => Err(error),
                    })
                    .map_err(RunsError::file("create", &folder))?;
            }
        }
        let content = events(&evaluations, &timings);
        Journal::create(&folder.join(NAME), content).map(Self)
    }

    /// Adds an evaluation, `seconds` of training after the start.
    ///
    /// # Errors
    /// Those of [`Journal::append_bytes`].
    pub fn add(&mut self, evaluation: &Evaluation, seconds: f64) -> Result<(), RunsError> {
        let mut content = Vec::new();
        event(&mut content, evaluation, seconds);
        self.0.append_bytes(&content)
    }
}

/// The records of a journal; none where there is no such file.
fn records<R: gradual_runs::Record>(path: &Path) -> Result<Vec<R>, RunsError> {
    match files::is_file(path)? {
        true => Ok(Lines::read(path, false)?.records),
        false => Ok(Vec::new()),
    }
}

fn events(evaluations: &[Evaluation], timings: &[Timing]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut version = Vec::new();
    double(&mut version, 1, 0.0);
    bytes(&mut version, 3, b"brain.Event:2");
    record(&mut file, &version);
    let seconds = timings.iter().rev().map(|one| (one.step, one.seconds));
    let seconds: BTreeMap<u64, f64> = seconds.collect();
    for one in evaluations {
        let seconds = seconds.get(&one.step).copied().unwrap_or(0.0);
        event(&mut file, one, seconds);
    }
    file
}

fn event(file: &mut Vec<u8>, one: &Evaluation, seconds: f64) {
    let mut summary = Vec::new();
    let mut scalar = |tag: &str, number: f64| {
        let mut value = Vec::new();
        bytes(&mut value, 1, tag.as_bytes());
        float(&mut value, 2, number as f32);
        bytes(&mut summary, 1, &value);
    };
    scalar("train_loss", one.train_loss);
    for (name, capability) in &one.capabilities {
        scalar(&format!("accuracy/{name}"), capability.accuracy);
        scalar(&format!("loss/{name}"), capability.loss);
        if let Some(probability) = capability.probability {
            scalar(&format!("probability/{name}"), probability);
        }
    }
    let mut event = Vec::new();
    double(&mut event, 1, seconds);
    varint(&mut event, 2 << 3);
    varint(&mut event, one.step);
    bytes(&mut event, 5, &summary);
    record(file, &event);
}

fn record(file: &mut Vec<u8>, data: &[u8]) {
    let length = (data.len() as u64).to_le_bytes();
    file.extend(length);
    file.extend(masked(&length).to_le_bytes());
    file.extend(data);
    file.extend(masked(data).to_le_bytes());
}

fn masked(data: &[u8]) -> u32 {
    crc32c::crc32c(data)
        .rotate_right(15)
        .wrapping_add(0xa282_ead8)
}

fn varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn double(out: &mut Vec<u8>, field: u64, number: f64) {
    varint(out, field << 3 | 1);
    out.extend(number.to_le_bytes());
}

fn float(out: &mut Vec<u8>, field: u64, number: f32) {
    varint(out, field << 3 | 5);
    out.extend(number.to_le_bytes());
}

fn bytes(out: &mut Vec<u8>, field: u64, content: &[u8]) {
    varint(out, field << 3 | 2);
    varint(out, content.len() as u64);
    out.extend(content);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_protocol_buffers_have_them() {
        let mut out = Vec::new();
        varint(&mut out, 300);
        assert_eq!(out, [0xac, 0x02]);
        let mut out = Vec::new();
        bytes(&mut out, 2, b"testing");
        assert_eq!(out, b"\x12\x07testing");
    }

    #[test]
    fn records_have_the_checksums_of_tensorflow() {
        // CRC-32C of "123456789" is e3069283 (RFC 3720, B.4 has the polynomial).
        assert_eq!(crc32c::crc32c(b"123456789"), 0xe306_9283);
        let mut file = Vec::new();
        record(&mut file, b"123456789");
        assert_eq!(file.len(), 8 + 4 + 9 + 4);
        let expected = 0xe306_9283_u32.rotate_right(15).wrapping_add(0xa282_ead8);
        assert_eq!(file[21..], expected.to_le_bytes());
    }
}
