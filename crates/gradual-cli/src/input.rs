//! Files that another program wrote, read and checked.
//!
//! Every refusal names the file, what was expected and what was found. The files are the user's own choice, so links are
//! followed; what is no regular file is refused.

pub(crate) mod array;
mod arrays;
mod columns;
pub(crate) mod curves;
pub(crate) mod gradients;
pub(crate) mod gram;
pub(crate) mod labels;
pub(crate) mod losses;
mod npy;
mod safetensors;

use std::fs::{self, File, Metadata};
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, bail};

/// The longest array that is read, in bytes: 4 GiB.
const MOST_BYTES: u64 = 4 << 30;

/// The content of a regular file of at most `most` bytes.
fn bytes(path: &Path, most: u64) -> anyhow::Result<Vec<u8>> {
    let failed = || format!("could not read {}", path.display());
    let regular = |found: &Metadata| match found.is_file() {
        true => Ok(()),
        false => bail!("{} is no regular file", path.display()),
    };
    // To open a pipe would wait for somebody who writes to it.
    regular(&fs::metadata(path).with_context(failed)?)?;
    let file = File::open(path).with_context(failed)?;
    let found = file.metadata().with_context(failed)?;
    regular(&found)?;
    let long = || {
        format!(
            "{} is longer than {most} bytes, the most that is read",
            path.display()
        )
    };
    if found.len() > most {
        bail!(long());
    }
    let mut content = Vec::with_capacity(usize::try_from(found.len())?);
    file.take(most + 1)
        .read_to_end(&mut content)
        .with_context(failed)?;
    if content.len() as u64 > most {
        bail!(long());
    }
    Ok(content)
}

/// Whether a file's name ends so.
fn ends_in(path: &Path, extension: &str) -> bool {
    let found = path.extension().and_then(|found| found.to_str());
    found.is_some_and(|found| found.eq_ignore_ascii_case(extension))
}
