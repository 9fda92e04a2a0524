//! Quotes around the cells of a CSV file that don't go together.

use thiserror::Error;

/// Follows a CSV file byte by byte, lines ending by line feeds, and finds quotes that don't go together. A reader of cells takes what comes after such a
/// quote, rows and all, for the text of one cell.
///
/// ```
/// use gradual_registry::Quotes;
///
/// let check = |text: &str| Quotes::new(b',').all(text.as_bytes()).map_err(|error| error.to_string());
/// assert_eq!(check("a,\"b\n\"\"c\"\n"), Ok(()));
/// assert!(check("a,\"5 inch\n1,2\n").unwrap_err().starts_with("line 1: a quote opens a cell"));
/// ```
#[derive(Debug, Clone)]
pub struct Quotes {
    separator: u8,
    place: Place,
    line: u64,
    /// The line of the last quote that opened a cell.
    opened: u64,
}

/// Where in a cell a byte stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Start,
    Unquoted,
    Quoted,
    /// After a quote that ends a cell, or is the first of two that stand for one.
    Quote,
    /// After the end of a quoted cell and a space.
    Ended,
}

/// Quotes that don't go together.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum QuoteError {
    /// The file ends within a quoted cell.
    #[error("line {line}: a quote opens a cell and none closes it")]
    Open {
        /// The line of the quote, from 1.
        line: u64,
    },
    /// A quoted cell goes on after its end.
    #[error("line {line}: text follows the end of a quoted cell{}; a quote within one is written twice", began(*line, *opened))]
    After {
        /// The line of the text, from 1.
        line: u64,
        /// The line where the cell begins.
        opened: u64,
    },
}

fn began(line: u64, opened: u64) -> String {
    match line == opened {
        true => String::new(),
        false => format!(" that begins on line {opened}, so a quote may be missing there"),
    }
}

impl Quotes {
    /// Nothing of a file whose cells this byte stands between.
    #[must_use]
    pub fn new(separator: u8) -> Self {
        Self {
            separator,
            place: Place::Start,
            line: 1,
            opened: 0,
        }
    }

    /// Takes the next byte.
    ///
    /// # Errors
    ///
    /// [`QuoteError::After`] for what can't stand after the end of a quoted cell.
    pub fn push(&mut self, byte: u8) -> Result<(), QuoteError> {
        let ends_cell = byte == self.separator || byte == b'\n';
        self.place = match (self.place, byte) {
            (Place::Start, b'"') => {
                self.opened = self.line;
                Place::Quoted
            }
            (Place::Quoted, b'"') => Place::Quote,
            (Place::Quoted, _) | (Place::Quote, b'"') => Place::Quoted,
            _ if ends_cell => Place::Start,
            (Place::Quote | Place::Ended, b' ' | b'\t') => Place::Ended,
            (Place::Quote | Place::Ended, _) => {
                return Err(QuoteError::After {
                    line: self.line,
                    opened: self.opened,
                });
            }
            (Place::Start | Place::Unquoted, _) => Place::Unquoted,
        };
        self.line += u64::from(byte == b'\n');
        Ok(())
    }

    /// That the file ends here.
    ///
    /// # Errors
    ///
    /// [`QuoteError::Open`] within a quoted cell.
    pub fn end(&self) -> Result<(), QuoteError> {
        match self.place {
            Place::Quoted => Err(QuoteError::Open { line: self.opened }),
            _ => Ok(()),
        }
    }

    /// A whole file.
    ///
    /// # Errors
    ///
    /// Those of [`push`](Self::push) and [`end`](Self::end).
    pub fn all(mut self, content: &[u8]) -> Result<(), QuoteError> {
        content.iter().try_for_each(|&byte| self.push(byte))?;
        self.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> Result<(), QuoteError> {
        Quotes::new(b',').all(text.as_bytes())
    }

    #[test]
    fn quotes_that_go_together_pass() {
        for text in [
            "",
            "a,b\n1,2\n",
            "\"a\",\"b,c\"\n\"1\n2\",\"\"\n",
            "\"a \"\"b\"\"\",\"\"\"\"\n",
            "5\",6\"\"\n a\"b\"c,\n",
            "\"a\" ,\"b\"\t\n\"c\"",
            "a, \"b\n",
        ] {
            assert_eq!(check(text), Ok(()), "{text:?}");
        }
    }

    #[test]
    fn a_quote_without_another_is_found_where_it_is() {
        let open = |line| Err(QuoteError::Open { line });
        assert_eq!(check("a,b\n1,\"2\n3,4\n"), open(2));
        assert_eq!(check("\"a\"\"\n,b\n"), open(1));
        assert_eq!(check("\""), open(1));
        let after = |line, opened| Err(QuoteError::After { line, opened });
        assert_eq!(check("a,b\n\"5 inch,1\n2,3\n\"x\",4\n"), after(4, 2));
        assert_eq!(check("a\n\"b\"c\n"), after(2, 2));
        assert_eq!(check("\"a\" b"), after(1, 1));
        let other = Quotes::new(b';').all(b"\"a\";1\n\"b\",2\n");
        assert_eq!(other, after(2, 2));
    }

    #[test]
    fn what_is_said_names_both_lines() {
        let said = |text| check(text).unwrap_err().to_string();
        assert_eq!(
            said("a\n\"b"),
            "line 2: a quote opens a cell and none closes it"
        );
        assert_eq!(
            said("\"5 inch\n\"x\"\n"),
            "line 2: text follows the end of a quoted cell that begins on line 1, so a quote may be missing there; a quote within one is written twice"
        );
        assert_eq!(
            said("\"x\"y\n"),
            "line 1: text follows the end of a quoted cell; a quote within one is written twice"
        );
    }
}
