//! What programs say on their standard streams.
//!
//! The macros of the standard library panic where a stream can't be written to: a pipe that was closed, a full disk.
//! A command whose runs are done must not end so.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

/// Prints a line on standard output. Whoever reads it may have stopped, which is no error.
///
/// # Errors
/// The system's, such as a full disk.
pub fn say(line: impl Display) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{line}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        said => said,
    }
}

/// Longest message, in characters.
const LONGEST: usize = 8_000;

/// Says a message on standard error, with [control characters escaped](printable) and no longer than somebody reads. A stream that can't be written to is no
/// reason to end.
pub fn tell(line: impl Display) {
    let mut line = printable(&line.to_string());
    if let Some((end, _)) = line.char_indices().nth(LONGEST) {
        line.truncate(end);
        line.push_str(" … (cut)");
    }
    let _ = writeln!(io::stderr(), "{line}");
}

/// A text for a terminal: characters that would steer it, or turn the order of what follows, stand there by their
/// number. Line feeds and tabs stay.
///
/// ```
/// assert_eq!(gradual_runs::streams::printable("a\u{1b}[2Jb"), "a\\u{1b}[2Jb");
/// ```
#[must_use]
pub fn printable(text: &str) -> String {
    let steers = |letter: char| match letter {
        '\n' | '\t' => false,
        // Marks, embeddings, overrides and isolates of the direction of writing.
        '\u{061c}'
        | '\u{200e}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}' => true,
        letter => letter.is_control(),
    };
    let mut said = String::with_capacity(text.len());
    for letter in text.chars() {
        match steers(letter) {
            true => said.extend(letter.escape_unicode()),
            false => said.push(letter),
        }
    }
    said
}
