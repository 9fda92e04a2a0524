//! Whether the output is for a person at a terminal or for a log.

use std::env;
use std::ffi::OsStr;
use std::io::{IsTerminal, stderr, stdout};

/// Plain output: under continuous integration (`CI` is set), with `NO_COLOR`, or without a terminal.
pub(crate) fn is_plain() -> bool {
    let ci = env::var_os("CI").is_some_and(|value| is_on(&value));
    let no_color = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    ci || no_color || !stdout().is_terminal() || !stderr().is_terminal()
}

fn is_on(value: &OsStr) -> bool {
    !(value.is_empty() || value == "0" || value == "false")
}

/// `text` in bold, or as it is where output is plain.
pub(crate) fn bold(text: &str) -> String {
    if is_plain() {
        text.to_owned()
    } else {
        format!("\u{1b}[1m{text}\u{1b}[0m")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ci_can_be_switched_off() {
        assert!(is_on(OsStr::new("true")) && is_on(OsStr::new("1")));
        assert!(!is_on(OsStr::new("")) && !is_on(OsStr::new("0")) && !is_on(OsStr::new("false")));
    }
}
