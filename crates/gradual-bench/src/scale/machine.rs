//! Rates of a machine, and the times that follow.

use clap::Args;
use serde::Serialize;

use super::model::Model;
use super::step::{Bytes, Memory, Operations, Sizes, Way};

/// What a device does in a second.
#[derive(Debug, Clone, Copy, PartialEq, Args, Serialize)]
pub(super) struct Machine {
    /// Operations of matrix products in a second that a device comes to, in 10¹²
    #[arg(long, value_name = "TFLOP/S", default_value_t = 400.0, value_parser = positive)]
    pub(super) rate: f64,
    /// Bytes in a second over the link of a rank, in 10⁹
    #[arg(long, value_name = "GB/S", default_value_t = 50.0, value_parser = positive)]
    pub(super) link: f64,
    /// Devices of a rank, over which its state, activations and operations are spread
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub(super) devices: u64,
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && number > 0.0 => Ok(number),
        _ => Err(String::from("expected a number above 0")),
    }
}

/// One step in seconds, and what it takes of a device.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Row {
    pub(super) way: Way,
    pub(super) sizes: Sizes,
    pub(super) operations: Operations,
    pub(super) bytes: Bytes,
    pub(super) memory: Memory,
    /// Seconds of what an ordinary step does.
    pub(super) ordinary: f64,
    /// Seconds of sketches, inner products and groups.
    pub(super) grouping: f64,
    /// Seconds of all messages, one after another.
    pub(super) messages: f64,
    /// The whole step as a multiple of one on the mean loss, whose messages are its update and its losses.
    pub(super) ratio: f64,
    /// Gibibytes of a device.
    pub(super) gibibytes: f64,
}

impl Machine {
    pub(super) fn row(&self, model: &Model, way: Way, sizes: Sizes) -> Row {
        let operations = Operations::of(model, way, sizes);
        let bytes = Bytes::of(model, way, sizes);
        let memory = Memory::of(model, way, sizes);
        let devices = self.devices as f64;
        let seconds = |operations: f64| operations / (self.rate * 1e12 * devices);
        let sent = |bytes: &Bytes| bytes.of_a_link(sizes.ranks) / (self.link * 1e9 * devices);
        let ordinary = seconds(operations.ordinary);
        let messages = sent(&bytes);
        let grouping = seconds(operations.total()) - ordinary;
        let plain = ordinary + sent(&Bytes::of(model, Way::Losses, sizes));
        Row {
            way,
            sizes,
            operations,
            bytes,
            memory,
            ordinary,
            grouping,
            messages,
            ratio: (ordinary + grouping + messages) / plain,
            gibibytes: memory.total() / devices / f64::from(1 << 30),
        }
    }
}
