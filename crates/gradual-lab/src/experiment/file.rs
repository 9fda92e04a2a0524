//! An experiment as it stands in a file.

use std::collections::HashSet;
use std::num::{NonZeroU32, NonZeroU64};

use anyhow::{Context as _, anyhow, bail};
use gradual::measure::{Against, Claim, Direction, Metric};
use serde::Deserialize;
use toml::{Spanned, Table};

use super::messages::{place, said};
use super::sweep::Sweep;
use crate::arm::{ArmEntry, Library};
use crate::bounds;
use crate::kinds::{Kind, find};
use crate::meant::meant;
use crate::names;
use crate::quality::{LOOKED_AT, Quality};

/// Most arms of a file, and names of arms in a list.
const ARMS: usize = 1_000;
/// Most examples that are grouped along a run: their inner products take 400 MB.
const EXAMPLES: u32 = 10_000;

/// The content of an experiment's file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) name: String,
    #[serde(default)]
    pub(super) title: Option<String>,
    #[serde(default)]
    pub(super) about: String,
    #[serde(default)]
    pub(super) hypothesis: String,
    #[serde(default)]
    pub(super) baseline: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) reference: Option<Spanned<String>>,
    #[serde(default)]
    arms: Option<Vec<Spanned<String>>>,
    #[serde(default)]
    task: Table,
    pub(super) run: RunSection,
    #[serde(default)]
    quality: Option<QualitySection>,
    #[serde(default)]
    quick: Option<QuickSection>,
    #[serde(default)]
    arm: Vec<ArmEntry>,
    #[serde(default)]
    sweep: Vec<Sweep>,
    #[serde(default)]
    claim: Vec<ClaimEntry>,
}

/// How long and how large, and what is the same for all arms.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RunSection {
    #[serde(default, deserialize_with = "bounds::seeds")]
    pub(super) seeds: Option<NonZeroU64>,
    #[serde(default, deserialize_with = "bounds::first_seed")]
    pub(super) first_seed: Option<u64>,
    #[serde(default, deserialize_with = "bounds::steps")]
    pub(super) steps: Option<NonZeroU64>,
    #[serde(default, deserialize_with = "bounds::draw")]
    pub(super) draw: Option<NonZeroU32>,
    #[serde(default, deserialize_with = "bounds::evaluate_every")]
    pub(super) evaluate_every: Option<NonZeroU64>,
    #[serde(default, deserialize_with = "rate")]
    pub(super) rate: Option<f64>,
    pub(super) layers: Option<Vec<String>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct QualitySection {
    examples: Option<NonZeroU32>,
    steps: Option<Vec<u64>>,
}

/// What the short version has otherwise.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct QuickSection {
    #[serde(default)]
    run: RunSection,
    #[serde(default)]
    task: Table,
    #[serde(default)]
    quality: Option<QualitySection>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClaimEntry {
    statement: String,
    source: String,
    arm: Spanned<String>,
    #[serde(default)]
    against: Option<Spanned<Against>>,
    metric: Metric,
    #[serde(default)]
    capability: Option<String>,
    direction: Direction,
    #[serde(deserialize_with = "ratio")]
    smallest_effect: f64,
}

fn rate<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    positive(deserializer, "a learning rate").map(Some)
}

fn ratio<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    positive(deserializer, "a ratio of the arm to the baseline")
}

fn positive<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
    what: &str,
) -> Result<f64, D::Error> {
    let number = f64::deserialize(deserializer)?;
    match number.is_finite() && number > 0.0 {
        true => Ok(number),
        false => Err(serde::de::Error::custom(format!(
            "{number} is not {what}: a number > 0 is expected"
        ))),
    }
}

impl ClaimEntry {
    /// What is wrong with it, if anything is.
    fn said(&self, baseline: Option<&str>, library: &Library) -> Option<String> {
        let arm = self.arm.as_ref();
        let said = match self.against.as_ref().map(Spanned::as_ref) {
            _ if self.statement.trim().is_empty() => "the claim has no statement",
            None if Some(arm.as_str()) == baseline => {
                "the claim compares the baseline with itself; name another arm, or what it is compared with, as in against = \"grouped\""
            }
            Some(Against::Arm(other)) if other == arm => "the claim compares the arm with itself",
            Some(Against::Arm(other)) if !library.names().any(|name| name == other) => {
                return Some(format!("against: {}", library.unknown(other)));
            }
            Some(&Against::Number(number)) if !(number.is_finite() && number > 0.0) => {
                return Some(format!("against: {number} is not a number > 0"));
            }
            _ => return None,
        };
        Some(said.to_owned())
    }
}

impl RunSection {
    /// These values, and those of `other` where there are none.
    fn or(self, other: Self) -> Self {
        Self {
            seeds: self.seeds.or(other.seeds),
            first_seed: self.first_seed.or(other.first_seed),
            steps: self.steps.or(other.steps),
            draw: self.draw.or(other.draw),
            evaluate_every: self.evaluate_every.or(other.evaluate_every),
            rate: self.rate.or(other.rate),
            layers: self.layers.or(other.layers),
        }
    }
}

impl File {
    /// Reads `text`, the content of the file called `file`, which is checked as far as it can be by itself.
    pub(super) fn read(file: &str, text: &str) -> anyhow::Result<Self> {
        let mut read: Self = toml::from_str(text).map_err(|error| said(file, &error))?;
        let arms = read.arm.len() + read.sweep.iter().map(Sweep::len).sum::<usize>();
        if arms > ARMS {
            bail!(
                "{file}: there are {arms} arms, those of each [[sweep]] among them, but at most {ARMS} are read"
            );
        }
        let named = read.arms.as_ref().map_or(0, Vec::len);
        if named > ARMS {
            bail!("{file}: arms has {named} names, but at most {ARMS} are read");
        }
        let swept = read.sweep.iter();
        let swept = swept.map(|sweep| Ok((sweep.place(file, text), sweep.arms(file, text)?)));
        let swept: Vec<(String, Vec<ArmEntry>)> = swept.collect::<anyhow::Result<_>>()?;
        for (_, arms) in &swept {
            read.arm.extend(arms.iter().cloned());
        }
        names::check("name =", &read.name).with_context(|| file.to_owned())?;
        let library = read.library()?;
        read.expand(file, text, &library)?;
        for arm in &read.arm {
            names::check("[[arm]] name =", &arm.name).with_context(|| file.to_owned())?;
        }
        read.check_sections(file)?;
        if let Some((kind, _)) = read.kind(file, text)? {
            kind.check(text).map_err(|error| said(file, &error))?;
        }
        let mut seen = HashSet::new();
        if let Some(arm) = read.arm.iter().find(|arm| !seen.insert(&arm.name)) {
            bail!("{file}: there are two [[arm]] called '{}'", arm.name);
        }
        read.check_series(file)?;
        Likes::read(file, text, &library)?;
        for (place, arms) in &swept {
            for arm in arms {
                let whole = library.arm(&arm.name);
                whole.map_err(|error| anyhow!("{place}like: {error:#}"))?;
            }
        }
        let known = |arm: &Spanned<String>, key: &str| match library
            .names()
            .any(|name| name == arm.as_ref())
        {
            true => Ok(()),
            false => Err(anyhow!(
                "{}{key}: {}",
                place(file, text, arm),
                library.unknown(arm.as_ref())
            )),
        };
        for arm in read.arms.iter().flatten() {
            known(arm, "arms")?;
        }
        for (arm, key) in [(&read.baseline, "baseline"), (&read.reference, "reference")] {
            if let Some(arm) = arm {
                known(arm, key)?;
            }
        }
        let baseline = read.baseline.as_ref().map(|arm| arm.as_ref().clone());
        let baseline = baseline.or_else(|| read.arms().first().cloned());
        for claim in &read.claim {
            known(&claim.arm, "claim")?;
            let said = claim.said(baseline.as_deref(), &library);
            if let Some(said) = said {
                bail!("{}claim: {said}", place(file, text, &claim.arm));
            }
        }
        Ok(read)
    }

    /// Puts the arms that a name with a `*` stands for in its place, without those that are there already.
    fn expand(&mut self, file: &str, text: &str, library: &Library) -> anyhow::Result<()> {
        let Some(named) = self.arms.take() else {
            return Ok(());
        };
        let mut arms: Vec<Spanned<String>> = Vec::new();
        for arm in named {
            if !names::is_pattern(arm.as_ref()) {
                arms.push(arm);
                continue;
            }
            let matching = library.names();
            let matching = matching.filter(|name| names::stands_for(arm.as_ref(), name));
            let matching: Vec<&str> = matching.collect();
            if matching.is_empty() {
                bail!(
                    "{}arms: {}",
                    place(file, text, &arm),
                    library.unknown(arm.as_ref())
                );
            }
            for name in matching {
                if arms.iter().all(|other| other.as_ref() != name) {
                    arms.push(Spanned::new(arm.span(), name.to_owned()));
                }
            }
        }
        self.arms = Some(arms);
        Ok(())
    }

    /// Refuses two arms in one place of a series.
    fn check_series(&self, file: &str) -> anyhow::Result<()> {
        let mut seen: Vec<&ArmEntry> = Vec::new();
        for arm in self.arm.iter().filter(|arm| arm.series.is_some()) {
            if let (Some(other), Some(series)) = (
                seen.iter().find(|other| other.series == arm.series),
                &arm.series,
            ) {
                bail!(
                    "{file}: the series '{}' has two arms at {}, {} and {}",
                    series.name,
                    series.at,
                    other.name,
                    arm.name
                );
            }
            seen.push(arm);
        }
        Ok(())
    }

    /// Refuses sections that do not go together, and arms that are named twice.
    fn check_sections(&self, file: &str) -> anyhow::Result<()> {
        if self.quality.is_none() && self.quick.iter().any(|quick| quick.quality.is_some()) {
            bail!("{file}: there is [quick.quality] and no [quality]");
        }
        let arms = self.arms();
        if arms.is_empty() {
            bail!("{file}: there are no arms: arms = [\"erm\", …]");
        }
        let mut seen = HashSet::new();
        if let Some(name) = arms.iter().find(|name| !seen.insert(*name)) {
            bail!("{file}: arms names '{name}' twice");
        }
        if self.quality.is_some() && self.arm.iter().any(|arm| arm.name == LOOKED_AT) {
            bail!(
                "{file}: [quality] looks along runs of the plain mean loss: leave out [[arm]] name = \"{LOOKED_AT}\""
            );
        }
        if self.quality.is_some() && !arms.iter().any(|arm| arm == LOOKED_AT) {
            bail!(
                "{file}: [quality] looks along runs of the plain mean loss, and arms does not name them: arms = [\"{LOOKED_AT}\", …]"
            );
        }
        Ok(())
    }

    /// The kind of task, and its settings.
    fn kind(&self, file: &str, text: &str) -> anyhow::Result<Option<(&'static dyn Kind, Table)>> {
        let kind = match self.task.len() {
            0 => None,
            1 => self.task.iter().next(),
            _ => bail!(
                "{file}: there are two tasks, {}; an experiment has one",
                self.task.keys().cloned().collect::<Vec<_>>().join(" and ")
            ),
        };
        let Some((name, settings)) = kind else {
            return Ok(None);
        };
        let line = text
            .lines()
            .position(|line| line.contains("[task.") && line.contains(name.as_str()));
        let place = line.map_or_else(
            || format!("{file}: "),
            |line| format!("{file}, line {}: ", line + 1),
        );
        let kind = find(name).map_err(|error| anyhow!("{place}{error}"))?;
        let table = settings
            .as_table()
            .with_context(|| format!("{place}task.{name} is a table of settings"))?;
        if let Some(other) = self
            .quick
            .iter()
            .flat_map(|quick| quick.task.keys())
            .find(|other| *other != name)
        {
            let near = meant(other, [name.as_str()]);
            bail!("{file}: quick.task.{other}{near}, but the task is {name}");
        }
        Ok(Some((kind, table.clone())))
    }

    /// Whether the short version has settings of the task of its own.
    pub(super) fn has_quick_task(&self) -> bool {
        self.quick.iter().any(|quick| !quick.task.is_empty())
    }

    /// The kind of task, and its settings, those of the short version if it is `quick`.
    pub(super) fn task(&self, quick: bool) -> anyhow::Result<Option<(&'static dyn Kind, Table)>> {
        let Some((kind, mut settings)) = self.kind(&self.name, "")? else {
            return Ok(None);
        };
        let short = self
            .quick
            .iter()
            .filter(|_| quick)
            .flat_map(|quick| quick.task.values());
        for changes in short.filter_map(toml::Value::as_table) {
            settings.extend(changes.clone());
        }
        Ok(Some((kind, settings)))
    }

    /// Whether it has claims that runs of its own judge, on data that is there.
    pub(super) fn tests_claims(&self) -> anyhow::Result<bool> {
        let task = self.task(false)?;
        let lacks_data = task.is_some_and(|(kind, settings)| kind.lacks_data(&settings));
        Ok(!self.claim.is_empty() && self.quality.is_none() && !lacks_data)
    }

    /// How long and how large.
    pub(super) fn run(&self, quick: bool) -> RunSection {
        match &self.quick {
            Some(short) if quick => short.run.clone().or(self.run.clone()),
            _ => self.run.clone(),
        }
    }

    /// When groups are looked at along a run, if they are.
    pub(super) fn quality(&self, quick: bool) -> anyhow::Result<Option<Quality>> {
        let Some(long) = &self.quality else {
            return Ok(None);
        };
        let short = self
            .quick
            .as_ref()
            .filter(|_| quick)
            .and_then(|quick| quick.quality.as_ref());
        let examples = short.and_then(|short| short.examples).or(long.examples);
        let steps = short
            .and_then(|short| short.steps.clone())
            .or_else(|| long.steps.clone());
        let examples = examples
            .context("quality.examples is missing: how many examples are grouped")?
            .get();
        if examples > EXAMPLES {
            bail!("quality.examples = {examples}, but it is a whole number from 1 to {EXAMPLES}");
        }
        if let Some(claim) = self.claim.first() {
            bail!(
                "[[claim]] on arm '{}': an experiment with [quality] judges none; leave out one of them",
                claim.arm.as_ref()
            );
        }
        Ok(Some(Quality {
            examples: examples as usize,
            steps: steps.unwrap_or_default(),
        }))
    }

    /// The shared arms and those of this file.
    pub(super) fn library(&self) -> anyhow::Result<Library> {
        let mut library = Library::shared()?;
        for arm in &self.arm {
            library.put(arm.clone());
        }
        Ok(library)
    }

    /// The arms that run by default: those that are named, or else those that the file defines.
    pub(super) fn arms(&self) -> Vec<String> {
        match &self.arms {
            Some(names) => names.iter().map(|name| name.as_ref().clone()).collect(),
            None => self.arm.iter().map(|arm| arm.name.clone()).collect(),
        }
    }

    pub(super) fn claims(&self) -> Vec<Claim> {
        let claim = |entry: &ClaimEntry| Claim {
            statement: entry.statement.clone(),
            source: entry.source.clone(),
            arm: entry.arm.as_ref().clone(),
            against: entry
                .against
                .as_ref()
                .map(|against| against.as_ref().clone()),
            metric: entry.metric,
            capability: entry.capability.clone(),
            direction: entry.direction,
            smallest_effect: entry.smallest_effect,
        };
        self.claim.iter().map(claim).collect()
    }
}

/// Which arms are like which others, and where that stands.
#[derive(Deserialize)]
struct Likes {
    #[serde(default)]
    arm: Vec<Like>,
}

#[derive(Deserialize)]
struct Like {
    name: String,
    like: Option<Spanned<String>>,
    then: Option<Spanned<ThenLike>>,
}

#[derive(Deserialize)]
struct ThenLike {
    like: Option<Spanned<String>>,
}

impl Likes {
    /// Refuses arms that are like one that is not there, or like themselves, or go on like one that is not there.
    fn read(file: &str, text: &str, library: &Library) -> anyhow::Result<()> {
        let likes: Self = toml::from_str(text).map_err(|error| said(file, &error))?;
        for arm in &likes.arm {
            let then = arm.then.as_ref();
            let goes_on = then.and_then(|then| then.as_ref().like.as_ref());
            let Some(like) = arm.like.as_ref().or(goes_on) else {
                continue;
            };
            let whole = library.arm(&arm.name);
            whole.map_err(|error| anyhow!("{}like: {error:#}", place(file, text, like)))?;
        }
        Ok(())
    }
}
