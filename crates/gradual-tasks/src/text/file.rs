//! The file that lines are read from, again and again, at any place.

use std::env;
use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::SystemTime;

use super::error::TextError;

/// Bytes that are copied at once.
const BUFFER: usize = 1 << 20;

/// What a file begins with that holds no lines of JSON.
const OTHERS: [(&[u8], &str); 6] = [
    (b"\xff\xfe", "is text in UTF-16; save it as UTF-8"),
    (b"\xfe\xff", "is text in UTF-16; save it as UTF-8"),
    (
        b"\x1f\x8b",
        "is compressed by gzip; unpack it first, or give it as <(zcat FILE)",
    ),
    (
        b"\x28\xb5\x2f\xfd",
        "is compressed by zstd; unpack it first, or give it as <(zstdcat FILE)",
    ),
    (b"PK\x03\x04", "is a ZIP archive; unpack it first"),
    (
        b"PAR1",
        "is a Parquet file; write it as lines of JSON first",
    ),
];

/// What the bytes are, if they begin as no lines of JSON do.
pub(super) fn known_as_other(begin: &[u8]) -> Option<&'static str> {
    let known = OTHERS.iter().find(|(start, _)| begin.starts_with(start));
    known.map(|(_, what)| *what)
}

/// An open file that keeps its length.
#[derive(Debug)]
pub(super) struct LineFile {
    file: File,
    /// Length and time of the last change when it was opened.
    then: (u64, Option<SystemTime>),
}

impl LineFile {
    /// The file at `path`; `-` is standard input. What can be read only once, such as a pipe, is copied into a temporary
    /// file without a name, which is gone when the program ends.
    pub(super) fn open(path: &Path) -> Result<Self, TextError> {
        let failed = |source| TextError::Open {
            path: path.to_owned(),
            source,
        };
        if path.as_os_str() == "-" {
            return Self::copied(io::stdin().lock()).map_err(failed);
        }
        let file = File::open(path).map_err(failed)?;
        let there = file.metadata().map_err(failed)?;
        if there.is_dir() {
            let source = io::Error::new(
                io::ErrorKind::IsADirectory,
                "is a directory; a file with a JSON object on every line is needed",
            );
            return Err(failed(source));
        }
        match there.is_file() {
            true => Self::new(file),
            false => Self::copied(file),
        }
        .map_err(failed)
    }

    /// A copy of all that can be read.
    pub(super) fn copied(mut from: impl Read) -> io::Result<Self> {
        let mut copy = tempfile::tempfile().map_err(|error| {
            let folder = env::temp_dir();
            let problem = format!(
                "could not be copied to {}, the folder for temporary files (TMPDIR): {error}",
                folder.display()
            );
            io::Error::new(error.kind(), problem)
        })?;
        let mut part = vec![0; BUFFER];
        let mut first = true;
        loop {
            let read = match from.read(&mut part) {
                Ok(0) => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read?,
            };
            // Endless devices, such as /dev/zero, would fill the disk.
            if part[..read].contains(&0) {
                return Err(refused("holds NUL bytes, so it is no text"));
            }
            if let Some(what) = known_as_other(&part[..read]).filter(|_| first) {
                return Err(refused(what));
            }
            first = false;
            copy.write_all(&part[..read])?;
        }
        copy.flush()?;
        copy.seek(SeekFrom::Start(0))?;
        Self::new(copy)
    }

    fn new(file: File) -> io::Result<Self> {
        let then = state(&file)?;
        Ok(Self { file, then })
    }

    /// From the beginning on, for one reader at a time.
    pub(super) fn rewound(&self) -> io::Result<&File> {
        let mut file = &self.file;
        file.seek(SeekFrom::Start(0))?;
        Ok(file)
    }

    /// Fills `bytes` with what stands at `offset`. The place of other readers stays.
    pub(super) fn read_at(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::FileExt as _;
            self.file.read_exact_at(bytes, offset)
        }
        #[cfg(windows)]
        {
            use std::os::windows::fs::FileExt as _;
            let mut done = 0;
            while done < bytes.len() {
                match self
                    .file
                    .seek_read(&mut bytes[done..], offset + done as u64)?
                {
                    0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                    read => done += read,
                }
            }
            Ok(())
        }
    }

    /// Refuses a file that somebody has written to since it was opened.
    pub(super) fn unchanged(&self) -> io::Result<()> {
        match state(&self.file)? == self.then {
            true => Ok(()),
            false => Err(refused("has changed since the run began to read it")),
        }
    }
}

fn state(file: &File) -> io::Result<(u64, Option<SystemTime>)> {
    let there = file.metadata()?;
    Ok((there.len(), there.modified().ok()))
}

pub(super) fn refused(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
