//! The command `conformance`.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use clap::Args;
use gradual::runs::streams::{say, tell};
use gradual_backends::backend::Backend;

use crate::compare::{Row, former, page, table};
use crate::parts::{PARTS, Results};
use crate::precision::{Precision, REFERENCE};

/// What can be asked for.
#[derive(Debug, Args)]
pub struct Arguments {
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

impl Arguments {
    /// Compares each backend with the reference and prints the table.
    ///
    /// # Errors
    ///
    /// Where a backend can't be used, or differs from the reference by more than is allowed.
    pub fn run(self) -> anyhow::Result<()> {
        let first = || Backend::choose(None).map(|backend| vec![backend.name.to_owned()]);
        let names = match self.backend.is_empty() {
            true => first()?,
            false => self.backend,
        };
        if let Some(precision) = self.numbers {
            return numbers_of(&names[0], precision);
        }
        // What can't be written to, is not compiled in or has no device is said before any work starts.
        self.page.as_deref().map(former).transpose()?;
        let mut asked = Vec::new();
        for name in &names {
            let backend = Backend::choose(Some(name))?;
            asked.push((name, Precision::F32));
            if backend.supports_f64 && (backend.name, Precision::F64) != REFERENCE {
                asked.push((name, Precision::F64));
            }
        }
        let reference = child(REFERENCE.0, REFERENCE.1).context("the reference")?;
        let rows: Vec<Row> = asked
            .into_iter()
            .map(|(name, precision)| {
                tell(format_args!("{name}, {}", precision.name()));
                Row::compare(name, precision, child(name, precision), &reference)
            })
            .collect();
        let text = table(&rows);
        say(text.trim_end())?;
        if let Some(file) = &self.page {
            gradual::runs::files::replace(file, page(&former(file)?, &rows))?;
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
