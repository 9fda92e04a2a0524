//! What stands between the cells of a line.

use std::io::{self, BufRead};

use csv::{ByteRecord, ReaderBuilder};

/// What may stand between cells; of two that fit equally well the first is taken.
const SEPARATORS: [u8; 3] = [b',', b';', b'\t'];
/// Longest first line, in bytes.
const LINE: usize = 1 << 24;

/// The bytes up to the end of the first line that is not empty.
pub(crate) fn first_line(from: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let (mut line, mut quoted, mut begun) = (Vec::new(), false, false);
    loop {
        let bytes = from.fill_buf()?;
        if bytes.is_empty() || line.len() > LINE {
            return Ok(line);
        }
        let mut end = None;
        for (at, &byte) in bytes.iter().enumerate() {
            match byte {
                b'"' => quoted = !quoted,
                b'\n' | b'\r' if !quoted && begun => {
                    end = Some(at);
                    break;
                }
                _ => {}
            }
            begun |= !byte.is_ascii_whitespace();
        }
        let taken = end.map_or(bytes.len(), |end| end + 1);
        line.extend_from_slice(&bytes[..taken]);
        from.consume(taken);
        if end.is_some() {
            return Ok(line);
        }
    }
}

/// The separator of a first line: the one by which most of the columns that are asked for are found, and of equal ones
/// the one that makes most cells.
pub(crate) fn sniff(line: &[u8], asked: &[&str]) -> u8 {
    let fit = |separator: u8| {
        let mut reader = ReaderBuilder::new()
            .delimiter(separator)
            .has_headers(false)
            .trim(csv::Trim::All)
            .from_reader(line);
        let mut cells = ByteRecord::new();
        // A line that can't be taken apart is said when the table is read.
        let _ = reader.read_byte_record(&mut cells);
        let found = asked
            .iter()
            .filter(|name| cells.iter().any(|cell| cell == name.as_bytes()));
        (found.count(), cells.len())
    };
    let mut best = (SEPARATORS[0], fit(SEPARATORS[0]));
    for &separator in &SEPARATORS[1..] {
        let fit = fit(separator);
        if fit > best.1 {
            best = (separator, fit);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_whole() {
        for (text, first) in [
            ("a,b\n1,2\n", "a,b\n"),
            ("\r\n\n a,b\r\n1,2", "\r\n\n a,b\r"),
            ("a,\"b\nc\"\n1,2\n", "a,\"b\nc\"\n"),
            ("a,b", "a,b"),
            ("", ""),
            ("\n\n", "\n\n"),
        ] {
            // One byte at a time, and all at once.
            for capacity in [1, 1 << 16] {
                let mut from = io::BufReader::with_capacity(capacity, text.as_bytes());
                assert_eq!(first_line(&mut from).unwrap(), first.as_bytes(), "{text:?}");
            }
        }
    }

    #[test]
    fn separators_are_told_by_the_columns_that_are_asked_for() {
        for (line, separator) in [
            ("y,g,a", b','),
            ("y;g;a", b';'),
            ("y\tg\ta", b'\t'),
            ("\"y\";\"g\";\"a, b, c, d\"", b';'),
            ("y;g;size (h, w, d, t)", b';'),
            ("\u{feff}y\tg\tof one, or more, or none", b'\t'),
            ("y|g|a", b','),
            ("a,b,c;d", b','),
            ("a;b", b';'),
            ("", b','),
        ] {
            assert_eq!(sniff(line.as_bytes(), &["y", "g"]), separator, "{line}");
        }
    }
}
