//! The conformance suite: does a backend compute what the reference computes?
//!
//! The same calculations, part by part, are made on each backend and on `flex` in double precision, the reference, from
//! the same numbers, which are drawn on the host. Each backend runs in a process of its own, since Burn fixes a
//! device's precision once, and since a driver that crashes should cost its own row and nothing else.
//!
//! What the reference could get wrong as all others do is held against numbers that are stated, the reference's own
//! included: how often a step waits, that runs repeat, and group losses, which are summed on the host.

mod compare;
mod compositions;
mod gradients;
mod groupings;
mod models;
mod numbers;
mod parts;
mod training;

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use burn::tensor::FloatDType;
use clap::Args;

use crate::backend::Backend;
use compare::{Row, table};
use parts::{PARTS, Results};

/// What can be asked for.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The backends to check, of those that are compiled in, separated by commas [default: the first]
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    backend: Vec<String>,
    /// A Markdown page that gets these rows of the table and keeps those of other backends
    #[arg(long, value_name = "FILE")]
    page: Option<PathBuf>,
    /// Print the numbers of one backend in this precision, and compare nothing
    #[arg(long, value_name = "f32|f64", hide = true)]
    numbers: Option<Precision>,
}

/// The precision of all that a device computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Precision {
    F32,
    F64,
}

impl Precision {
    fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F64 => "f64",
        }
    }

    fn dtype(self) -> FloatDType {
        match self {
            Self::F32 => FloatDType::F32,
            Self::F64 => FloatDType::F64,
        }
    }
}

/// What everything is compared with.
const REFERENCE: (&str, Precision) = ("flex", Precision::F64);

impl Arguments {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let first = || Backend::choose(None).map(|backend| vec![backend.name.to_owned()]);
        let names = match self.backend.is_empty() {
            true => first()?,
            false => self.backend,
        };
        if let Some(precision) = self.numbers {
            return numbers_of(&names[0], precision);
        }
        // What is not compiled in or has no device is said before any work starts.
        let mut asked = Vec::new();
        for name in &names {
            let backend = Backend::choose(Some(name))?;
            asked.push((name, Precision::F32));
            if backend.double && (backend.name, Precision::F64) != REFERENCE {
                asked.push((name, Precision::F64));
            }
        }
        let reference = child(REFERENCE.0, REFERENCE.1).context("the reference")?;
        let rows: Vec<Row> = asked
            .into_iter()
            .map(|(name, precision)| {
                eprintln!("{name}, {}", precision.name());
                Row::compare(name, precision, child(name, precision), &reference)
            })
            .collect();
        let text = table(&rows);
        print!("{text}");
        if let Some(page) = &self.page {
            let before = std::fs::read_to_string(page).unwrap_or_default();
            gradual::runs::files::replace(page, compare::page(&before, &rows))?;
        }
        let own = Row::of_reference(&reference);
        let failures: Vec<String> = rows.iter().chain([&own]).flat_map(Row::failures).collect();
        match failures.is_empty() {
            true => Ok(()),
            false => bail!("{}", failures.join("\n")),
        }
    }
}

/// Computes all parts on one backend and prints them as one line of JSON.
fn numbers_of(name: &str, precision: Precision) -> anyhow::Result<()> {
    let device = Backend::choose(Some(name))?.device;
    // The other end of the checkpoints as well, once where both are one.
    let flex = Backend::choose(Some(REFERENCE.0))?.device;
    let both = [flex.clone(), device.clone()].into_iter();
    for mut each in both.skip(usize::from(device == flex)) {
        each.configure(precision.dtype())
            .map_err(|error| anyhow::anyhow!("{}: {error:?}", precision.name()))?;
    }
    let results: Results = PARTS
        .iter()
        .map(|part| (part.name.to_owned(), part.on(&device)))
        .collect();
    let mut out = std::io::stdout().lock();
    serde_json::to_writer(&mut out, &results)?;
    Ok(writeln!(out)?)
}

/// The numbers of one backend, from a process of its own.
fn child(name: &str, precision: Precision) -> anyhow::Result<Results> {
    let kind = name.split(':').next().unwrap_or(name);
    let output = Command::new(std::env::current_exe()?)
        // Where Burn puts an optimizer's state that it reads, until the next step.
        .env("BURN_DEVICE", kind)
        .args(["conformance", "--backend", name])
        .args(["--numbers", precision.name()])
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        bail!("{name}, {}: ended with {}", precision.name(), output.status);
    }
    serde_json::from_slice(&output.stdout).context("what the process of a backend wrote")
}
