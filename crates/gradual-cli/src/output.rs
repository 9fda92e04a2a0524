//! Where results go, and in which form.

use std::path::PathBuf;

use anyhow::bail;
use clap::{Args, ValueEnum};
use gradual::runs::files;
use gradual::runs::streams::say;
use serde::Serialize;

/// Where results go, and in which form.
#[derive(Debug, Args)]
pub(crate) struct Output {
    /// JSON with everything, or the table of it as comma-separated values
    #[arg(long, value_enum, default_value = "json")]
    format: Format,
    /// Write to this new file instead of standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Json,
    Csv,
}

/// A result in both forms.
pub(crate) trait Tabular: Serialize {
    /// Names of the columns.
    fn columns(&self) -> Vec<&'static str>;

    /// The rows, a cell for each column, in which texts are [written](gradual_report::csv_cell) already.
    fn rows(&self) -> Vec<Vec<String>>;
}

impl Output {
    /// Whether results can be written, before they are computed.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        match &self.out {
            Some(out) if out.symlink_metadata().is_ok() => bail!(
                "{} is there already: remove it, or choose another --out",
                out.display()
            ),
            _ => Ok(()),
        }
    }

    /// Writes a result.
    pub(crate) fn write(&self, result: &impl Tabular) -> anyhow::Result<()> {
        let text = match self.format {
            Format::Json => serde_json::to_string_pretty(result)?,
            Format::Csv => table(result),
        };
        match &self.out {
            None => Ok(say(text.trim_end())?),
            Some(out) => {
                self.check()?;
                Ok(files::replace(out, text.trim_end().to_owned() + "\n")?)
            }
        }
    }
}

fn table(result: &impl Tabular) -> String {
    let heads = std::iter::once(result.columns().join(","));
    let rows = result.rows().into_iter().map(|row| row.join(","));
    heads.chain(rows).collect::<Vec<_>>().join("\n")
}
