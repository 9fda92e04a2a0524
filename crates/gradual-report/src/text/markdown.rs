//! Text of others in Markdown, where it must stay text.

use super::visible;

/// A text of one line that shows its letters and nothing else: no markup, no HTML, no link, no cell of a table. It may
/// begin a line.
pub(crate) fn plain(text: &str) -> String {
    inert(text, true)
}

/// [`plain`] text within a line, such as a cell of a table.
pub(crate) fn cell(text: &str) -> String {
    inert(text, false)
}

fn inert(text: &str, begins_line: bool) -> String {
    let mut said = String::with_capacity(text.len());
    for (at, letter) in text.char_indices() {
        match letter {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' | '$' | '&' => {
                said.push('\\');
                said.push(letter);
            }
            // What would be a heading, a list or a rule at the beginning of a line.
            '#' | '-' | '+' | '=' if at == 0 && begins_line => {
                said.push('\\');
                said.push(letter);
            }
            '.' | ')'
                if begins_line && at > 0 && text[..at].bytes().all(|one| one.is_ascii_digit()) =>
            {
                said.push('\\');
                said.push(letter);
            }
            // Addresses become links by themselves.
            '@' => said.push_str("&#64;"),
            ':' if text[at..].starts_with("://") => said.push_str("&#58;"),
            '.' if text[..at].to_lowercase().ends_with("www") => said.push_str("&#46;"),
            '\n' | '\r' | '\t' => said.push(' '),
            other => said.push(visible(other)),
        }
    }
    said
}

/// A text as code within a line.
pub(crate) fn code(text: &str) -> String {
    let text: String = text.chars().map(in_line).collect();
    let runs = text.split(|letter| letter != '`').map(str::len);
    let fence = "`".repeat(runs.max().unwrap_or(0) + 1);
    let room = if text.starts_with('`') || text.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{fence}{room}{text}{room}{fence}")
}

/// Lines of code.
pub(crate) fn block(text: &str) -> String {
    let lines = text.lines().map(|line| {
        let line: String = line.chars().map(in_line).collect();
        format!("    {line}\n")
    });
    lines.collect()
}

fn in_line(letter: char) -> char {
    match letter {
        '\n' | '\r' | '\t' => ' ',
        other => visible(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text() {
        for (text, said) in [
            ("a|b\n<script>", "a\\|b \\<script\\>"),
            ("[x](http://y)", "\\[x\\](http&#58;//y)"),
            ("see www.y.z, a@b.c", "see www&#46;y.z, a&#64;b.c"),
            ("# one", "\\# one"),
            ("12. of 3.5", "12\\. of 3.5"),
            ("a\u{1b}b\u{202e}", "a\u{fffd}b\u{fffd}"),
        ] {
            assert_eq!(plain(text), said);
        }
        assert_eq!(cell("-0.5 | 1."), "-0.5 \\| 1.");
    }

    #[test]
    fn code_ends_where_it_is_meant_to() {
        assert_eq!(code("erm"), "`erm`");
        assert_eq!(code("a`b``c"), "```a`b``c```");
        assert_eq!(code("`a\nb"), "`` `a b``".replace("b``", "b ``"));
        assert_eq!(block("a\n# b\r\n\u{0}"), "    a\n    # b\n    \u{fffd}\n");
    }
}
