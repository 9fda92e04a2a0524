//! A CSV file whose quotes go together.

use std::io::{self, Read};

use gradual_registry::{QuoteError, Quotes};

/// Passes on a CSV file until quotes in it don't go together, which is an error that says where.
pub(crate) struct Quoted<R> {
    from: R,
    quotes: Quotes,
}

impl<R> Quoted<R> {
    pub(crate) fn new(from: R, separator: u8) -> Self {
        Self {
            from,
            quotes: Quotes::new(separator),
        }
    }

    pub(crate) fn into_inner(self) -> R {
        self.from
    }
}

impl<R: Read> Read for Quoted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wrong = |error: QuoteError| io::Error::new(io::ErrorKind::InvalidData, error);
        let read = self.from.read(buffer)?;
        for &byte in &buffer[..read] {
            self.quotes.push(byte).map_err(wrong)?;
        }
        if read == 0 && !buffer.is_empty() {
            self.quotes.end().map_err(wrong)?;
        }
        Ok(read)
    }
}
