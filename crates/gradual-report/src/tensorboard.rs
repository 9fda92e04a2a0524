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
//! Seconds of training stand in for the wall-clock time, so equal runs have equal files.

use std::collections::BTreeMap;

use crate::ReportError;
use crate::folder::{Folder, Run};
use crate::output::ReportFolder;
use crate::stop::Stop;

/// Writes `tensorboard/<arm>/seed-<s>/events.out.tfevents.0.gradual` for every run into the report.
pub(crate) fn write(
    folder: &Folder,
    report: &mut ReportFolder,
    stop: &Stop,
) -> Result<(), ReportError> {
    for arm in &folder.arms {
        for run in &arm.runs {
            stop.check()?;
            let place = format!("tensorboard/{}/seed-{}", arm.name, run.seed);
            report.write(
                &format!("{place}/events.out.tfevents.0.gradual"),
                events(run),
            )?;
        }
    }
    Ok(())
}

fn events(run: &Run) -> Vec<u8> {
    let mut file = Vec::new();
    let mut version = Vec::new();
    double(&mut version, 1, 0.0);
    bytes(&mut version, 3, b"brain.Event:2");
    record(&mut file, &version);
    let seconds = run.timings.iter().rev().map(|one| (one.step, one.seconds));
    let seconds: BTreeMap<u64, f64> = seconds.collect();
    for one in &run.evaluations {
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
        double(
            &mut event,
            1,
            seconds.get(&one.step).copied().unwrap_or(0.0),
        );
        varint(&mut event, 2 << 3);
        varint(&mut event, one.step);
        bytes(&mut event, 5, &summary);
        record(&mut file, &event);
    }
    file
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
