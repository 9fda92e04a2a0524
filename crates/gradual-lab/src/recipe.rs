//! A recipe: everything that one arm does otherwise than another, as data.
//!
//! # The idea
//!
//! Which grouping, in which metric and layers, under which composition and scale, on which draws, with which optimizer
//! and rate: a recipe says all of it by the names of the registries ([`GROUPINGS`], [`COMPOSITIONS`], …). It builds the
//! [`Objective`], the sampler and the optimizer of a run, and it is what the run's `config.json` holds, so that nothing
//! that changes a run can change without being seen: a run is only resumed under the recipe that it began with.
//!
//! # The steps
//!
//! 1. A person writes [`Changes`] to another recipe, or to [`Recipe::default`], the plain mean loss.
//! 2. [`Recipe::complete`] checks every name and value, and writes down all defaults.
//! 3. [`objective`](Recipe::objective), [`sampler`](Recipe::sampler) and [`optimizer`](Recipe::optimizer) build what a
//!    trainer needs.

mod changes;
mod checked;
mod parts;
mod waiting;

pub use changes::Changes;

use std::num::NonZeroU32;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use burn::optim::ModuleOptimizer;
use gradual::grad::Metric;
use gradual::grad::registry::METRICS;
use gradual::group::registry::{GROUPINGS, GroupingContext, WRAPPERS};
use gradual::group::{GroupError, Grouping};
use gradual::loss::registry::{
    COMPOSITIONS, RULES, RuleContext, SCALES, WRAPPERS as COMPOSITION_WRAPPERS,
};
use gradual::train::registry::{LENSES, LensContext, OPTIMIZERS, SAMPLERS, SamplerContext};
use gradual::train::{Lens, Objective, Sampler};
use gradual_registry::{RegistryError, Spec, Value};
use serde::{Deserialize, Serialize};

/// All choices of one arm. See the [module](self).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The rule that yields groups, of [`GROUPINGS`].
    pub grouping: Spec,
    /// What is put around it, of [`WRAPPERS`], the innermost first.
    pub wrappers: Vec<Spec>,
    /// The metric in which a grouping of gradients sees them, of [`METRICS`]; none for the gradients as they are.
    pub metric: Option<Spec>,
    /// Globs of the parameters that the metric looks at, such as `layers.0.*`; all where there are none. Where it is
    /// not said, those that the experiment names.
    pub layers: Option<Vec<String>>,
    /// The frozen snapshot whose gradients the grouping sees, of [`LENSES`]; none for those of the model itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lens: Option<Spec>,
    /// The model that the lens is a snapshot of, where it is another one than the run's:
    /// [a proxy](gradual::train::Trainer::with_proxy) of the sizes that `model(width = 32)` says, under the plain mean loss.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<Spec>,
    /// The sizes of the model of this arm, where they are not those of the experiment: `model(width = 32)`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Spec>,
    /// What is made of the group losses, of [`COMPOSITIONS`], or of the groups' gradients, of [`RULES`].
    pub composition: Spec,
    /// What is put around a composition, of [`COMPOSITION_WRAPPERS`], the innermost first.
    pub composition_wrappers: Vec<Spec>,
    /// Globs of the parameters that a rule on gradients looks at; all where there are none.
    pub shared: Vec<String>,
    /// The size of a step's coefficients, of [`SCALES`].
    pub scale: Spec,
    /// Which examples are drawn, of [`SAMPLERS`].
    pub sampler: Spec,
    /// The optimizer, of [`OPTIMIZERS`].
    pub optimizer: Spec,
    /// Learning rate before it is divided by `slowdown`; where it is not said, the experiment's.
    pub rate: Option<f64>,
    /// How much slower the arm goes than others: its learning rate is divided by this and its number of steps
    /// multiplied by it, so that it ends as far as they do.
    pub slowdown: u32,
    /// Whether gradients come from a trace even where Burn's own backward pass would do: see
    /// [`Objective::through_trace`].
    pub through_trace: bool,
    /// Globs of the parameters that learn, such as `layers.1.*`; all where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trained: Vec<String>,
    /// Examples per step; where it is not said, the experiment's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draw: Option<NonZeroU32>,
    /// How the model goes on to learn in a second phase, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub then: Option<Then>,
}

/// The second phase of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Then {
    /// Share of the steps after which it begins, between 0 and 1.
    pub after: f64,
    /// How the model learns from then on.
    pub recipe: Box<Recipe>,
}

/// The plain mean loss (ERM): one group, Adam.
impl Default for Recipe {
    fn default() -> Self {
        Self {
            grouping: Spec::new("one-group"),
            wrappers: Vec::new(),
            metric: None,
            layers: None,
            lens: None,
            proxy: None,
            size: None,
            composition: Spec::new("mean"),
            composition_wrappers: Vec::new(),
            shared: Vec::new(),
            scale: Spec::new("usual"),
            sampler: Spec::new("task"),
            optimizer: Spec::new("adam"),
            rate: None,
            slowdown: 1,
            through_trace: false,
            trained: Vec::new(),
            draw: None,
            then: None,
        }
    }
}

/// Most wrappers around each other.
const WRAPPERS_AT_MOST: usize = 16;
/// The wrapper that waits some draws before it groups.
const WAITING: &str = "after";
const DRAWS: &str = "draws";
/// The lens of one snapshot, and its parameter that says when that is taken.
const SNAPSHOT: &str = "snapshot";
const LENS: &str = "lens";
/// The parameter of a search that says when looks are taken.
const STEPS: &str = "steps";
/// And the one that says whether it opens after the last of them.
const WAIT: &str = "wait";
/// The lens that is searched for. It says in which metrics and how many groups.
const SEARCH: &str = "search";
const GROUPS: &str = "k";
/// The most groups that a rule finds.
const AT_MOST: &str = "at_most";
const AFTER: &str = "after";
const EVERY: &str = "every";
/// The scale that looks at whole gradients.
const MATCH_NORM: &str = "match-norm";
/// The scale that keeps a running mean of the sum of coefficients.
const RUNNING_SUM: &str = "running-sum";
/// Wrappers that know groups by their numbers, or by how long they have been there.
const BY_NUMBER: [&str; 2] = ["priors", "damped"];
/// The grouping that a lens goes with best, and its parameters that say what stands for a group.
const LANDMARKS: &str = "landmarks";
const KEPT: [&str; 3] = ["kept", "axes", "rank"];

/// What an experiment gives a recipe where it does not say so itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Usual {
    /// Globs of the layers that found groups look at.
    pub layers: Vec<String>,
    /// Learning rate.
    pub rate: f64,
}

impl Then {
    /// The same with a complete recipe, for a first phase under `first`.
    fn complete(&self, first: &Recipe, usual: &Usual) -> anyhow::Result<Self> {
        let Self { after, recipe } = self;
        if !(*after > 0.0 && *after < 1.0) {
            bail!(
                "after = {after} is not a share of the steps: a number between 0 and 1 is expected"
            );
        }
        if recipe.then.is_some() {
            bail!("a run has two phases at most");
        }
        if recipe.slowdown != first.slowdown {
            bail!(
                "slowdown is {} in the first phase and {} in the second; it holds for both",
                first.slowdown,
                recipe.slowdown
            );
        }
        if recipe.proxy.is_some() {
            bail!(
                "a proxy learns before the run begins, so a second phase has none: leave it out (proxy = \"none\")"
            );
        }
        if recipe.draw != first.draw {
            bail!("draw is another one in the second phase; it holds for both");
        }
        if recipe.size != first.size {
            bail!("size is another one in the second phase; the model is the same in both");
        }
        Ok(Self {
            after: *after,
            recipe: Box::new(recipe.complete(usual)?),
        })
    }
}

impl Recipe {
    /// Whether its grouping takes the number of known groups for that of its own.
    pub(crate) fn counts_known_groups(&self) -> anyhow::Result<bool> {
        let grouping = GROUPINGS.resolve(&self.grouping)?;
        let known = Value::Word(String::from("known"));
        Ok(grouping.parameters.values().any(|value| *value == known))
    }

    /// The same with every parameter of every part, and what the experiment gives.
    ///
    /// # Errors
    ///
    /// For a name or a parameter that no registry has, a value that a parameter does not take, a metric for a grouping
    /// that looks at no gradients, shared layers for a composition of losses, and rates and slowdowns that are not
    /// above zero; with the name that may have been meant.
    pub fn complete(&self, usual: &Usual) -> anyhow::Result<Self> {
        let rate = self.rate.unwrap_or(usual.rate);
        checked::check_rate(rate).map_err(anyhow::Error::msg)?;
        checked::check_slowdown(self.slowdown).map_err(anyhow::Error::msg)?;
        for (what, count) in [
            ("wrappers", self.wrappers.len()),
            ("composition_wrappers", self.composition_wrappers.len()),
        ] {
            if count > WRAPPERS_AT_MOST {
                bail!(
                    "there are {count} {what}, but at most {WRAPPERS_AT_MOST} go around each other"
                );
            }
        }
        let wrappers = self.wrappers.iter().map(|spec| WRAPPERS.resolve(spec));
        let around = self.composition_wrappers.iter();
        let around = around.map(|spec| COMPOSITION_WRAPPERS.resolve(spec));
        let metric = self.metric.as_ref().map(|spec| METRICS.resolve(spec));
        let lens = self.lens.as_ref().map(|spec| LENSES.resolve(spec));
        let complete = Self {
            grouping: GROUPINGS.resolve(&self.grouping_of_lens())?,
            lens: lens.transpose()?,
            proxy: self.proxy.clone(),
            size: self.size.clone(),
            wrappers: wrappers.collect::<Result<_, _>>()?,
            metric: metric.transpose()?,
            layers: (self.metric.is_some() || self.searches()).then(|| {
                let layers = self.layers.as_ref().unwrap_or(&usual.layers);
                layers.clone()
            }),
            composition: parts::resolve_composition(&self.composition)?,
            composition_wrappers: around.collect::<Result<_, _>>()?,
            shared: self.shared.clone(),
            scale: SCALES.resolve(&self.scale)?,
            sampler: SAMPLERS.resolve(&self.sampler)?,
            optimizer: OPTIMIZERS.resolve(&self.optimizer)?,
            rate: Some(rate),
            slowdown: self.slowdown,
            through_trace: self.through_trace,
            trained: self.trained.clone(),
            draw: self.draw,
            then: (self.then.as_ref())
                .map(|then| then.complete(self, usual))
                .transpose()
                .context("its second phase (then)")?,
        };
        if self.searches() && self.metric.is_some() {
            bail!(
                "the lens {SEARCH} tries metrics of its own: give them in the lens, as in lens = \"{SEARCH}(metrics = kronecker)\", \
                 and leave the metric out (metric = \"none\")"
            );
        }
        self.check_proxy()?;
        if let Some(size) = &self.size {
            checked::check_sizes("size", size).map_err(anyhow::Error::msg)?;
        }
        if self.metric.is_none() && self.layers.is_some() && !self.searches() {
            bail!(
                "layers are those that a metric looks at, and there is no metric: give one, such as metric = \"euclidean\""
            );
        }
        if self.lens.is_some() && self.wrappers.iter().any(|spec| spec.name == WAITING) {
            bail!(
                "a lens waits by itself, and so does the wrapper {WAITING}: leave the wrapper out, and say when in the lens, \
                 as in lens = \"{SNAPSHOT}({AFTER} = 100)\""
            );
        }
        if !self.trained.is_empty() {
            if self.scale.name == MATCH_NORM {
                bail!(
                    "scale {MATCH_NORM} takes the lengths of whole gradients, and only some parameters learn (trained): leave one of the two out"
                );
            }
            if RULES.has(&self.composition.name) && self.shared.is_empty() {
                bail!(
                    "composition {} looks at whole gradients, and only some parameters learn (trained): name what it looks at, as in shared = \
                     {:?}",
                    self.composition.name,
                    self.trained
                );
            }
        }
        if !self.composition_wrappers.is_empty() && RULES.has(&self.composition.name) {
            bail!(
                "composition wrappers go around a composition of losses, and {} is a rule on gradients",
                self.composition.name
            );
        }
        if !self.shared.is_empty() && !RULES.has(&self.composition.name) {
            bail!(
                "shared layers are those that a rule on gradients looks at, and {} is a composition of losses",
                self.composition.name
            );
        }
        Ok(complete)
    }

    /// Refuses a proxy that nothing is seen through.
    fn check_proxy(&self) -> anyhow::Result<()> {
        let Some(proxy) = &self.proxy else {
            return Ok(());
        };
        checked::check_sizes("proxy", proxy).map_err(anyhow::Error::msg)?;
        match &self.lens {
            None => bail!(
                "a proxy is the model that a lens is a snapshot of, and there is no lens: give one, as in lens = \
                 \"{SNAPSHOT}({AFTER} = 100)\", or leave the proxy out (proxy = \"none\")"
            ),
            Some(lens)
                if lens
                    .parameters
                    .get(EVERY)
                    .is_some_and(|every| *every != none()) =>
            {
                bail!(
                    "a proxy learns before the run begins, so its lens can't be renewed: leave {EVERY} out of the lens"
                )
            }
            Some(_) => Ok(()),
        }
    }

    /// After how many of so many steps its second phase begins, and the recipe of that, if there is one.
    pub(crate) fn second_phase(&self, steps: u64) -> Option<(u64, &Self)> {
        let then = self.then.as_ref()?;
        let after = (then.after * steps as f64).round() as u64;
        Some((after, &*then.recipe))
    }

    /// Its grouping. Under a lens landmarks are kept one by one, unless it says otherwise: they assign better than axes.
    fn grouping_of_lens(&self) -> Spec {
        let said = |name: &&str| self.grouping.parameters.contains_key(*name);
        let keeps =
            self.lens.is_some() && self.grouping.name == LANDMARKS && !KEPT.iter().any(said);
        match keeps {
            true => (self.grouping.clone()).with(KEPT[0], Value::Word(String::from("all"))),
            false => self.grouping.clone(),
        }
    }

    /// Whose gradients the grouping sees, if not those of the model itself.
    ///
    /// # Errors
    ///
    /// Those of [`complete`](Self::complete), and what a constructor refuses.
    pub fn lens(&self, num_groups: usize, seed: u64) -> anyhow::Result<Option<Lens>> {
        if self.searches() {
            self.check_searched(num_groups, seed)?;
        }
        let layers = self.layers.clone().unwrap_or_default();
        let (recipe, grouping) = (self.clone(), self.grouping.clone());
        let grouping = move |metric: Metric, groups: usize| {
            let context = GroupingContext {
                num_groups,
                seed,
                metric: Some(metric),
            };
            let grouping = grouping.clone().with(GROUPS, Value::Count(groups as u64));
            let built = GROUPINGS.build(&grouping, context.clone());
            let wrapped = built.and_then(|grouping| recipe.wrapped(grouping, &context));
            wrapped.map_err(|error| GroupError::other(LENS, error))
        };
        let build = |spec| {
            let grouping = Arc::new(grouping);
            LENSES.build(spec, LensContext { layers, grouping })
        };
        Ok(self.lens.as_ref().map(build).transpose()?)
    }

    /// Refuses to search for a lens of a grouping whose looks can't be compared.
    fn check_searched(&self, num_groups: usize, seed: u64) -> anyhow::Result<()> {
        let name = &self.grouping.name;
        let entry = GROUPINGS.iter().find(|entry| entry.name == name);
        let is_counted =
            entry.is_some_and(|entry| entry.parameters.iter().any(|p| p.name == GROUPS));
        let context = GroupingContext {
            num_groups,
            seed,
            metric: None,
        };
        let stands = GROUPINGS.build(&self.grouping, context)?.wants().is_some();
        if let Some(most) = self.unusual(AT_MOST) {
            bail!(
                "lens {SEARCH}: says how many groups there are, so that {AT_MOST} = {most} of grouping {name} makes no difference: leave it out"
            );
        }
        if !(is_counted && stands) {
            bail!(
                "lens {SEARCH}: compares two sets of standing examples in so many groups, and grouping {name} {}; take {LANDMARKS}",
                match stands {
                    true => "has no number of groups (k)",
                    false => "keeps no standing examples",
                }
            );
        }
        Ok(())
    }

    /// A parameter of its grouping, if that is another than the usual one.
    fn unusual(&self, name: &str) -> Option<&Value> {
        let value = self.grouping.parameters.get(name)?;
        let entry = GROUPINGS
            .iter()
            .find(|entry| entry.name == self.grouping.name)?;
        let mut parameters = entry.parameters.iter();
        let usual = parameters.find(|one| one.name == name)?.default();
        (usual.as_ref() != Some(value)).then_some(value)
    }

    /// Its wrappers around a grouping.
    fn wrapped(
        &self,
        grouping: Box<dyn Grouping>,
        context: &GroupingContext,
    ) -> Result<Box<dyn Grouping>, RegistryError> {
        let mut wrappers = self.wrappers.iter();
        wrappers.try_fold(grouping, |inner, wrapper| {
            WRAPPERS.build(wrapper, (context.clone(), inner))
        })
    }

    /// Whether its lens is searched for.
    pub(crate) fn searches(&self) -> bool {
        searches(self.lens.as_ref())
    }

    /// What a run minimises, with `num_groups` known groups.
    ///
    /// # Errors
    ///
    /// Those of [`complete`](Self::complete), and what a constructor refuses.
    pub fn objective(&self, num_groups: usize, seed: u64) -> anyhow::Result<Objective> {
        let globs = self.layers.clone().unwrap_or_default();
        let metric = self
            .metric
            .as_ref()
            .map(|spec| METRICS.build(spec, globs))
            .transpose()?;
        let context = GroupingContext {
            num_groups,
            seed,
            metric,
        };
        let grouping = GROUPINGS.build(&self.grouping, context.clone())?;
        if context.metric.is_some() && !grouping.needs().gradients() {
            bail!(
                "grouping {} looks at no gradients, so that a metric makes no difference: leave it out",
                self.grouping.name
            );
        }
        if self.lens.is_some() && !grouping.goes_with_lens() {
            bail!(
                "grouping {} looks at no gradients and no losses, so that a lens makes no difference: leave it out",
                self.grouping.name
            );
        }
        let stands = self.lens.is_some() && grouping.wants().is_some();
        if let Some(every) = self.unusual(EVERY).filter(|_| stands) {
            bail!(
                "grouping {}: under a lens the gradients of standing examples stay what they are, so that {EVERY} = {every} makes no difference: \
                 leave it out",
                self.grouping.name
            );
        }
        let by_number = self
            .wrappers
            .iter()
            .find(|spec| BY_NUMBER.contains(&spec.name.as_str()));
        if let Some(wrapper) = by_number.filter(|_| self.lens_is_renewed()) {
            bail!(
                "wrapper {} knows groups by their numbers, and the lens is exchanged on the way, so that they change: leave one of \
                 the two out",
                wrapper.name
            );
        }
        let grouping = self.wrapped(grouping, &context)?;
        // What is kept of groups from step to step, if anything is.
        let mut remembers =
            (self.scale.name == RUNNING_SUM).then(|| format!("scale {RUNNING_SUM}"));
        let objective = match RULES.has(&self.composition.name) {
            true => {
                let rule = RULES.build(&self.composition, RuleContext { seed })?;
                let shared: Vec<&str> = self.shared.iter().map(String::as_str).collect();
                Objective::on_gradients(grouping, rule).looking_at(&shared)
            }
            false => {
                let mut composition = COMPOSITIONS.build(&self.composition, ())?;
                if composition.keeps_state() {
                    remembers = Some(format!("composition {}", self.composition.name));
                }
                for wrapper in &self.composition_wrappers {
                    composition = COMPOSITION_WRAPPERS.build(wrapper, composition)?;
                    if remembers.is_none() && composition.keeps_state() {
                        remembers = Some(format!("composition wrapper {}", wrapper.name));
                    }
                }
                Objective::new(grouping, composition)
            }
        };
        let exchanges = match (self.wrapper_waits(), self.lens_changes()) {
            (true, _) => Some("the wrapper after"),
            (_, true) => Some("the lens"),
            _ => None,
        };
        if let Some((what, remembers)) = exchanges.zip(remembers) {
            bail!(
                "{remembers} remembers its groups from step to step, and {what} exchanges them on the way: leave one of the two \
                 out"
            );
        }
        let objective = match SCALES.build(&self.scale, ())? {
            Some(scale) => objective.with_scale(scale),
            None => objective,
        };
        Ok(match self.through_trace {
            true => objective.through_trace(),
            false => objective,
        })
    }

    /// Which examples a run of so many steps draws, of capabilities with these frequencies.
    ///
    /// # Errors
    ///
    /// Those of [`complete`](Self::complete), and what a constructor refuses.
    pub fn sampler(&self, frequencies: &[f64], steps: u64) -> anyhow::Result<Box<dyn Sampler>> {
        let context = SamplerContext {
            frequencies: frequencies.to_vec(),
            steps,
        };
        Ok(SAMPLERS.build(&self.sampler, context)?)
    }

    /// The optimizer of a run.
    ///
    /// # Errors
    ///
    /// Those of [`complete`](Self::complete), and what a constructor refuses.
    pub fn optimizer(&self) -> anyhow::Result<ModuleOptimizer> {
        Ok(OPTIMIZERS.build(&self.optimizer, ())?)
    }

    /// The learning rate of a [complete](Self::complete) recipe: its rate, divided by the slowdown.
    ///
    /// # Errors
    ///
    /// For a recipe without a rate.
    pub fn learning_rate(&self) -> anyhow::Result<f64> {
        let rate = self.rate.context("the recipe has no learning rate")?;
        Ok(rate / f64::from(self.slowdown))
    }
}

/// A lens that is there from the start, and stays.
fn first_lens() -> Spec {
    (Spec::new(SNAPSHOT).with(AFTER, Value::Count(0))).with(EVERY, none())
}

fn none() -> Value {
    Value::Word(String::from("none"))
}

/// Whether a lens is searched for.
fn searches(lens: Option<&Spec>) -> bool {
    lens.is_some_and(|spec| spec.name == SEARCH)
}
