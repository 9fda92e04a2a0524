//! The bytes of a table, as they are read.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::error::TableError;

/// Most bytes of a table.
pub(super) const BYTES: u64 = 1 << 30;
/// Most bytes of a line.
const LINE: usize = 1 << 24;

/// What a file begins with that is no CSV file.
const OTHERS: [(&[u8], &str); 5] = [
    (
        b"\xff\xfe",
        "is text in UTF-16; save it as UTF-8 (in Excel: 'CSV UTF-8')",
    ),
    (
        b"\xfe\xff",
        "is text in UTF-16; save it as UTF-8 (in Excel: 'CSV UTF-8')",
    ),
    (
        b"\x1f\x8b",
        "is compressed by gzip; unpack it first, or give it as <(zcat FILE)",
    ),
    (
        b"PK\x03\x04",
        "is a ZIP archive, as workbooks of Excel are; export a CSV file",
    ),
    (b"PAR1", "is a Parquet file; export a CSV file"),
];

/// Bytes from a file or a pipe, which are counted and hashed on the way; those that can be no table are refused.
pub(super) struct Source<R> {
    from: R,
    digest: Sha256,
    read: u64,
    most: u64,
    /// Bytes since the last end of a line.
    line: usize,
}

/// The file at `path`, or standard input for `-`.
pub(super) fn open(path: &Path) -> Result<Source<Box<dyn Read>>, TableError> {
    let failed = |source| TableError::Open {
        path: path.to_owned(),
        source,
    };
    if path.as_os_str() == "-" {
        return Ok(Source::new(Box::new(io::stdin()), BYTES));
    }
    let file = File::open(path).map_err(failed)?;
    let there = file.metadata().map_err(failed)?;
    if there.is_dir() {
        let directory = io::Error::new(
            io::ErrorKind::IsADirectory,
            "is a directory; a CSV file is needed",
        );
        return Err(failed(directory));
    }
    if there.is_file() && there.len() > BYTES {
        return Err(failed(too_large(BYTES)));
    }
    Ok(Source::new(Box::new(file), BYTES))
}

impl<R: Read> Source<R> {
    pub(super) fn new(from: R, most: u64) -> Self {
        Self {
            from,
            digest: Sha256::new(),
            read: 0,
            most,
            line: 0,
        }
    }

    /// SHA-256 of what was read.
    pub(super) fn sha256(self) -> String {
        format!("{:x}", self.digest.finalize())
    }

    /// Refuses bytes that no table goes on with.
    fn check(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.read == 0 {
            let known = OTHERS.iter().find(|(start, _)| bytes.starts_with(start));
            if let Some((_, what)) = known {
                return Err(refused(what));
            }
        }
        if bytes.contains(&0) {
            return Err(refused("holds NUL bytes, so it is no text"));
        }
        self.read += bytes.len() as u64;
        if self.read > self.most {
            return Err(too_large(self.most));
        }
        let end = |byte: &u8| matches!(byte, b'\n' | b'\r');
        self.line = match bytes.iter().rposition(end) {
            Some(at) => bytes.len() - 1 - at,
            None => self.line + bytes.len(),
        };
        if self.line > LINE {
            return Err(refused("has a line of more than 16 MiB"));
        }
        Ok(())
    }
}

impl<R: Read> Read for Source<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.from.read(buffer)?;
        self.check(&buffer[..n])?;
        self.digest.update(&buffer[..n]);
        Ok(n)
    }
}

fn refused(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

fn too_large(most: u64) -> io::Error {
    refused(&format!("is larger than {most} bytes, the most of a table"))
}
