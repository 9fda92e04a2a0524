//! Code of the repository that a page of the book quotes.
//!
//! A page holds the code itself, so that it reads as well without the book. A comment before the block says what it is a part
//! of, `<!-- the part "model" of examples/convnet.rs -->`: the lines there between `// ANCHOR: model` and
//! `// ANCHOR_END: model`. They have to be the same.

use std::fs;
use std::path::Path;

/// What stands before and after the name of the part.
const BEFORE: &str = "<!-- the part \"";
const OF: &str = "\" of ";
const AFTER: &str = " -->";

/// What is wrong with the quotations of a page; files are named from `root`.
pub(crate) fn check(page: &str, root: &Path) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut rest = page;
    while let Some(at) = rest.find(BEFORE) {
        rest = &rest[at + BEFORE.len()..];
        let Some((named, after)) = rest.split_once(AFTER) else {
            wrong.push("the comment on a quotation does not end".to_owned());
            break;
        };
        let Some((part, file)) = named.split_once(OF) else {
            wrong.push(format!("'{named}' names no part of a file"));
            continue;
        };
        let source = fs::read_to_string(root.join(file)).unwrap_or_default();
        match (anchored(&source, part), block(after)) {
            (None, _) => wrong.push(format!("{file} has no part '{part}'")),
            (Some(code), Some(quoted)) if code.trim() == quoted.trim() => {}
            _ => wrong.push(format!(
                "the code is not that of {file}, part '{part}'; copy it again"
            )),
        }
    }
    wrong
}

/// The lines between the two comments that name a part.
fn anchored<'a>(source: &'a str, part: &str) -> Option<&'a str> {
    let (_, after) = source.split_once(&format!("// ANCHOR: {part}\n"))?;
    let (code, _) = after.split_once(&format!("// ANCHOR_END: {part}\n"))?;
    Some(code)
}

/// The code of the block that follows at once.
fn block(text: &str) -> Option<&str> {
    let fence = text.trim_start().strip_prefix("```rust,ignore\n")?;
    fence.split_once("\n```").map(|(code, _)| code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quotation_is_that_of_its_file() {
        let home = std::env::temp_dir().join(format!("gradual-quoted-{}", std::process::id()));
        fs::create_dir_all(&home).unwrap();
        let source = "use a;\n// ANCHOR: one\nfn one() {}\n// ANCHOR_END: one\nfn two() {}\n";
        fs::write(home.join("a.rs"), source).unwrap();
        let page = |part: &str, code: &str| {
            format!("Text.\n\n{BEFORE}{part}{OF}a.rs{AFTER}\n\n```rust,ignore\n{code}\n```\n")
        };
        let said = |page: &str| check(page, &home).join("; ");
        let same = said(&page("one", "fn one() {}"));
        let [other, more] =
            ["fn one() { }", "fn one() {}\nfn two() {}"].map(|code| said(&page("one", code)));
        let unknown = said(&page("two", "fn two() {}"));
        let none = said(&format!("{BEFORE}one{OF}a.rs{AFTER}\n\nNo code.\n"));
        fs::remove_dir_all(&home).unwrap();
        assert_eq!(same, "");
        for said in [other, more, none] {
            assert!(said.contains("not that of a.rs, part 'one'"), "{said}");
        }
        assert_eq!(unknown, "a.rs has no part 'two'");
    }
}
