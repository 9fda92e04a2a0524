//! A page that lists experiments, each with what came out and a link to its report.

use std::fs::{self, File};
use std::io::{BufReader, ErrorKind, Read as _};
use std::path::Path;

use gradual_runs::files::{self, EXPERIMENT};
use gradual_runs::{ExperimentRecord, RunsError};
use serde::Deserialize;

use crate::ReportError;
use crate::numbers::count;
use crate::output;
use crate::page::document;
use crate::text::{escape, shown};

/// By which a page of ours is known.
const MARK: &str = "<!-- the experiments of a folder, by gradual -->\n";
/// Bytes in which the mark must stand: the style of a page is before it.
const HEAD: u64 = 1 << 16;
/// Letters of a title, of a hypothesis, and of what went wrong.
const TITLE: usize = 300;
const TEXT: usize = 4000;

/// An experiment of an [`index`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Indexed {
    /// The name of its folder, which is beside the page.
    pub folder: String,
    /// What went wrong with it, if anything did.
    pub failed: Option<String>,
}

/// Writes the page of these experiments, in this order, and replaces an earlier one: of each its title, its hypothesis,
/// how many of its claims came out how, a picture, and the link to its report. The folders are those beside `page`.
///
/// # Errors
/// [`ReportError::ForeignIndex`] when the file is there and something else, [`ReportError::Runs`] when it can't be
/// written. An experiment that can't be read is listed with what is wrong.
pub fn index(page: &Path, experiments: &[Indexed]) -> Result<(), ReportError> {
    check_index(page)?;
    let beside = output::beside(page);
    let sections: String = experiments.iter().map(|one| section(beside, one)).collect();
    let text = document("Experiments", &format!("{MARK}{sections}"));
    fs::create_dir_all(beside).map_err(RunsError::file("create", beside))?;
    Ok(files::replace(page, text)?)
}

/// Refuses a place in which something is that is no such page, as [`index`] does: before hours of runs.
///
/// # Errors
/// [`ReportError::ForeignIndex`], and [`ReportError::Runs`] when it can't be looked at.
pub fn check_index(page: &Path) -> Result<(), ReportError> {
    let foreign = || ReportError::ForeignIndex {
        path: page.to_owned(),
    };
    match fs::symlink_metadata(page) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(RunsError::file("look at", page)(error).into()),
        Ok(found) if !found.is_file() => Err(foreign()),
        Ok(_) => {
            let mut head = Vec::new();
            let read = File::open(page).and_then(|file| file.take(HEAD).read_to_end(&mut head));
            read.map_err(RunsError::file("read", page))?;
            let mark = MARK.trim_end().as_bytes();
            match head.windows(mark.len()).any(|part| part == mark) {
                true => Ok(()),
                false => Err(foreign()),
            }
        }
    }
}

fn section(beside: &Path, one: &Indexed) -> String {
    let folder = beside.join(&one.folder);
    let record: Result<ExperimentRecord, RunsError> = files::read(&folder.join(EXPERIMENT));
    let mut text = String::new();
    let title = match &record {
        Ok(record) if !record.title.is_empty() => &record.title,
        _ => &one.folder,
    };
    let link = encoded(&one.folder);
    let has_report = folder.join("report/index.html").is_file();
    let title = shown(title, TITLE);
    text += &match has_report {
        true => format!("<h2><a href=\"{link}/report/index.html\">{title}</a></h2>\n"),
        false => format!("<h2>{title}</h2>\n"),
    };
    if let Some(failed) = &one.failed {
        text += &format!(
            "<aside><strong>Failed:</strong> {}</aside>\n",
            shown(failed, TEXT)
        );
    }
    match &record {
        Ok(record) if !record.claim.trim().is_empty() => {
            text += &format!("<blockquote>{}</blockquote>\n", shown(&record.claim, TEXT));
        }
        Ok(_) => {}
        Err(RunsError::Missing { .. }) => text += "<p>It has no runs yet.</p>\n",
        Err(error) => {
            text += &format!(
                "<p>It can’t be read: {}</p>\n",
                shown(&error.to_string(), TEXT)
            )
        }
    }
    if has_report {
        text += &verdicts(&folder);
        let baseline = record
            .as_ref()
            .map_or("", |record| record.baseline.as_str());
        text += &picture(&folder, &link, baseline);
    }
    text
}

/// The part of `summary.json` that is needed here.
#[derive(Deserialize)]
struct Summary {
    verdicts: Vec<Judged>,
}

#[derive(Deserialize)]
struct Judged {
    verdict: String,
}

/// How many claims came out how.
fn verdicts(folder: &Path) -> String {
    let file = files::open(&folder.join("report/summary.json"));
    let summary: Option<Summary> = file
        .ok()
        .and_then(|file| serde_json::from_reader(BufReader::new(file)).ok());
    let Some(Summary { verdicts }) = summary else {
        return String::new();
    };
    let of = |names: &[&str]| {
        let all = verdicts.iter();
        all.filter(|one| names.contains(&one.verdict.as_str()))
            .count()
    };
    let (yes, no) = (of(&["supported"]), of(&["not_supported", "not supported"]));
    format!(
        "<p>{}: <b class=\"yes\">{yes} supported</b>, <b class=\"no\">{no} not supported</b>, <b class=\"open\">{} \
         inconclusive</b></p>\n",
        count(verdicts.len(), "claim", "claims"),
        verdicts.len() - yes - no
    )
}

/// The headline, or without one the curves of the baseline.
fn picture(folder: &Path, link: &str, baseline: &str) -> String {
    let curves = format!("curves-{baseline}");
    let names = ["tax-width", curves.as_str()];
    let there = |name: &&&str| {
        let file = format!("report/figures/{name}.svg");
        folder.join(file).is_file()
    };
    let Some(name) = names.iter().find(there) else {
        return String::new();
    };
    let what = match *name {
        "tax-width" => {
            "How wide the rise of a capability is, against what it takes to learn all of them."
        }
        _ => "The curves of the capabilities under the baseline.",
    };
    format!(
        "<figure><div class=\"panels single\" style=\"--width:450px\"><a href=\"{link}/report/index.html\"><img loading=\"lazy\" \
         style=\"width:100%\" src=\"{link}/report/figures/{}.svg\" alt=\"{}\"></a></div></figure>\n",
        encoded(name),
        escape(what)
    )
}

/// A name as a part of an address.
fn encoded(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    name.bytes()
        .map(|byte| match plain(byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        })
        .collect()
}
