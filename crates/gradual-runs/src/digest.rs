use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::RunsError;
use crate::files;

/// Length and checksum of a file: what tells whether it was cut or changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// Length in bytes.
    pub bytes: u64,
    /// CRC-32 (IEEE 802.3) of the content.
    pub crc32: u32,
}

impl Digest {
    /// That of a content in memory.
    #[must_use]
    pub fn of(content: &[u8]) -> Self {
        Self {
            bytes: content.len() as u64,
            crc32: crc32fast::hash(content),
        }
    }

    /// That of a regular file, which is not held in memory.
    ///
    /// # Errors
    /// Those of [`files::open`], and [`RunsError::File`] when it can't be read.
    pub fn of_file(path: &Path) -> Result<Self, RunsError> {
        let mut file = files::open(path)?;
        let mut sum = crc32fast::Hasher::new();
        let mut bytes = 0;
        let mut part = vec![0; 64 << 10];
        loop {
            match file.read(&mut part) {
                Ok(0) => break,
                Ok(read) => {
                    sum.update(&part[..read]);
                    bytes += read as u64;
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(source) => return Err(RunsError::file("read", path)(source)),
            }
        }
        Ok(Self {
            bytes,
            crc32: sum.finalize(),
        })
    }
}
