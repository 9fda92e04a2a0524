//! `cargo xtask docs`: the book, and the documentation of the crates.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use xshell::cmd;

use crate::{quoted, shell};

/// The version that the book is written for.
pub(crate) const MDBOOK: &str = "0.5.4";

/// Where `cargo install` puts what only this repository needs.
pub(crate) fn tools() -> PathBuf {
    shell::target().join("tools")
}

/// Builds both, without warnings.
pub(crate) fn run() -> anyhow::Result<()> {
    let page = book()?;
    rustdoc(&[])?;
    println!("{}", page.display());
    println!(
        "{}",
        shell::target().join("doc/gradual/index.html").display()
    );
    Ok(())
}

/// Builds the documentation of our own crates with these `features`; a warning, such as a broken link, is an error.
pub(crate) fn rustdoc(features: &[String]) -> anyhow::Result<()> {
    let flags = env::var("RUSTDOCFLAGS").unwrap_or_default() + " -D warnings";
    let sh = shell::shell()?;
    let doc = shell::cargo(&sh, &["doc", "--release", "--workspace", "--no-deps"]);
    let doc = doc.args(features).env("RUSTDOCFLAGS", flags.trim_start());
    Ok(doc.env("DOCS_RS", "1").run()?)
}

/// Checks the pages, and builds the book where mdBook is there: to compile it takes minutes, and a job of its own does.
pub(crate) fn continuous_integration() -> anyhow::Result<()> {
    match program() {
        Ok(_) => book().map(drop),
        Err(_) => check(&shell::root().join("docs")),
    }
}

/// Builds the book, with the sources that it links to beside it, and says where its first page is.
pub(crate) fn book() -> anyhow::Result<PathBuf> {
    check(&shell::root().join("docs"))?;
    let sh = shell::shell()?;
    let mdbook = program().context("`cargo xtask setup mdbook` installs it")?;
    let out = shell::target().join("book");
    let pages = out.join("docs");
    let built = cmd!(sh, "{mdbook} build docs --dest-dir {pages}");
    let said = built.quiet().read_stderr()?;
    if let Some(line) = said
        .lines()
        .find(|line| line.contains("WARN") || line.contains("ERROR"))
    {
        bail!("mdbook: {line}");
    }
    // Links from pages to files of the repository lead to copies of them.
    let listed = cmd!(sh, "git ls-files crates examples bench xtask");
    for name in listed.quiet().read()?.lines() {
        let (from, to) = (shell::root().join(name), out.join(name));
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder)?;
        }
        if from.is_file() {
            fs::copy(&from, &to).with_context(|| format!("copying {name}"))?;
        }
    }
    Ok(pages.join("index.html"))
}

/// mdBook: the one that was installed for this repository, or any of the same version.
pub(crate) fn program() -> anyhow::Result<PathBuf> {
    let own = tools()
        .join("bin")
        .join(format!("mdbook{}", env::consts::EXE_SUFFIX));
    for program in [own, PathBuf::from("mdbook")] {
        let sh = shell::shell()?;
        let said = cmd!(sh, "{program} --version")
            .quiet()
            .ignore_stderr()
            .read();
        if said.is_ok_and(|said| said.ends_with(MDBOOK)) {
            return Ok(program);
        }
    }
    bail!("there is no mdbook {MDBOOK}")
}

/// Every page is in the table of contents, and every link between files leads to one.
fn check(docs: &Path) -> anyhow::Result<()> {
    let summary = fs::read_to_string(docs.join("SUMMARY.md")).context("docs/SUMMARY.md")?;
    let listed: BTreeSet<PathBuf> = links(&summary).map(|link| docs.join(link)).collect();
    let mut wrong = Vec::new();
    for page in pages(docs)? {
        if !listed.contains(&page) && !page.ends_with("SUMMARY.md") {
            wrong.push(format!("{} is not in docs/SUMMARY.md", page.display()));
        }
        let text = fs::read_to_string(&page)?;
        let folder = page.parent().unwrap_or(docs);
        let quoted = quoted::check(&text, &shell::root());
        wrong.extend(
            quoted
                .into_iter()
                .map(|problem| format!("{}: {problem}", page.display())),
        );
        for link in links(&text).filter(|link| !folder.join(link).exists()) {
            wrong.push(format!("{}: {link} does not exist", page.display()));
        }
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => bail!("the book:\n  - {}", wrong.join("\n  - ")),
    }
}

/// The pages of a folder and of those in it.
fn pages(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(pages(&path)?);
        } else if path.extension().is_some_and(|ending| ending == "md") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// The files that a page links to: no addresses, no places in the page itself, no code.
fn links(page: &str) -> impl Iterator<Item = &str> {
    let mut in_code = false;
    let prose = page.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        in_code ^= fence;
        !in_code && !fence
    });
    let targets = prose.flat_map(|line| line.split("](").skip(1));
    let targets = targets.filter_map(|rest| rest.split([')', '#', ' ']).next());
    targets.filter(|target| !target.is_empty() && !target.contains("://"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_those_to_files() {
        let page = "See [a](a.md#place), [b](https://example.org/b.md), [c](#c).\n\
                    ```sh\n[d](d.md)\n```\n![e](figures/e.svg)";
        assert_eq!(links(page).collect::<Vec<_>>(), ["a.md", "figures/e.svg"]);
    }

    #[test]
    fn the_book_lists_its_pages_and_leads_nowhere_wrong() {
        check(&shell::root().join("docs")).unwrap();
        let folder = env::temp_dir().join(format!("gradual-book-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("SUMMARY.md"), "- [one](one.md)").unwrap();
        fs::write(folder.join("one.md"), "[two](two.md) [none](none.md)").unwrap();
        fs::write(folder.join("two.md"), "").unwrap();
        let error = check(&folder).unwrap_err().to_string();
        fs::remove_dir_all(&folder).unwrap();
        assert!(
            error.contains("two.md is not in docs/SUMMARY.md"),
            "{error}"
        );
        assert!(error.contains("none.md does not exist"), "{error}");
        assert!(!error.contains("two.md does not exist"), "{error}");
    }
}
