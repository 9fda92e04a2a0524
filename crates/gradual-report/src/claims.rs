//! The verdicts of full runs as a page of documentation.

mod place;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use gradual_measure::{Against, Direction};
use gradual_runs::ExperimentRecord;
use gradual_runs::files::{self, EXPERIMENT};

use crate::ReportError;
use crate::figures::{Dots, dots};
use crate::folder::{Folder, once};
use crate::numbers::{count, number};
use crate::stop::Stop;
use crate::text::markdown::{block, cell, code, plain};
use crate::text::shorten;
use crate::verdicts::{self, JudgedClaim, present, values};
use place::{Figures, check, put};

/// Letters of an arm's name that are shown.
const NAME: usize = 80;
/// Letters of what is said of a verdict, which may hold such names.
const REASON: usize = 1_000;
/// What every page of claims begins with.
const HEAD: &str = "# Claims and verdicts\n\nWritten by\n";

/// Writes the claims of the experiments in `dirs` to the Markdown file `page`, claim by claim with its verdict
/// and a figure, which lies beside the page in the folder `figures/NAME`, NAME being that of the page without `.md`; other endings stand after a hyphen.
///
/// Each experiment is a table of its own: p-values are corrected for its own claims. Equal runs give equal
/// bytes. The page and all figures are put in their places once all are written; where anything fails before, what was
/// there stays. Figures that only the page before links to are removed.
///
/// # Errors
/// Those of [`report`](crate::report), and [`ReportError::ForeignPage`] when the file is something else, or where a
/// figure is to be, there is what no page of claims before links to.
pub fn claims(dirs: &[PathBuf], page: &Path) -> Result<(), ReportError> {
    write(dirs, page, &Stop::default())
}

pub(crate) fn write(dirs: &[PathBuf], page: &Path, stop: &Stop) -> Result<(), ReportError> {
    if dirs.is_empty() {
        return Err(ReportError::NoFolder);
    }
    check(page)?;
    let given = dirs;
    let mut dirs = Vec::new();
    for dir in given {
        dirs.extend(experiments(dir)?);
    }
    once(&dirs)?;
    let names: Vec<String> = given.iter().map(|dir| quoted(dir)).collect();
    let command = format!(
        "cargo xtask report --claims {} {}",
        quoted(page),
        names.join(" ")
    );
    let mut text = format!(
        "{HEAD}\n{}\nfrom run folders; not to be \
         edited by hand.\n\nThe ratio is arm / baseline, the geometric mean over seeds, with Student's 95 % interval on \
         the log ratios; p is that of the t-test against exactly the claimed ratio, by Holm's correction for all \
         claims of the experiment. A claim is supported or not supported when p is at most 0.05 and the BCa \
         bootstrap interval lies on one side of the claimed ratio, with at least five seeds, and when neither the \
         exact sign-flip test nor, for visibly skewed log ratios, the test that allows for skewness asks for more \
         seeds. All else is inconclusive.\n",
        block(&command),
    );
    let mut figures = Figures::of(page);
    let mut taken = BTreeSet::new();
    for dir in &dirs {
        let mut folder = Folder::read(dir, false, stop)?;
        // Experiments of one name are told apart, and with them their headings and figures.
        let numbered = (2..).map(|number: usize| format!("{} ({number})", folder.name));
        let mut names = std::iter::once(folder.name.clone()).chain(numbered);
        let free = names.find(|name| taken.insert(anchor(name)));
        folder.name = free.unwrap_or_default();
        text.push_str(&experiment(&folder, &mut figures, stop)?);
    }
    put(page, &text, &figures)
}

/// The folder itself, or, where it is one of experiments, those in it that state claims, by name. The short version of an
/// experiment is left out where the long one is there.
fn experiments(dir: &Path) -> Result<Vec<PathBuf>, ReportError> {
    let is_one = |dir: &Path| dir.join(EXPERIMENT).symlink_metadata().is_ok();
    if !dir.is_dir() || is_one(dir) {
        return Ok(vec![dir.to_owned()]);
    }
    let mut inside = Vec::new();
    for path in files::entries(dir)? {
        if is_one(&path) {
            let record: ExperimentRecord = files::read(&path.join(EXPERIMENT))?;
            if !record.claims.is_empty() {
                inside.push(path);
            }
        }
    }
    inside.sort();
    let is_short = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str());
        let long = name.and_then(|name| name.strip_suffix("-quick"));
        long.is_some_and(|long| inside.contains(&dir.join(long)))
    };
    let kept: Vec<PathBuf> = inside
        .iter()
        .filter(|path| !is_short(path))
        .cloned()
        .collect();
    match kept.is_empty() {
        // Which says what is missing.
        true => Ok(vec![dir.to_owned()]),
        false => Ok(kept),
    }
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let path = path.display().to_string();
    let safe = |letter: char| letter.is_ascii_alphanumeric() || "_-./:=+,@%".contains(letter);
    match !path.is_empty() && path.chars().all(safe) {
        true => path,
        false => format!("'{}'", path.replace('\'', "'\\''")),
    }
}

fn experiment(folder: &Folder, figures: &mut Figures, stop: &Stop) -> Result<String, ReportError> {
    let mut text = format!("\n## {}\n", plain(&folder.title));
    for claim in folder.claims.iter().filter(|claim| !claim.is_empty()) {
        text.push_str(&format!("\n> {}\n", plain(claim)));
    }
    for one in &folder.commands {
        text.push_str(&format!("\n{}", block(&one.command)));
        let version = one
            .version
            .iter()
            .map(|version| format!("version {version}"));
        let commit = one.commit.iter().filter(|commit| !commit.is_empty());
        let program = version.chain(commit.map(|commit| format!("commit {commit}")));
        let program: Vec<String> = program.collect();
        if !program.is_empty() {
            text.push_str(&format!("\n({})\n", plain(&program.join(", "))));
        }
    }
    let held = verdicts::of(folder);
    if held.is_empty() {
        text.push_str("\nThe experiment states no measurable claim.\n");
        return Ok(text);
    }
    text.push_str("\n| claim | metric | claimed | ratio | verdict |\n|---|---|---|---|---|\n");
    for (index, one) in (1..).zip(&held) {
        text.push_str(&format!(
            "| [{index}](#{}) {} | {} | {} | {} | **{}** |\n",
            anchor(&heading(folder, index)),
            cell(&one.claim.statement),
            cell(&one.claim.label()),
            claimed(one),
            found(one),
            one.verdict.label(),
        ));
    }
    for (index, one) in (1..).zip(&held) {
        stop.check()?;
        let name = figures.free(&format!("claim-{}-{index}", file_name(&folder.name)));
        let svg = figure(folder, one, &name)?;
        let link = figures.link(&name);
        figures.drawn.insert(name, svg);
        let control = folder
            .arm(&one.claim.arm)
            .and_then(|arm| arm.control.as_deref());
        text.push_str(&format!(
            "\n### {}\n\n{}",
            plain(&heading(folder, index)),
            section(one, control, &link)
        ));
    }
    Ok(text)
}

fn heading(folder: &Folder, index: usize) -> String {
    format!("{} {index}", folder.name)
}

fn section(held: &JudgedClaim, control: Option<&str>, figure: &str) -> String {
    let claim = &held.claim;
    let mut text = format!(
        "{} *({})*\n\n**{}**",
        plain(&claim.statement),
        plain(&claim.source),
        {
            let label = held.verdict.label();
            let mut letters = label.chars();
            let first = letters
                .next()
                .map(|letter| letter.to_uppercase().to_string());
            first.unwrap_or_default() + letters.as_str()
        }
    );
    if let Some(reason) = &held.reason {
        text.push_str(&format!(": {}", cell(&shorten(reason, REASON))));
    }
    text.push_str(&format!(
        ". {} of {} against {}: claimed {}, found {}",
        plain(&claim.label()),
        code(&shorten(&claim.arm, NAME)),
        code(&shorten(&held.baseline.to_string(), NAME)),
        claimed(held),
        found(held),
    ));
    if let Some(effect) = held.effect {
        if let Some(bootstrap) = effect.bootstrap {
            text.push_str(&format!(
                ", bootstrap {} to {}",
                number(bootstrap.low),
                number(bootstrap.high)
            ));
        }
        text.push_str(&format!(", {}", count(effect.seeds, "seed", "seeds")));
    }
    if let Some(p) = held.adjusted_p {
        text.push_str(&if p < 0.001 {
            ", p < 0.001".to_owned()
        } else {
            format!(", p = {p:.3}")
        });
    }
    if let Some(control) = control {
        text.push_str(&format!(". The arm is a control for {}", cell(control)));
    }
    text.push_str(&format!(
        ".\n\n![{} by seed]({figure})\n",
        plain(&claim.label())
    ));
    text
}

fn claimed(held: &JudgedClaim) -> String {
    let sign = match held.claim.direction {
        Direction::Lower => '≤',
        Direction::Higher => '≥',
    };
    format!("{sign} {}", held.claim.smallest_effect)
}

fn found(held: &JudgedClaim) -> String {
    let Some(effect) = held.effect else {
        return "–".to_owned();
    };
    let interval = effect
        .low
        .zip(effect.high)
        .map_or_else(String::new, |(low, high)| {
            format!(" ({} to {})", number(low), number(high))
        });
    format!("{}{interval}", number(effect.ratio))
}

/// The arm over the baseline, with the claimed ratio of the baseline's geometric mean.
fn figure<'a>(folder: &Folder, held: &'a JudgedClaim, name: &str) -> Result<String, ReportError> {
    let of = |arm: &str| present(&values(folder, arm, &held.claim));
    let row = |arm: &'a str| (arm, of(arm).into_iter().collect::<Vec<_>>());
    let mut arms = vec![row(&held.claim.arm)];
    let logs: Vec<f64> = match &held.baseline {
        Against::Arm(other) => {
            let (name, values) = row(other);
            let logs = values.iter().map(|(_, value)| value.ln()).collect();
            arms.push((name, values));
            logs
        }
        Against::Number(number) => vec![number.ln()],
    };
    let limit = gradual_measure::statistics::mean(&logs)
        .map(|mean| mean.exp() * held.claim.smallest_effect)
        .filter(|limit| limit.is_finite());
    dots(&Dots {
        name,
        metric: &held.claim.label(),
        arms,
        limit,
    })
}

/// The anchor of a heading: letters and digits in lower case, dashes for spaces.
fn anchor(heading: &str) -> String {
    heading
        .to_lowercase()
        .chars()
        .filter_map(|letter| match letter {
            letter if letter.is_alphanumeric() || letter == '-' || letter == '_' => Some(letter),
            ' ' => Some('-'),
            _ => None,
        })
        .collect()
}

/// Letters of the name of an experiment or a page in the names of its figures or their folder.
const LONGEST: usize = 60;

/// The anchor of a name, cut so that files may be called so.
fn file_name(name: &str) -> String {
    let anchor = anchor(name);
    let plain = anchor.chars().filter(char::is_ascii);
    plain.take(LONGEST).collect()
}
