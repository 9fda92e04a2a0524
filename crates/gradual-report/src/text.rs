//! Text that comes from run folders, made fit for pages, drawings and tables.

mod labels;
pub(crate) mod markdown;

use gradual_runs::streams::steers;

pub(crate) use labels::{labels, shorten, width};

/// The first of a list, at most `most`, and how many more there are.
pub(crate) fn first_of(all: &[String], most: usize) -> String {
    let first = all[..all.len().min(most)].join(", ");
    match all.len().saturating_sub(most) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

/// Text for HTML and XML.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars().map(visible) {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// At most about `most` letters of a text for HTML and XML.
pub(crate) fn shown(text: &str, most: usize) -> String {
    escape(&shorten(text, most))
}

/// `letter`, or the replacement character � for one that no page may hold (XML 1.0 has a list of characters, and most
/// control characters are not on it) and for one that changes the order of the letters around it.
pub(crate) fn visible(letter: char) -> char {
    let hidden = match letter {
        '\t' | '\n' | '\r' => false,
        '\u{fffe}' | '\u{ffff}' => true,
        other => steers(other),
    };
    if hidden { '\u{fffd}' } else { letter }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_character_breaks_xml() {
        let every: String = ('\0'..='\u{ffff}').collect();
        let xml = format!("<a b=\"{0}\">{0}</a>", escape(&every));
        let text = roxmltree::Document::parse(&xml).unwrap();
        assert!(text.root_element().text().unwrap().contains("<=>"));
        assert_eq!(
            escape("\u{0}\u{1b}[2J\u{202e}a"),
            "\u{fffd}\u{fffd}[2J\u{fffd}a"
        );
        assert_eq!(escape("é 漢 😀\n"), "é 漢 😀\n");
    }
}
