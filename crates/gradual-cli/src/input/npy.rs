//! NumPy's `.npy`.

use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use burn::tensor::{Element, TensorData, f16};
use ndarray::ArrayD;
use ndarray_npy::{ReadNpyExt as _, ReadableElement};

use super::array::{self, Array};
use super::{MOST_BYTES, bytes};

/// What every such file begins with.
const MAGIC: &[u8] = b"\x93NUMPY";
/// NumPy's half precision.
const HALF: &str = "f2";
/// Letters of a header that a message shows.
const MOST_SHOWN: usize = 200;

/// The array of a file, in C order or Fortran's.
pub(super) fn read(path: &Path) -> anyhow::Result<Array> {
    let content = bytes(path, MOST_BYTES)?;
    let (data, is_half) = array(&content).with_context(|| format!("{}", path.display()))?;
    let mut array = Array::new(path.display().to_string(), data);
    if is_half {
        array.rounding = array::rounding_of_half(10);
    }
    Ok(array)
}

/// The numbers, and whether they came in half precision.
fn array(content: &[u8]) -> anyhow::Result<(TensorData, bool)> {
    let (header, entries) = Header::read(content)?;
    let canonical = header.written();
    let data = match header.kind.as_str() {
        "f4" => values::<f32>(&canonical, entries),
        "f8" => values::<f64>(&canonical, entries),
        "i1" => values::<i8>(&canonical, entries),
        "i2" => values::<i16>(&canonical, entries),
        "i4" => values::<i32>(&canonical, entries),
        "i8" => values::<i64>(&canonical, entries),
        "u1" => values::<u8>(&canonical, entries),
        "u2" => values::<u16>(&canonical, entries),
        "u4" => values::<u32>(&canonical, entries),
        "u8" => values::<u64>(&canonical, entries),
        // The library has no half precision: read as the bytes it is of.
        _ => Ok(array::from_bits(
            &values::<u16>(&canonical, entries)?,
            |bits| f16::from_bits(bits).to_f32(),
        )),
    };
    Ok((data?, header.kind == HALF))
}

/// Refuses types that are not read, under a name that people know.
fn check_kind(kind: &str) -> anyhow::Result<()> {
    let (letter, bits) = kind.split_at(kind.len().min(1));
    let bytes: u64 = bits.parse().unwrap_or(0);
    let known = match (letter, bytes) {
        ("f", 2 | 4 | 8) | ("i" | "u", 1 | 2 | 4 | 8) => return Ok(()),
        ("f", _) => "floating-point numbers of another size",
        ("c", _) => "complex numbers",
        ("b", _) => "truth values",
        ("U" | "S" | "a", _) => "texts",
        ("O", _) => "objects of Python",
        ("M" | "m", _) => "times",
        _ => "another type",
    };
    bail!(
        "expected {}, found NumPy's type {}, {known}; convert the array with .astype before it is saved",
        array::READ,
        gradual::runs::shown(kind)
    )
}

/// The entries after a header of our own: the library sees nothing of the file's.
fn values<T: ReadableElement + Element + Clone>(
    header: &[u8],
    entries: &[u8],
) -> anyhow::Result<TensorData> {
    let array = ArrayD::<T>::read_npy(header.chain(entries)).context("no array of NumPy's")?;
    let shape = array.shape().to_vec();
    let entries: Vec<T> = array.as_standard_layout().iter().cloned().collect();
    Ok(TensorData::new(entries, shape))
}

/// What a file's header says: as many entries as follow it.
#[derive(Debug, PartialEq, Eq)]
struct Header {
    /// `<`, `>`, `=` or `|`, if there is one.
    order: String,
    /// Such as `f8`.
    kind: String,
    fortran: bool,
    shape: Vec<u64>,
}

impl Header {
    /// The header of a file, and the entries after it. The library makes room for what the header says, so this is looked at
    /// first.
    fn read(content: &[u8]) -> anyhow::Result<(Self, &[u8])> {
        let (text, entries) = parts(content).ok_or_else(|| {
            anyhow!("expected a file that NumPy's save wrote, found another beginning")
        })?;
        let header = Self::parsed(text)?;
        check_kind(&header.kind)?;
        let bytes: u64 = header
            .kind
            .get(1..)
            .and_then(|text| text.parse().ok())
            .unwrap_or(1);
        let product = |product: u64, &size: &u64| product.checked_mul(size);
        // Also of an array without entries, whose other sizes the library multiplies.
        let mut sizes = header.shape.iter().filter(|&&size| size > 0);
        let all = sizes.try_fold(bytes, product);
        if all.is_none_or(|all| i64::try_from(all).is_err()) {
            bail!(
                "the header says {:?} entries, more than an array can have",
                header.shape
            );
        }
        let expected = header.shape.iter().try_fold(bytes, product);
        match expected == Some(entries.len() as u64) {
            true => Ok((header, entries)),
            false => bail!(
                "the header says {:?} entries of {bytes} bytes, and {} bytes follow: the file was cut, or is another's",
                header.shape,
                entries.len()
            ),
        }
    }

    /// Of a header's text: three keys, each once, with values of their own kinds and nothing in them.
    fn parsed(text: &str) -> anyhow::Result<Self> {
        let strange = || {
            let most = text.chars().take(MOST_SHOWN).collect::<String>();
            anyhow!(
                "expected a header with descr, fortran_order and shape, each once, found {}",
                gradual::runs::shown(&most)
            )
        };
        let inner = text
            .trim()
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'));
        let mut rest = inner.ok_or_else(strange)?.trim();
        let (mut described, mut fortran, mut shape) = (None, None, None);
        while !rest.is_empty() {
            let (key, after) = quoted(rest).ok_or_else(strange)?;
            let value = after
                .trim_start()
                .strip_prefix(':')
                .ok_or_else(strange)?
                .trim_start();
            let is_new;
            (is_new, rest) = match key {
                "descr" if value.starts_with('[') => bail!(
                    "expected an array of numbers of one type, found a table of NumPy's; save one column"
                ),
                "descr" => {
                    let (text, rest) = quoted(value).ok_or_else(strange)?;
                    (described.replace(text).is_none(), rest)
                }
                "fortran_order" => {
                    let (said, rest) = [("True", true), ("False", false)]
                        .into_iter()
                        .find_map(|(word, said)| Some((said, value.strip_prefix(word)?)))
                        .ok_or_else(strange)?;
                    (fortran.replace(said).is_none(), rest)
                }
                "shape" => {
                    let inner = value
                        .strip_prefix('(')
                        .and_then(|text| text.split_once(')'));
                    let (sizes, rest) = inner.ok_or_else(strange)?;
                    (shape.replace(sizes).is_none(), rest)
                }
                _ => return Err(strange()),
            };
            if !is_new {
                return Err(strange());
            }
            rest = rest.trim_start();
            rest = match rest.strip_prefix(',') {
                Some(rest) => rest.trim_start(),
                None if rest.is_empty() => rest,
                None => return Err(strange()),
            };
        }
        let described: &str = described.ok_or_else(strange)?;
        let kind = described.trim_start_matches(['<', '>', '|', '=']);
        let sizes = shape.ok_or_else(strange)?.split(',');
        let sizes = sizes.filter(|text| !text.trim().is_empty());
        let sizes = sizes.map(|text| text.trim().trim_end_matches('L').parse::<u64>());
        Ok(Self {
            order: described[..described.len() - kind.len()].to_owned(),
            kind: kind.to_owned(),
            fortran: fortran.ok_or_else(strange)?,
            shape: sizes.collect::<Result<_, _>>().map_err(|_| strange())?,
        })
    }

    /// The same as NumPy writes it, with everything before the entries.
    fn written(&self) -> Vec<u8> {
        let sizes: String = self.shape.iter().map(|size| format!("{size}, ")).collect();
        let fortran = if self.fortran { "True" } else { "False" };
        let kind = match self.kind.as_str() {
            HALF => "u2",
            kind => kind,
        };
        let text = format!(
            "{{'descr': '{}{kind}', 'fortran_order': {fortran}, 'shape': ({}), }}\n",
            self.order,
            sizes.trim_end()
        );
        let mut written = [MAGIC, &[2, 0]].concat();
        written.extend((text.len() as u32).to_le_bytes());
        written.extend(text.as_bytes());
        written
    }
}

/// A text in quotes at the beginning of another, without anything that would escape, and what follows it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text
        .chars()
        .next()
        .filter(|letter| "'\"".contains(*letter))?;
    let (inner, rest) = text[1..].split_once(quote)?;
    let is_plain = |letter: char| letter.is_ascii_graphic() && letter != '\\';
    inner.chars().all(is_plain).then_some((inner, rest))
}

/// The header's text, and the bytes after it.
fn parts(content: &[u8]) -> Option<(&str, &[u8])> {
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
    let after = from.checked_add(length)?;
    let text = rest.get(from..after)?;
    Some((std::str::from_utf8(text).ok()?, &rest[after..]))
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
        assert_eq!(array(&sound).unwrap().0.shape().as_slice(), [3, 2]);
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

    /// A file with this header and so many bytes of entries.
    fn file(header: &str, bytes: usize) -> Vec<u8> {
        let mut file = b"\x93NUMPY\x02\x00".to_vec();
        file.extend((header.len() as u32).to_le_bytes());
        file.extend(header.as_bytes());
        file.extend(vec![0; bytes]);
        file
    }

    /// What two parsers could read in two ways, or one of them could not end with.
    #[test]
    fn a_header_has_three_plain_keys_and_each_once() {
        let plain = "{'descr': '<f8', 'fortran_order': True, 'shape': (2, 3), }";
        assert_eq!(
            array(&file(plain, 48)).unwrap().0.shape().as_slice(),
            [2, 3]
        );
        let bare = "{\"shape\":(1,),\"descr\":\">i2\",\"fortran_order\":False}\n";
        assert_eq!(array(&file(bare, 2)).unwrap().0.shape().as_slice(), [1]);
        let nested = format!("{}{}", "[".repeat(60), "]".repeat(60));
        for (put, by) in [
            (", }", format!(", 'x': {nested}}}")),
            (", }", String::from(", 'shape': (1152921504606846975,), }")),
            (", }", String::from(", 'descr': '<f4', }")),
            ("True", String::from("True False")),
            ("'<f8'", String::from("'<f8\\'")),
            ("'<f8'", String::from("'<f8' '<f4'")),
            ("(2, 3)", String::from("(2, 3)(4, 5)")),
            ("(2, 3)", String::from("((2, 3))")),
            ("'fortran_order': True, ", String::new()),
            ("{'descr'", String::from("{1: 2, 'descr'")),
        ] {
            let header = plain.replace(put, &by);
            let error = array(&file(&header, 48)).unwrap_err().to_string();
            assert!(error.contains("each once"), "{header}: {error}");
        }
    }
}
