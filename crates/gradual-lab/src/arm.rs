//! Arms: what an experiment compares.

use std::fmt;
use std::num::NonZeroU64;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use gradual::runs::{ArmRecord, InSeries};
use gradual::train::Objective;
use serde::Deserialize;
use serde_json::Value;

use crate::bounds;
use crate::meant::meant;
use crate::recipe::{Changes, Recipe, Then, Usual};

/// One choice of loss, draws and optimizer, under a name.
#[derive(Debug, Clone)]
pub struct Arm {
    /// Its name, which is that of its folder.
    pub name: String,
    /// One sentence on what it does.
    pub about: String,
    /// What it is a control for, in a few words, if it is one.
    pub control_for: Option<String>,
    /// Its place in a series, if it is in one.
    pub series: Option<InSeries>,
    /// How many seeds it runs with, where that is not the number of the experiment.
    pub seeds: Option<NonZeroU64>,
    /// How it learns.
    pub recipe: Recipe,
    own: Option<Own>,
}

/// An objective that no recipe describes.
#[derive(Clone)]
struct Own {
    settings: Value,
    build: Arc<Build>,
}

/// Makes an objective for so many known groups and a seed.
type Build = dyn Fn(usize, u64) -> anyhow::Result<Objective> + Send + Sync;

/// The samplers that do not choose capabilities.
const UNLABELLED: [&str; 2] = ["task", "epochs"];

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Own")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Arm {
    /// An arm with a recipe.
    pub fn new(name: impl Into<String>, about: impl Into<String>, recipe: Recipe) -> Self {
        Self {
            name: name.into(),
            about: about.into(),
            control_for: None,
            series: None,
            seeds: None,
            recipe,
            own: None,
        }
    }

    /// An arm with an objective of one's own, for a grouping or a composition that is in no registry. It is made anew
    /// for every run by `build`, from the number of known groups and the seed. `settings` are all the numbers that it
    /// depends on: they stand in the run folder, where a change is found.
    pub fn own(
        name: impl Into<String>,
        about: impl Into<String>,
        settings: Value,
        build: impl Fn(usize, u64) -> anyhow::Result<Objective> + Send + Sync + 'static,
    ) -> Self {
        let own = Own {
            settings,
            build: Arc::new(build),
        };
        Self {
            own: Some(own),
            ..Self::new(name, about, Recipe::default())
        }
    }

    /// The same as a control, for what these words say.
    #[must_use]
    pub fn as_control_for(self, what: impl Into<String>) -> Self {
        Self {
            control_for: Some(what.into()),
            ..self
        }
    }

    /// The same as one of the arms of a `series`, which do the same thing at several strengths: this one `at` that
    /// number, which is above 0. The report draws the arms of a series as a line.
    #[must_use]
    pub fn in_series(self, series: impl Into<String>, at: f64) -> Self {
        Self {
            series: Some(InSeries {
                name: series.into(),
                at,
            }),
            ..self
        }
    }

    /// The same with so many seeds, whatever other arms have; `--seeds` overrides it.
    #[must_use]
    pub fn with_seeds(self, seeds: NonZeroU64) -> Self {
        Self {
            seeds: Some(seeds),
            ..self
        }
    }

    /// The same with another recipe.
    pub(crate) fn with_recipe(&self, recipe: Recipe) -> Self {
        Self {
            recipe,
            ..self.clone()
        }
    }

    /// What it does in each of its phases.
    pub(crate) fn phases(&self) -> impl Iterator<Item = Self> + use<> {
        let second =
            (self.recipe.then.as_ref()).map(|then| self.with_recipe(Recipe::clone(&then.recipe)));
        std::iter::once(self.clone()).chain(second)
    }

    /// Whether it searches for a lens in one of its phases.
    pub(crate) fn searches(&self) -> bool {
        self.phases().any(|phase| phase.recipe.searches())
    }

    /// The same with every default of its recipe written down.
    pub(crate) fn complete(&self, usual: &Usual) -> anyhow::Result<Self> {
        let recipe = self.recipe.complete(usual);
        Ok(Self {
            recipe: recipe.with_context(|| format!("arm {}", self.name))?,
            ..self.clone()
        })
    }

    /// What a run minimises, with `num_groups` known groups.
    pub(crate) fn objective(&self, num_groups: usize, seed: u64) -> anyhow::Result<Objective> {
        match &self.own {
            Some(own) => (own.build)(num_groups, seed),
            None => self.recipe.objective(num_groups, seed),
        }
    }

    /// Whether it makes no sense where no example is labelled with a group: in one of its phases the grouping needs labels or
    /// finds as many groups as are known, or the sampler draws by capability.
    pub(crate) fn needs_known_groups(&self) -> anyhow::Result<bool> {
        for phase in self.phases() {
            if phase.needs_them_at_first()? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether its first phase does.
    fn needs_them_at_first(&self) -> anyhow::Result<bool> {
        let sampler = self.recipe.sampler.name.as_str();
        let finds_as_many = self.own.is_none() && self.recipe.counts_known_groups()?;
        Ok(!UNLABELLED.contains(&sampler) || finds_as_many || self.objective(1, 0)?.needs_labels())
    }

    /// All that makes a run of it, as data.
    pub(crate) fn settings(&self) -> anyhow::Result<Value> {
        let mut settings = serde_json::to_value(&self.recipe)?;
        if let (Some(own), Some(fields)) = (&self.own, settings.as_object_mut()) {
            // Which the arm's own objective stands in for.
            for field in [
                "grouping",
                "wrappers",
                "metric",
                "layers",
                "composition",
                "composition_wrappers",
                "shared",
                "scale",
                "through_trace",
                "then",
            ] {
                fields.remove(field);
            }
            fields.insert(String::from("own"), own.settings.clone());
        }
        Ok(settings)
    }

    pub(crate) fn record(&self) -> ArmRecord {
        ArmRecord {
            name: self.name.clone(),
            about: self.about.clone(),
            control: self.control_for.clone(),
            series: self.series.clone(),
            runs: None,
        }
    }
}

/// An arm as it stands in a file: what it has otherwise than another.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "ArmTable")]
pub(crate) struct ArmEntry {
    pub(crate) name: String,
    pub(crate) about: String,
    control_for: Option<String>,
    /// The arm whose recipe is changed; the plain mean loss where none is named.
    like: Option<String>,
    recipe: Changes,
    pub(crate) series: Option<InSeries>,
    seeds: Option<NonZeroU64>,
    /// How it goes on to learn, if it does so in another way.
    then: Option<ThenEntry>,
}

/// The keys of an [`ArmEntry`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ArmTable {
    name: String,
    #[serde(default)]
    about: String,
    #[serde(default)]
    control_for: Option<String>,
    #[serde(default)]
    like: Option<String>,
    #[serde(default)]
    recipe: Changes,
    #[serde(default)]
    series: Option<String>,
    #[serde(default)]
    at: Option<f64>,
    #[serde(default, deserialize_with = "bounds::seeds")]
    seeds: Option<NonZeroU64>,
    /// How it goes on to learn, if it does so in another way.
    #[serde(default)]
    then: Option<ThenEntry>,
}

impl TryFrom<ArmTable> for ArmEntry {
    type Error = String;

    fn try_from(table: ArmTable) -> Result<Self, String> {
        for (key, text) in [
            ("about", Some(&table.about)),
            ("control_for", table.control_for.as_ref()),
        ] {
            if text.is_some_and(|text| text.contains(NUMBER)) {
                return Err(format!(
                    "the arm {} has {NUMBER} in {key}, which stands for the number of a [[sweep]] alone",
                    table.name
                ));
            }
        }
        let series = match (table.series, table.at) {
            (None, None) => None,
            (Some(name), Some(at)) => Some(in_series(name, at)?),
            (Some(name), None) => {
                return Err(format!(
                    "the arm {} is in the series '{name}', but nothing says where: at = NUMBER is missing",
                    table.name
                ));
            }
            (None, Some(at)) => {
                return Err(format!(
                    "the arm {} has at = {at}, but no series = \"NAME\"",
                    table.name
                ));
            }
        };
        Ok(Self {
            name: table.name,
            about: table.about,
            control_for: table.control_for,
            like: table.like,
            recipe: table.recipe,
            series,
            seeds: table.seeds,
            then: table.then,
        })
    }
}

/// What stands for the number in the arms of a `[[sweep]]`.
pub(crate) const NUMBER: &str = "{}";

/// The place of an arm in a series.
pub(crate) fn in_series(name: String, at: f64) -> Result<InSeries, String> {
    if name.trim().is_empty() {
        return Err(String::from("series = \"\", but a name is expected"));
    }
    if name.contains(NUMBER) {
        return Err(format!(
            "series = \"{name}\", but all arms of a series have one name for it: leave {NUMBER} out"
        ));
    }
    match at.is_finite() && at > 0.0 {
        true => Ok(InSeries { name, at }),
        false => Err(format!("at = {at}, but a number > 0 is expected")),
    }
}

/// The second phase of an arm as it stands in a file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ThenEntry {
    /// Share of the steps after which it begins.
    after: f64,
    /// The arm that it goes on like; the plain mean loss where none is named.
    #[serde(default)]
    like: Option<String>,
    #[serde(default)]
    recipe: Changes,
}

impl ArmEntry {
    /// Refuses what is no second phase.
    pub(crate) fn check_then(then: &toml::Value) -> Result<(), toml::de::Error> {
        ThenEntry::deserialize(then.clone()).map(drop)
    }

    /// An arm from the command line.
    pub(crate) fn new(name: &str, like: Option<String>, recipe: Changes) -> Self {
        let base = like
            .as_ref()
            .map_or_else(String::new, |like| format!("as {like}, but "));
        Self {
            name: name.to_owned(),
            about: format!("{base}{recipe}"),
            control_for: None,
            like,
            recipe,
            series: None,
            seeds: None,
            then: None,
        }
    }
}

/// The shared arms and those of an experiment, by name.
#[derive(Debug, Clone)]
pub(crate) struct Library {
    entries: Vec<ArmEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arms {
    arm: Vec<ArmEntry>,
}

/// Longest chain of arms that are like each other.
const LIKE: usize = 32;

/// The arms that every experiment can run.
const SHARED: &str = include_str!("arms.toml");

impl Library {
    /// The arms that every experiment can run.
    pub(crate) fn shared() -> anyhow::Result<Self> {
        let arms: Arms = toml::from_str(SHARED).context("arms.toml")?;
        let mut library = Self {
            entries: Vec::new(),
        };
        for arm in arms.arm {
            if library.entries.iter().any(|other| other.name == arm.name) {
                bail!("arms.toml: arm {} is there twice", arm.name);
            }
            library.entries.push(arm);
        }
        Ok(library)
    }

    /// The same with one arm more, or another meaning for one. Arms that are `like` it are then like the new one,
    /// unless it is itself like the old one of its name.
    pub(crate) fn put(&mut self, arm: ArmEntry) {
        match self.entries.iter_mut().find(|other| other.name == arm.name) {
            Some(other) if arm.like.as_ref() == Some(&arm.name) => {
                // What it does not change is the old one's.
                let old = other.clone();
                *other = ArmEntry {
                    like: old.like.clone(),
                    recipe: arm.recipe.over(&old.recipe),
                    then: arm.then.or(old.then),
                    ..arm
                };
            }
            Some(other) => *other = arm,
            None => self.entries.push(arm),
        }
    }

    /// All names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|arm| arm.name.as_str())
    }

    fn find(&self, name: &str) -> Option<&ArmEntry> {
        self.entries.iter().find(|arm| arm.name == name)
    }

    /// The arm called `name`.
    pub(crate) fn arm(&self, name: &str) -> anyhow::Result<Arm> {
        let entry = self.find(name).with_context(|| self.unknown(name))?;
        Ok(Arm {
            control_for: entry.control_for.clone(),
            series: entry.series.clone(),
            seeds: entry.seeds,
            ..Arm::new(&entry.name, &entry.about, self.recipe(entry)?)
        })
    }

    pub(crate) fn unknown(&self, name: &str) -> String {
        let near = meant(name, self.names());
        let names: Vec<&str> = self.names().collect();
        format!(
            "there is no arm '{name}'{near}; its arms are {}",
            names.join(", ")
        )
    }

    /// The recipe of an arm, with its second phase.
    fn recipe(&self, entry: &ArmEntry) -> anyhow::Result<Recipe> {
        let chain = self.chain(entry)?;
        let first = first_phase(&chain);
        let Some(then) = chain.iter().find_map(|arm| arm.then.as_ref()) else {
            return Ok(first);
        };
        let like = match &then.like {
            None => Recipe::default(),
            Some(like) => {
                let like = self.find(like).with_context(|| {
                    let unknown = self.unknown(like);
                    format!("arm {} goes on like another one: {unknown}", entry.name)
                })?;
                first_phase(&self.chain(like)?)
            }
        };
        // How many examples a step has, and how slow it is, holds for both: where the other arm says nothing else of it.
        let recipe = Recipe {
            slowdown: match like.slowdown {
                1 => first.slowdown,
                own => own,
            },
            draw: like.draw.or(first.draw),
            ..like
        };
        Ok(Recipe {
            then: Some(Then {
                after: then.after,
                recipe: Box::new(then.recipe.to(&recipe)),
            }),
            ..first
        })
    }

    /// The arm and all that it is like, the last one being like the plain mean loss.
    fn chain<'a>(&'a self, entry: &'a ArmEntry) -> anyhow::Result<Vec<&'a ArmEntry>> {
        let mut chain = vec![entry];
        let mut last = entry;
        while let Some(like) = &last.like {
            let next = self.find(like).with_context(|| {
                format!(
                    "arm {} is like another one: {}",
                    last.name,
                    self.unknown(like)
                )
            })?;
            if chain.iter().any(|seen| seen.name == next.name) {
                bail!("arm {} is like {like}, which is like it in turn", last.name);
            }
            if chain.len() == LIKE {
                bail!(
                    "arm {} is like one that is like another, and so on: {LIKE} times at most",
                    entry.name
                );
            }
            chain.push(next);
            last = next;
        }
        Ok(chain)
    }
}

/// The changes of a chain of arms, from the plain mean loss on.
fn first_phase(chain: &[&ArmEntry]) -> Recipe {
    let changes = chain.iter().rev();
    changes.fold(Recipe::default(), |recipe, arm| arm.recipe.to(&recipe))
}
