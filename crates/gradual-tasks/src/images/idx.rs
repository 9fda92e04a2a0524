//! IDX files, the format of MNIST (LeCun, Cortes and Burges): two bytes of zeros, one for the type of the numbers, one
//! for how many axes there are, four for the length of each axis, and then the numbers.

use std::io::{self, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::error::ImageError;

/// Axes that a message shows.
const SHOWN: usize = 4;

/// Most bytes of a file, unpacked.
pub(super) const BYTES: u64 = 1 << 30;
/// The type of bytes without a sign.
const UNSIGNED: u8 = 0x08;

/// An array of bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Idx {
    /// Lengths of its axes, the first of which counts the examples.
    pub(super) axes: Vec<usize>,
    pub(super) bytes: Vec<u8>,
}

/// Whether a file begins as an IDX file or a compressed one does.
pub(super) fn is_idx(start: &[u8]) -> bool {
    start.starts_with(&[0, 0]) || is_gzip(start)
}

fn is_gzip(start: &[u8]) -> bool {
    start.starts_with(&[0x1f, 0x8b])
}

/// The bytes of a file, unpacked if it is compressed by gzip.
pub(super) fn unpacked(mut from: impl Read, path: &Path) -> Result<Vec<u8>, ImageError> {
    let failed = |source| ImageError::Read {
        path: path.to_owned(),
        source,
    };
    let mut start = [0; 2];
    let mut read = 0;
    while read < start.len() {
        match from.read(&mut start[read..]) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
    let whole = start[..read].chain(from);
    let mut bytes = Vec::new();
    match is_gzip(&start[..read]) {
        true => {
            let mut unpacking = MultiGzDecoder::new(whole).take(BYTES + 1);
            let unpacked = unpacking.read_to_end(&mut bytes);
            unpacked.map_err(|error| {
                let problem = "is compressed by gzip, and ends too early, is damaged, or goes on after its end";
                ImageError::of(path, format!("{problem}: {error}"))
            })?
        }
        false => whole
            .take(BYTES + 1)
            .read_to_end(&mut bytes)
            .map_err(failed)?,
    };
    match bytes.len() as u64 > BYTES {
        true => Err(ImageError::of(
            path,
            format!("is larger than {BYTES} bytes, the most of an IDX file"),
        )),
        false => Ok(bytes),
    }
}

impl Idx {
    /// The array in the bytes of a file.
    pub(super) fn new(mut bytes: Vec<u8>, path: &Path) -> Result<Self, ImageError> {
        let refused = |problem: String| ImageError::of(path, problem);
        let &[0, 0, kind, axes, ..] = bytes.as_slice() else {
            return Err(refused(
                "is no IDX file, which begins with two bytes of zeros and those of its type and axes".to_owned(),
            ));
        };
        if kind != UNSIGNED {
            return Err(refused(format!(
                "holds numbers of type 0x{kind:02x}; IDX files of unsigned bytes (0x08) are read"
            )));
        }
        let header = 4 + 4 * usize::from(axes);
        let Some(lengths) = bytes.get(4..header) else {
            return Err(refused(format!("ends within its header of {axes} axes")));
        };
        let lengths = lengths.chunks_exact(4);
        let axes: Vec<usize> = lengths
            .map(|four| {
                four.iter()
                    .fold(0, |length, &byte| length << 8 | usize::from(byte))
            })
            .collect();
        let size = (axes.iter()).try_fold(1_usize, |size, &length| size.checked_mul(length));
        let there = bytes.len() - header;
        if size != Some(there) {
            // A damaged header may tell of 255 axes.
            let more = match axes.len() > SHOWN {
                true => format!(" × … ({} axes)", axes.len()),
                false => String::new(),
            };
            let shown: Vec<String> = axes.iter().take(SHOWN).map(usize::to_string).collect();
            return Err(refused(format!(
                "says that it holds {}{more} bytes, but holds {there}: the file is cut or has something after its end",
                shown.join(" × ")
            )));
        }
        bytes.drain(..header);
        Ok(Self { axes, bytes })
    }
}
