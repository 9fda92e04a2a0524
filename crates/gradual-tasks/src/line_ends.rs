//! Ends of lines, as every system writes them.

use std::io::{self, Read};

/// Ends every line by a line feed alone. A reader of cells takes CR LF and CR for ends, too, but counts line feeds, and says a
/// line too low of a record after CR LF.
pub(crate) struct LineEnds<R> {
    from: R,
    /// Whether the last byte was a carriage return.
    returned: bool,
}

impl<R> LineEnds<R> {
    pub(crate) fn new(from: R) -> Self {
        Self {
            from,
            returned: false,
        }
    }

    pub(crate) fn into_inner(self) -> R {
        self.from
    }
}

impl<R: Read> Read for LineEnds<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.from.read(buffer)?;
            let mut kept = 0;
            for at in 0..read {
                let byte = buffer[at];
                let second = self.returned && byte == b'\n';
                self.returned = byte == b'\r';
                if !second {
                    buffer[kept] = if byte == b'\r' { b'\n' } else { byte };
                    kept += 1;
                }
            }
            // Nothing is the end, unless it was the second half of one.
            if kept > 0 || read == 0 {
                return Ok(kept);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One byte at a time.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let one = buffer.len().min(1);
            self.0.read(&mut buffer[..one])
        }
    }

    #[test]
    fn every_line_ends_by_a_line_feed() {
        for (text, expected) in [
            ("a\r\nb\r\n", "a\nb\n"),
            ("a\rb\r", "a\nb\n"),
            ("a\nb", "a\nb"),
            ("\r\n\r\n\n\r", "\n\n\n\n"),
            ("", ""),
        ] {
            let (mut whole, mut slow) = (String::new(), String::new());
            let read = LineEnds::new(text.as_bytes()).read_to_string(&mut whole);
            assert_eq!((read.unwrap(), whole.as_str()), (expected.len(), expected));
            LineEnds::new(Slow(text.as_bytes()))
                .read_to_string(&mut slow)
                .unwrap();
            assert_eq!(slow, expected);
        }
    }
}
