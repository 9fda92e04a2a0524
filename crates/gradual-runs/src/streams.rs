//! What programs say on their standard streams.
//!
//! The macros of the standard library panic where a stream can't be written to: a pipe that was closed, a full disk.
//! A command whose runs are done must not end so.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

/// Prints a line on standard output, with [control characters escaped](printable): a path or a name in it may be somebody
/// else's. Whoever reads it may have stopped, which is no error.
///
/// # Errors
/// The system's, such as a full disk.
pub fn say(line: impl Display) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let line = printable(&line.to_string());
    match writeln!(out, "{line}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        said => said,
    }
}

/// How much of a long message is said, in characters: of its beginning, and of its end, where the cause stands.
const SAID: usize = 4_000;

/// Says a message on standard error, with [control characters escaped](printable) and no longer than somebody reads. A
/// stream that can't be written to is no reason to end.
pub fn tell(line: impl Display) {
    let line = shortened(printable(&line.to_string()));
    let _ = writeln!(io::stderr(), "{line}");
}

fn shortened(text: String) -> String {
    let length = text.chars().count();
    if length <= 2 * SAID {
        return text;
    }
    let at = |place| text.char_indices().nth(place).map_or(0, |(at, _)| at);
    let (head, tail) = (&text[..at(SAID)], &text[at(length - SAID)..]);
    format!(
        "{head} … ({} characters are left out) … {tail}",
        length - 2 * SAID
    )
}

/// Whether a character steers a terminal, breaks a line, or turns the order of what follows. Line feeds and tabs do not.
#[must_use]
pub fn steers(letter: char) -> bool {
    match letter {
        '\n' | '\t' => false,
        // Separators of lines; marks, embeddings, overrides and isolates of the direction of writing.
        '\u{061c}'
        | '\u{200e}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}' => true,
        letter => letter.is_control(),
    }
}

/// A text for a terminal: characters that would steer it, or turn the order of what follows, stand there by their
/// number. Line feeds and tabs stay.
///
/// ```
/// assert_eq!(gradual_runs::streams::printable("a\u{1b}[2Jb"), "a\\u{1b}[2Jb");
/// ```
#[must_use]
pub fn printable(text: &str) -> String {
    let mut said = String::with_capacity(text.len());
    for letter in text.chars() {
        match steers(letter) {
            true => said.extend(letter.escape_unicode()),
            false => said.push(letter),
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_messages_keep_their_ends() {
        assert_eq!(shortened("ü".repeat(8_000)), "ü".repeat(8_000));
        let long = format!("begin{}end", "ü".repeat(1_000_000));
        let said = shortened(long);
        assert!(said.starts_with("begin") && said.ends_with("end"), "{said}");
        assert!(said.contains("992008 characters are left out") && said.chars().count() < 8_100);
    }
}
