//! Where a page of claims and its figures lie, and what may be replaced there.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use gradual_runs::RunsError;

use super::{HEAD, file_name};
use crate::ReportError;
use crate::output;

/// The folder of figures beside pages, in which each page has one of its own.
const FIGURES: &str = "figures";

/// The figures of a page.
pub(super) struct Figures {
    /// Where they lie, as a link of the page says it.
    folder: String,
    /// By name.
    pub(super) drawn: BTreeMap<String, String>,
}

impl Figures {
    /// Of this page, none yet.
    pub(super) fn of(page: &Path) -> Self {
        Self {
            folder: folder_of_figures(page),
            drawn: BTreeMap::new(),
        }
    }

    /// This name, or, where a figure has it, one with a number behind it.
    pub(super) fn free(&self, name: &str) -> String {
        let numbered = (2..).map(|number: usize| format!("{name}-{number}"));
        let mut names = std::iter::once(name.to_owned()).chain(numbered);
        let free = names.find(|name| !self.drawn.contains_key(name));
        free.unwrap_or_default()
    }

    /// Where the figure of this name lies, as a link of the page says it.
    pub(super) fn link(&self, name: &str) -> String {
        format!("{}/{name}.svg", self.folder)
    }
}

/// The folder of a page's figures, as a link says it: pages in one folder have each their own.
fn folder_of_figures(page: &Path) -> String {
    let stem = page.file_stem().unwrap_or_default().to_string_lossy();
    let name = match page.extension() {
        Some(extension) if extension == "md" => file_name(&stem),
        other => {
            let extension = other.map_or("none".into(), OsStr::to_string_lossy);
            file_name(&format!("{stem}-{extension}"))
        }
    };
    match name.as_str() {
        "" => FIGURES.to_owned(),
        name => format!("{FIGURES}/{name}"),
    }
}

/// Refuses to replace what is no page of claims.
pub(super) fn check(page: &Path) -> Result<(), ReportError> {
    let foreign = |found| {
        Err(ReportError::ForeignPage {
            path: page.to_owned(),
            found,
        })
    };
    let beside = output::beside(page);
    for figures in [FIGURES, &folder_of_figures(page)] {
        match fs::symlink_metadata(beside.join(figures)) {
            Ok(found) if !found.is_dir() => return foreign("the figures beside it are no folder"),
            _ => {}
        }
    }
    match fs::symlink_metadata(page) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(RunsError::file("look at", page)(error).into()),
        Ok(found) if !found.is_file() => foreign("it is no file"),
        Ok(_) => {
            let mut start = Vec::new();
            let read = File::open(page).and_then(|file| {
                let mut head = file.take(HEAD.len() as u64);
                head.read_to_end(&mut start)
            });
            read.map_err(RunsError::file("read", page))?;
            match start.is_empty() || start == HEAD.as_bytes() {
                true => Ok(()),
                false => foreign("it begins otherwise"),
            }
        }
    }
}

/// The figures of its own that the page of claims before links to, as it says it; none without a page. Earlier ones lay in
/// the folder of all figures.
fn former(page: &Path) -> Result<BTreeSet<String>, ReportError> {
    let text = match fs::read_to_string(page) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) => return Err(RunsError::file("read", page)(error).into()),
    };
    let own = folder_of_figures(page);
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
    let links = text.lines().filter_map(|line| {
        let (_, link) = line.strip_prefix("![")?.rsplit_once("](")?;
        let link = link.strip_suffix(')')?;
        let (folder, file) = link.rsplit_once('/')?;
        let name = file.strip_suffix(".svg")?;
        let ours = folder == own || folder == FIGURES;
        (ours && name.starts_with("claim-") && name.chars().all(plain)).then(|| link.to_owned())
    });
    Ok(links.collect())
}

/// Refuses to replace a figure that the page before does not link to, or what is no file.
fn check_figure(path: &Path, ours: bool) -> Result<(), ReportError> {
    let found = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(RunsError::file("look at", path)(error).into()),
        Ok(found) if !found.is_file() => "it is no file",
        Ok(_) if !ours => "the page before does not link to it",
        Ok(_) => return Ok(()),
    };
    Err(ReportError::ForeignPage {
        path: path.to_owned(),
        found,
    })
}

/// Writes page and figures into a hidden folder beside the page, and then moves each to its place, the page last. The
/// figures of the page before that are no longer wanted go.
pub(super) fn put(page: &Path, text: &str, figures: &Figures) -> Result<(), ReportError> {
    let beside = output::beside(page);
    let former = former(page)?;
    let links: BTreeSet<String> = figures
        .drawn
        .keys()
        .map(|name| figures.link(name))
        .collect();
    for link in &links {
        check_figure(&beside.join(link), former.contains(link))?;
    }
    fs::create_dir_all(beside).map_err(RunsError::file("create", beside))?;
    let new = output::Hidden::new(beside)?;
    let mut moves: Vec<(PathBuf, PathBuf)> = Vec::new();
    let pages = std::iter::once((output::PAGE.to_owned(), page.to_owned(), text));
    let drawings = figures.drawn.iter().map(|(name, svg)| {
        let written = format!("{FIGURES}/{name}.svg");
        (written, beside.join(figures.link(name)), svg.as_str())
    });
    for (name, place, content) in drawings.chain(pages) {
        let written = new.path().join(name);
        output::create(&written, content.as_bytes()).map_err(RunsError::file("write", &place))?;
        moves.push((written, place));
    }
    for (written, place) in moves {
        let parent = output::beside(&place);
        let moved = fs::create_dir_all(parent).and_then(|()| fs::rename(&written, &place));
        moved.map_err(RunsError::file("write", &place))?;
    }
    for link in former.difference(&links) {
        let gone = beside.join(link);
        if check_figure(&gone, true).is_ok() && gone.exists() {
            fs::remove_file(&gone).map_err(RunsError::file("remove", &gone))?;
        }
    }
    drop(new);
    output::sweep(beside);
    Ok(())
}
