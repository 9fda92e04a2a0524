use std::error::Error;
use std::iter::successors;

use crate::streams::printable;

/// The longest piece of somebody else's text that a message holds, in characters.
const MOST: usize = 80;

/// An error's message with those of its causes that the text does not hold already, joined by colons.
///
/// ```
/// let error = std::io::Error::other("the disk is full");
/// assert_eq!(gradual_runs::message(&error), "the disk is full");
/// ```
#[must_use]
pub fn message(error: &dyn Error) -> String {
    let causes = successors(error.source(), |cause| (**cause).source());
    causes.fold(error.to_string(), |text, cause| {
        let cause = cause.to_string();
        if text.contains(&cause) {
            text
        } else {
            format!("{text}: {cause}")
        }
    })
}

/// A name or value that comes from a file, for a message: in quotes, cut after 80 characters, and with what a terminal
/// would obey escaped.
///
/// ```
/// assert_eq!(gradual_runs::shown("a\x1b[2J"), r#""a\u{1b}[2J""#);
/// assert!(gradual_runs::shown(&"x".repeat(1000)).chars().count() < 100);
/// ```
#[must_use]
pub fn shown(text: &str) -> String {
    let start: String = text.chars().take(MOST).collect();
    let more = match start.len() == text.len() {
        true => "",
        false => " …",
    };
    format!("\"{}\"{more}", escaped(&start))
}

/// A longer piece of text that may hold somebody else's: cut after twice as many characters, with what a terminal would
/// obey escaped.
pub(crate) fn cut(text: &str) -> String {
    let mut start: String = text.chars().take(2 * MOST).collect();
    if start.len() < text.len() {
        start.push('…');
    }
    escaped(&start)
}

fn escaped(text: &str) -> String {
    printable(text).replace('\n', "\\n").replace('\t', "\\t")
}
