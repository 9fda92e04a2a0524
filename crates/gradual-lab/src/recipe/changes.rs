//! Part of a recipe: what it changes in another.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use anyhow::{anyhow, bail};
use gradual_registry::{Spec, split};
use serde::{Deserialize, Serialize};

use super::parts::NONE;
use super::{Recipe, checked, searches};
use crate::bounds::{self, DRAW, STEPS};
use crate::meant::meant;

/// What a recipe has otherwise than another one; the fields are those of [`Recipe`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Changes {
    /// See [`Recipe::grouping`].
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "checked::grouping"
    )]
    pub grouping: Option<Spec>,
    /// See [`Recipe::wrappers`].
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "checked::wrappers"
    )]
    pub wrappers: Option<Vec<Spec>>,
    /// See [`Recipe::metric`]; `none` for none.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "checked::metric"
    )]
    pub metric: Option<Spec>,
    /// See [`Recipe::layers`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layers: Option<Vec<String>>,
    /// See [`Recipe::lens`]; `none` for none.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "checked::lens"
    )]
    pub lens: Option<Spec>,
    /// See [`Recipe::proxy`]; `none` for none.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "checked::proxy"
    )]
    pub proxy: Option<Spec>,
    /// See [`Recipe::size`]; `none` for that of the experiment.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "checked::size"
    )]
    pub size: Option<Spec>,
    /// See [`Recipe::composition`].
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "checked::composition"
    )]
    pub composition: Option<Spec>,
    /// See [`Recipe::composition_wrappers`].
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "checked::composition_wrappers"
    )]
    pub composition_wrappers: Option<Vec<Spec>>,
    /// See [`Recipe::shared`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared: Option<Vec<String>>,
    /// See [`Recipe::scale`].
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "checked::scale"
    )]
    pub scale: Option<Spec>,
    /// See [`Recipe::sampler`].
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "checked::sampler"
    )]
    pub sampler: Option<Spec>,
    /// See [`Recipe::optimizer`].
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "checked::optimizer"
    )]
    pub optimizer: Option<Spec>,
    /// See [`Recipe::rate`].
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "checked::rate"
    )]
    pub rate: Option<f64>,
    /// See [`Recipe::slowdown`].
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "bounds::slowdown"
    )]
    pub slowdown: Option<u32>,
    /// See [`Recipe::through_trace`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through_trace: Option<bool>,
    /// See [`Recipe::trained`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trained: Option<Vec<String>>,
    /// See [`Recipe::draw`].
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "bounds::draw"
    )]
    pub draw: Option<NonZeroU32>,
}

/// The keys of a recipe, for messages.
const KEYS: [&str; 18] = [
    "grouping",
    "wrappers",
    "metric",
    "layers",
    "lens",
    "proxy",
    "size",
    "composition",
    "composition_wrappers",
    "shared",
    "scale",
    "sampler",
    "optimizer",
    "rate",
    "slowdown",
    "through_trace",
    "trained",
    "draw",
];

impl Changes {
    /// `recipe` with these changes.
    #[must_use]
    pub fn to(&self, recipe: &Recipe) -> Recipe {
        fn or<T: Clone>(change: Option<&T>, before: &T) -> T {
            change.unwrap_or(before).clone()
        }
        let or_none = |change: &Option<Spec>, before: &Option<Spec>| match change {
            Some(spec) if spec.name == NONE => None,
            Some(spec) => Some(spec.clone()),
            None => before.clone(),
        };
        let metric = or_none(&self.metric, &recipe.metric);
        let lens = or_none(&self.lens, &recipe.lens);
        Recipe {
            grouping: or(self.grouping.as_ref(), &recipe.grouping),
            wrappers: or(self.wrappers.as_ref(), &recipe.wrappers),
            layers: match metric.is_some() || searches(lens.as_ref()) {
                true => self.layers.clone().or_else(|| recipe.layers.clone()),
                // Whose layers went with the metric; those that are given without one are refused later.
                false => self.layers.clone(),
            },
            metric,
            lens,
            proxy: or_none(&self.proxy, &recipe.proxy),
            size: or_none(&self.size, &recipe.size),
            composition: or(self.composition.as_ref(), &recipe.composition),
            composition_wrappers: or(
                self.composition_wrappers.as_ref(),
                &recipe.composition_wrappers,
            ),
            shared: or(self.shared.as_ref(), &recipe.shared),
            scale: or(self.scale.as_ref(), &recipe.scale),
            sampler: or(self.sampler.as_ref(), &recipe.sampler),
            optimizer: or(self.optimizer.as_ref(), &recipe.optimizer),
            rate: self.rate.or(recipe.rate),
            slowdown: or(self.slowdown.as_ref(), &recipe.slowdown),
            through_trace: or(self.through_trace.as_ref(), &recipe.through_trace),
            trained: or(self.trained.as_ref(), &recipe.trained),
            draw: self.draw.or(recipe.draw),
            then: recipe.then.clone(),
        }
    }
}

impl Changes {
    /// These changes, and those of `before` that are not among them.
    #[must_use]
    pub(crate) fn over(self, before: &Self) -> Self {
        let before = before.clone();
        Self {
            grouping: self.grouping.or(before.grouping),
            wrappers: self.wrappers.or(before.wrappers),
            metric: self.metric.or(before.metric),
            layers: self.layers.or(before.layers),
            lens: self.lens.or(before.lens),
            proxy: self.proxy.or(before.proxy),
            size: self.size.or(before.size),
            composition: self.composition.or(before.composition),
            composition_wrappers: self.composition_wrappers.or(before.composition_wrappers),
            shared: self.shared.or(before.shared),
            scale: self.scale.or(before.scale),
            sampler: self.sampler.or(before.sampler),
            optimizer: self.optimizer.or(before.optimizer),
            rate: self.rate.or(before.rate),
            slowdown: self.slowdown.or(before.slowdown),
            through_trace: self.through_trace.or(before.through_trace),
            trained: self.trained.or(before.trained),
            draw: self.draw.or(before.draw),
        }
    }
}

/// As `--arm` takes it: `grouping:spectral(k=8),metric:kronecker,composition:power(p=4)`. Several wrappers or globs are
/// joined by `+`.
impl FromStr for Changes {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let mut changes = Self::default();
        let mut given: Vec<&str> = Vec::new();
        for part in split(text, ',') {
            let Some((key, value)) = part.split_once(':') else {
                bail!(
                    "'{}' is not of the form key:value; the keys are {}",
                    part.trim(),
                    KEYS.join(", ")
                );
            };
            let (key, value) = (key.trim(), value.trim());
            if given.contains(&key) {
                bail!("{key} is there twice");
            }
            given.push(key);
            let spec = || value.parse::<Spec>().map(Some);
            let list = || split(value, '+').into_iter().map(str::trim);
            let specs = || {
                list()
                    .map(str::parse::<Spec>)
                    .collect::<Result<Vec<_>, _>>()
                    .map(Some)
            };
            let or_none = || {
                let read = spec()?;
                let none = |spec: &&Spec| spec.name == NONE && !spec.parameters.is_empty();
                match read.as_ref().filter(none) {
                    Some(_) => bail!("{key}:{value}, but {NONE} has no parameters"),
                    None => Ok(read),
                }
            };
            let globs = || Some(list().map(str::to_owned).collect());
            match key {
                "grouping" => changes.grouping = spec()?,
                "wrappers" => changes.wrappers = specs()?,
                "metric" => changes.metric = or_none()?,
                "layers" => changes.layers = globs(),
                "lens" => changes.lens = or_none()?,
                "proxy" => changes.proxy = or_none()?,
                "size" => changes.size = or_none()?,
                "composition" => changes.composition = spec()?,
                "composition_wrappers" => changes.composition_wrappers = specs()?,
                "shared" => changes.shared = globs(),
                "trained" => changes.trained = globs(),
                "scale" => changes.scale = spec()?,
                "sampler" => changes.sampler = spec()?,
                "optimizer" => changes.optimizer = spec()?,
                "rate" => changes.rate = Some(read(key, value, "a number")?),
                "slowdown" => changes.slowdown = whole(key, value, STEPS)?,
                "through_trace" => {
                    changes.through_trace = Some(read(key, value, "true or false")?);
                }
                "draw" => changes.draw = whole(key, value, DRAW)?.and_then(NonZeroU32::new),
                unknown => bail!(
                    "a recipe has no '{unknown}'{}; it has {}",
                    meant(unknown, KEYS),
                    KEYS.join(", ")
                ),
            }
        }
        Ok(changes)
    }
}

impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let specs = [
            ("grouping", &self.grouping),
            ("metric", &self.metric),
            ("lens", &self.lens),
            ("proxy", &self.proxy),
            ("size", &self.size),
            ("composition", &self.composition),
            ("scale", &self.scale),
            ("sampler", &self.sampler),
            ("optimizer", &self.optimizer),
        ];
        let mut parts: Vec<String> = specs
            .into_iter()
            .filter_map(|(key, spec)| spec.as_ref().map(|spec| format!("{key}:{spec}")))
            .collect();
        let lists = [
            ("layers", &self.layers),
            ("shared", &self.shared),
            ("trained", &self.trained),
        ];
        for (key, list) in lists {
            parts.extend(
                list.as_ref()
                    .map(|list| format!("{key}:{}", list.join("+"))),
            );
        }
        let wrappers = [
            ("wrappers", &self.wrappers),
            ("composition_wrappers", &self.composition_wrappers),
        ];
        for (key, list) in wrappers {
            parts.extend(list.as_ref().map(|list| {
                let list: Vec<String> = list.iter().map(ToString::to_string).collect();
                format!("{key}:{}", list.join("+"))
            }));
        }
        parts.extend(self.rate.map(|rate| format!("rate:{rate}")));
        parts.extend(self.slowdown.map(|slowdown| format!("slowdown:{slowdown}")));
        parts.extend(
            self.through_trace
                .map(|traced| format!("through_trace:{traced}")),
        );
        parts.extend(self.draw.map(|draw| format!("draw:{draw}")));
        f.write_str(&parts.join(","))
    }
}

fn read<T: FromStr>(key: &str, value: &str, expected: &str) -> anyhow::Result<T> {
    let read = value.parse();
    read.map_err(|_| anyhow!("{key}:{value}, but it is {expected}"))
}

fn whole(key: &str, value: &str, most: u64) -> anyhow::Result<Option<u32>> {
    let read = bounds::parse(value, most);
    let read = read.map_err(|said| anyhow!("{key}:{value}, but {said}"))?;
    Ok(u32::try_from(read).ok())
}
