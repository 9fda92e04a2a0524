//! NumPy's `.npy`.

use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use burn::tensor::{Element, TensorData};
use ndarray::ArrayD;
use ndarray_npy::{ReadNpyExt as _, ReadableElement};

use super::array::Array;
use super::{MOST_BYTES, bytes};

/// What every such file begins with.
const MAGIC: &[u8] = b"\x93NUMPY";

/// The array of a file, in C order or Fortran's.
pub(super) fn read(path: &Path) -> anyhow::Result<Array> {
    let content = bytes(path, MOST_BYTES)?;
    let data = array(&content).with_context(|| format!("{}", path.display()))?;
    Ok(Array {
        name: path.display().to_string(),
        data,
    })
}

fn array(content: &[u8]) -> anyhow::Result<TensorData> {
    let kind = checked(content)?;
    match &kind[..] {
        "f4" => values::<f32>(content),
        "f8" => values::<f64>(content),
        "i1" => values::<i8>(content),
        "i2" => values::<i16>(content),
        "i4" => values::<i32>(content),
        "i8" => values::<i64>(content),
        "u1" => values::<u8>(content),
        "u2" => values::<u16>(content),
        "u4" => values::<u32>(content),
        "u8" => values::<u64>(content),
        other => bail!(
            "expected float32, float64 or integers, found NumPy's type {other:?}; convert the array with .astype"
        ),
    }
}

fn values<T: ReadableElement + Element + Clone>(content: &[u8]) -> anyhow::Result<TensorData> {
    let array = ArrayD::<T>::read_npy(content).context("no array of NumPy's")?;
    let shape = array.shape().to_vec();
    let entries: Vec<T> = array.as_standard_layout().iter().cloned().collect();
    Ok(TensorData::new(entries, shape))
}

/// The type of the entries, of a file whose header says as many as there are. The library makes room for what the header
/// says, so this is looked at first.
fn checked(content: &[u8]) -> anyhow::Result<String> {
    let header = header(content).ok_or_else(|| {
        anyhow!("expected a file that NumPy's save wrote, found another beginning")
    })?;
    let (header, rest) = header;
    let quoted = |text: &str| text.split(['\'', '"']).nth(1).map(str::to_owned);
    let described = after(header, "descr").and_then(quoted);
    let described = described.ok_or_else(|| {
        anyhow!(
            "expected an array of numbers of one type, found a table of NumPy's; save one column"
        )
    })?;
    let kind = described
        .trim_start_matches(['<', '>', '|', '='])
        .to_owned();
    let shape = after(header, "shape")
        .and_then(|text| text.split_once('('))
        .and_then(|(_, text)| text.split_once(')'))
        .ok_or_else(|| anyhow!("the header holds no shape"))?
        .0;
    let size = |text: &str| text.trim().trim_end_matches('L').parse::<u64>();
    let sizes = shape.split(',').filter(|text| !text.trim().is_empty());
    let sizes: Vec<u64> = sizes
        .map(size)
        .collect::<Result<_, _>>()
        .with_context(|| format!("the header holds the shape ({shape})"))?;
    let bytes: u64 = kind
        .get(1..)
        .and_then(|text| text.parse().ok())
        .unwrap_or(1);
    let expected = sizes
        .iter()
        .try_fold(bytes, |product, &size| product.checked_mul(size));
    match expected == Some(rest) {
        true => Ok(kind),
        false => bail!(
            "the header says {sizes:?} entries of {bytes} bytes, and {rest} bytes follow: the file was cut, or is another's"
        ),
    }
}

/// The header's text, and the number of bytes after it.
fn header(content: &[u8]) -> Option<(&str, u64)> {
    let rest = content.strip_prefix(MAGIC)?;
    let (length, from): (usize, usize) = match *rest.first()? {
        1 => (
            usize::from(u16::from_le_bytes(rest.get(2..4)?.try_into().ok()?)),
            4,
        ),
        2 | 3 => {
            let length = u32::from_le_bytes(rest.get(2..6)?.try_into().ok()?);
            (usize::try_from(length).ok()?, 6)
        }
        _ => return None,
    };
    let text = rest.get(from..from.checked_add(length)?)?;
    let data = rest.len() - from - length;
    Some((std::str::from_utf8(text).ok()?, data as u64))
}

/// What follows a key of the header.
fn after<'a>(header: &'a str, key: &str) -> Option<&'a str> {
    let quoted = [format!("'{key}'"), format!("\"{key}\"")];
    let found = quoted
        .iter()
        .find_map(|key| header.split_once(key.as_str()))?;
    found.1.trim_start().strip_prefix(':')
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;
    use ndarray_npy::WriteNpyExt as _;

    use super::array;

    /// Whatever a file holds, it is read or refused.
    #[test]
    fn damaged_files_are_refused_or_read() {
        let mut sound = Vec::new();
        Array2::<f64>::ones((3, 2)).write_npy(&mut sound).unwrap();
        assert_eq!(array(&sound).unwrap().shape().as_slice(), [3, 2]);
        let mut refused = 0;
        for at in 0..sound.len() {
            refused += usize::from(array(&sound[..at]).is_err());
            for put in [0, b'9', b'(', b'\'', b',', 0xff] {
                let mut damaged = sound.clone();
                damaged[at] = put;
                let _ = array(&damaged);
            }
        }
        assert_eq!(refused, sound.len());
        let text = |from: &str, to: &str| {
            let text = String::from_utf8_lossy(&sound[..128]).into_owned();
            let mut changed = sound[..8].to_vec();
            changed.extend(&sound[8..10]);
            let header = text.split_once('{').map_or("", |(_, header)| header);
            let header = format!("{{{header}").replace(from, to);
            changed.extend(header.as_bytes());
            changed
        };
        for to in [
            "(0, 9223372036854775807)",
            "(18446744073709551616,)",
            "()",
            "(-1, 2)",
            "(3, 2",
            "3",
        ] {
            assert!(array(&text("(3, 2)", to)).is_err(), "{to}");
        }
    }
}
