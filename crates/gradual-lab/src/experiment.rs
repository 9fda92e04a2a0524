//! What an experiment is: a task, arms that learn it, and claims about them.

mod builtin;
mod claims;
mod file;
#[cfg(test)]
mod fuzz;
mod messages;
mod sweep;

pub(crate) use builtin::{FILES, find, on_task};

use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use clap::ArgMatches;
use gradual::measure::{Against, Claim, Direction, Metric};
use gradual::runs::InSeries;
use gradual_registry::{excerpt, split};

use crate::arm::{Arm, ArmEntry, Library, in_series};
use crate::kinds::{KINDS, Kind};
use crate::meant::meant;
use crate::names;
use crate::recipe::{Changes, Usual};
use crate::training::{AnyTask, no_sizes};
use file::{File, RunSection};

/// Letters of an argument that a message repeats.
const SHOWN: usize = 100;

/// Learning rate where neither file nor task give one.
const RATE: f64 = 1e-3;

/// How long and how large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    /// Seeds per arm.
    pub(crate) seeds: u64,
    /// The first of them; the others follow it.
    pub(crate) first_seed: u64,
    /// Optimizer steps of an arm without slowdown.
    pub(crate) steps: u64,
    /// Examples per step.
    pub(crate) draw: usize,
    /// Steps between evaluations; a hundredth of the run where it is not said.
    pub(crate) evaluate_every: Option<u64>,
}

/// An experiment that can be run.
pub(crate) struct Experiment {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) hypothesis: String,
    /// The arm that others are compared with.
    pub(crate) baseline: String,
    /// The arm whose effect is the whole, of which others have a share.
    pub(crate) reference: Option<String>,
    /// The arms that run when none is named, in the order of the report.
    pub(crate) arms: Vec<String>,
    pub(crate) library: Library,
    /// Arms that no library holds: those of a program of one's own.
    pub(crate) own: Vec<Arm>,
    pub(crate) claims: Vec<Claim>,
    pub(crate) size: Size,
    pub(crate) usual: Usual,
    pub(crate) task: Box<dyn AnyTask>,
    /// What is to be said of the arms that run by default.
    pub(crate) notes: Vec<String>,
    /// What is to be said of its claims.
    pub(crate) unclaimed: Option<String>,
    /// Whether arms that are not among `arms` can be named.
    pub(crate) open: bool,
}

/// What the command line asks for beyond an experiment's file.
#[derive(Debug, Default)]
pub(crate) struct Asked<'a> {
    /// The short version.
    pub(crate) quick: bool,
    /// Flags of the task, where there are any.
    pub(crate) flags: Option<&'a ArgMatches>,
}

impl Experiment {
    /// The experiment of `text`, the content of the file called `file`. A program of one's own may bring the task.
    pub(crate) fn read(
        file: &str,
        text: &str,
        asked: &Asked<'_>,
        task: Option<Box<dyn AnyTask>>,
    ) -> anyhow::Result<Self> {
        let read = File::read(file, text)?;
        let quality = read.quality(asked.quick).with_context(|| file.to_owned())?;
        let open = quality.is_none();
        let (task, rate) = match (task, read.task(asked.quick)?) {
            (Some(_), Some((kind, _))) => bail!(
                "{file}: the file has a task, {}, and the program another one; take out [task.{}]",
                kind.name(),
                kind.name()
            ),
            (Some(_), None) if quality.is_some() => {
                bail!("{file}: [quality] goes with a [task] of the file")
            }
            (Some(task), None) => (task, RATE),
            (None, None) => bail!(
                "{file}: there is no task: add [task.NAME], NAME one of {}",
                KINDS.map(|kind| kind.name()).join(", ")
            ),
            (None, Some((kind, mut settings))) => {
                if let Some(flags) = asked.flags {
                    kind.apply(flags, &mut settings)?;
                }
                let open = |kind: &dyn Kind| {
                    Ok::<_, anyhow::Error>((
                        kind.open(settings.clone(), quality)?,
                        kind.rate(&settings)?,
                    ))
                };
                let opened = open(kind).with_context(|| file.to_owned())?;
                if read.has_quick_task() {
                    let other = read.task(!asked.quick)?;
                    let which = if asked.quick { "without" } else { "with" };
                    let checked = other.map_or(Ok(()), |(kind, other)| kind.validate(other));
                    checked.with_context(|| format!("{file}: {which} --quick"))?;
                }
                opened
            }
        };
        let RunSection {
            seeds,
            first_seed,
            steps,
            draw,
            evaluate_every,
            rate: asked_rate,
            layers,
        } = read.run(asked.quick);
        let steps = steps
            .with_context(|| format!("{file}: run.steps is missing: the optimizer steps of a run"))?
            .get();
        let arms = read.arms();
        let first = arms.first().cloned();
        let baseline = read
            .baseline
            .as_ref()
            .map(|name| name.as_ref().clone())
            .or(first);
        let mut experiment = Self {
            title: read.title.clone().unwrap_or_else(|| read.name.clone()),
            hypothesis: read.hypothesis.trim().to_owned(),
            baseline: baseline
                .with_context(|| format!("{file}: there are no arms: arms = [\"erm\", …]"))?,
            reference: read.reference.as_ref().map(|arm| arm.as_ref().clone()),
            arms,
            library: read.library()?,
            own: Vec::new(),
            claims: match task.is_judged_by_loss() {
                true => {
                    let claims = read.claims().into_iter().map(by_loss);
                    let claims = claims.collect::<anyhow::Result<_>>();
                    claims.with_context(|| file.to_owned())?
                }
                false => read.claims(),
            },
            size: Size {
                seeds: seeds.map_or(5, u64::from),
                first_seed: first_seed.unwrap_or(0),
                steps,
                draw: draw.map_or(128, |draw| draw.get() as usize),
                evaluate_every: evaluate_every.map(u64::from),
            },
            usual: Usual {
                layers: layers.unwrap_or_default(),
                rate: asked_rate.unwrap_or(rate),
            },
            task,
            open,
            notes: Vec::new(),
            unclaimed: None,
            name: read.name,
        };
        experiment.leave_out_several()?;
        experiment.check().with_context(|| file.to_owned())?;
        if !experiment.task.has_known_groups() {
            experiment
                .leave_out_known_groups()
                .with_context(|| file.to_owned())?;
        }
        Ok(experiment)
    }

    /// Leaves out what needs groups, where no example is labelled with one: arms of those that run by default, and claims.
    fn leave_out_known_groups(&mut self) -> anyhow::Result<()> {
        let mut left_out = Vec::new();
        for name in std::mem::take(&mut self.arms) {
            match self.arm(&name)?.needs_known_groups()? {
                true => left_out.push(name),
                false => self.arms.push(name),
            }
        }
        if self.arms.is_empty() || left_out.contains(&self.baseline) {
            bail!(
                "no example is labelled with a group, and the {} {} needs groups",
                if self.arms.is_empty() {
                    "arm"
                } else {
                    "baseline"
                },
                left_out.first().unwrap_or(&self.baseline)
            );
        }
        if !left_out.is_empty() {
            self.notes.push(format!(
                "no example is labelled with a group, so these arms are left out: {}",
                left_out.join(", ")
            ));
        }
        let is_left_out = |claim: &Claim| {
            let against =
                matches!(&claim.against, Some(Against::Arm(other)) if left_out.contains(other));
            against || left_out.contains(&claim.arm)
        };
        self.claims.retain(|claim| !is_left_out(claim));
        self.reference.take_if(|arm| left_out.contains(arm));
        Ok(())
    }

    /// Refuses recipes that make no sense, whether their arms run or not, and names that no arm has.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        for (at, name) in self.arms.iter().enumerate() {
            if self.arms[..at].contains(name) {
                bail!("the arm '{name}' is named twice");
            }
        }
        names::check("the experiment", &self.name)?;
        for arm in &self.own {
            names::check("the arm", &arm.name)?;
            if let Some(InSeries { name, at }) = &arm.series {
                let checked = in_series(name.clone(), *at);
                checked.map_err(|said| anyhow!("the arm {}: {said}", arm.name))?;
            }
        }
        let known = match self.open {
            true => self.names(),
            false => self.arms.clone(),
        };
        for name in &known {
            self.arm(name)?;
        }
        let named = [
            ("baseline", Some(&self.baseline)),
            ("reference", self.reference.as_ref()),
        ];
        for (what, arm) in named {
            if let Some(arm) = arm.filter(|arm| !known.contains(arm)) {
                bail!(
                    "{what}: experiment {} has no arm '{arm}'{}; its arms are {}",
                    self.name,
                    meant(arm, known.iter().map(String::as_str)),
                    known.join(", ")
                );
            }
        }
        if self.reference.as_ref() == Some(&self.baseline) {
            bail!(
                "reference: the arm '{}' is the baseline, which has no effect to share; name another arm",
                self.baseline
            );
        }
        self.check_claims(&known)
    }

    /// The arm called `name`, with its whole recipe.
    fn arm(&self, name: &str) -> anyhow::Result<Arm> {
        let own = self.own.iter().find(|arm| arm.name == name);
        let arm = own.cloned().map_or_else(|| self.library.arm(name), Ok);
        let arm = arm?.complete(&self.usual)?;
        if arm.recipe.size.is_some() && !self.task.has_sizes() {
            bail!("the arm {}: {}", arm.name, no_sizes("size"));
        }
        Ok(arm)
    }

    /// All arms that can be run, those that run by default first.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names = self.arms.clone();
        if self.open {
            let more = self.library.names().map(str::to_owned);
            let more = more.chain(self.own.iter().map(|arm| arm.name.clone()));
            for name in more {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        names
    }

    /// The arms that were asked for by name, or those that run without being asked for, each with its whole recipe.
    pub(crate) fn choose(&self, asked: &[String]) -> anyhow::Result<Vec<Arm>> {
        let names = self.names();
        let unknown = |asked: &&String| !names.iter().any(|name| names::stands_for(asked, name));
        if let Some(unknown) = asked.iter().find(unknown) {
            let near = meant(unknown, names.iter().map(String::as_str));
            bail!(
                "experiment {} has no arm '{unknown}'{near}; its arms are {}",
                self.name,
                names.join(", ")
            );
        }
        let wanted = |name: &&String| match asked {
            [] => self.arms.contains(name),
            asked => asked.iter().any(|asked| names::stands_for(asked, name)),
        };
        names
            .iter()
            .filter(wanted)
            .map(|name| self.arm(name))
            .collect()
    }

    /// Adds an arm that the command line describes: `NAME=like:ARM,key:value,…`.
    pub(crate) fn add(&mut self, text: &str) -> anyhow::Result<String> {
        let shown = excerpt(text, SHOWN);
        let form = "is not of the form NAME=key:value,…, as in 'mine=grouping:spectral(k=8),composition:power(p=4)'";
        let (name, rest) = text
            .split_once('=')
            .with_context(|| format!("--arm '{shown}' {form}"))?;
        let (name, rest) = (name.trim(), rest.trim());
        names::check("--arm", name)?;
        if self.names().iter().any(|other| other == name) {
            bail!(
                "--arm '{shown}': experiment {} has an arm '{name}' already; take another name",
                self.name
            );
        }
        if !self.open {
            bail!(
                "experiment {} runs the arm {} alone",
                self.name,
                self.baseline
            );
        }
        let parts = split(rest, ',').into_iter().map(str::trim);
        let (like, rest): (Vec<&str>, Vec<&str>) =
            parts.partition(|part| part.starts_with("like:"));
        if like.len() > 1 {
            bail!("--arm '{shown}': it can be like one arm only");
        }
        let like = like.first().and_then(|part| part.strip_prefix("like:"));
        let like = like.map(|arm| arm.trim().to_owned());
        let rest = rest.join(",");
        let changes: Changes = rest
            .parse()
            .map_err(|error: anyhow::Error| anyhow!("--arm '{shown}': {error:#}"))?;
        self.library.put(ArmEntry::new(name, like, changes));
        self.arm(name).with_context(|| format!("--arm '{shown}'"))?;
        Ok(name.to_owned())
    }

    /// The folder of its runs in `out`; the short version keeps out of the way of the long one.
    pub(crate) fn folder(&self, out: &Path, quick: bool) -> std::path::PathBuf {
        out.join(folder_name(&self.name, quick))
    }
}

/// The name of the folder of an experiment's runs.
pub(crate) fn folder_name(name: &str, quick: bool) -> String {
    match quick {
        true => format!("{name}-quick"),
        false => name.to_owned(),
    }
}

/// A claim on accuracies as one on losses: what was to be higher is to be lower. Others are left as they are.
///
/// # Errors
///
/// For one against a number, which is no loss.
fn by_loss(claim: Claim) -> anyhow::Result<Claim> {
    let of_losses = match claim.metric {
        Metric::Gap => Some(Metric::Gini),
        Metric::FinalAccuracy => Some(Metric::FinalLoss),
        Metric::RelativeWidth => Some(Metric::RelativeWidthByLoss),
        Metric::WorstAccuracy | Metric::Area | Metric::Learned => None,
        _ => return Ok(claim),
    };
    if let Some(Against::Number(number)) = claim.against {
        bail!(
            "the claim \"{}\": {} = {number} is of accuracies, and a number is predicted here, which is judged by losses: {}",
            claim.statement,
            claim.metric.name(),
            match of_losses {
                Some(metric) => format!("claim {}, against a number of that", metric.name()),
                None => String::from("claim something else"),
            }
        );
    }
    let Some(metric) = of_losses else {
        return Ok(claim);
    };
    let (direction, smallest_effect) = match (metric, claim.direction) {
        (Metric::FinalLoss, Direction::Higher) => (Direction::Lower, 1.0 / claim.smallest_effect),
        (Metric::FinalLoss, Direction::Lower) => (Direction::Higher, 1.0 / claim.smallest_effect),
        (_, direction) => (direction, claim.smallest_effect),
    };
    Ok(Claim {
        statement: format!(
            "{} (Judged by losses, for a number is predicted.)",
            claim.statement
        ),
        metric,
        direction,
        smallest_effect,
        ..claim
    })
}

/// The kind of task of an experiment's file.
pub(crate) fn kind(file: &str, text: &str) -> anyhow::Result<Option<&'static dyn Kind>> {
    let kind = File::read(file, text)?.task(false)?;
    Ok(kind.map(|(kind, _)| kind))
}

/// An experiment of the list.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) name: String,
    pub(crate) about: String,
    /// Whether it is among [`ALL`](crate::command::ALL).
    pub(crate) in_all: bool,
    /// Its arms, those that run by default first, and whether they do.
    pub(crate) arms: Vec<(Arm, bool)>,
}

/// The experiments that come with the program.
pub(crate) fn list() -> anyhow::Result<Vec<Listed>> {
    FILES
        .iter()
        .map(|(name, text)| listed(name, text))
        .collect()
}

fn listed(name: &str, text: &str) -> anyhow::Result<Listed> {
    let read = File::read(name, text)?;
    let library = read.library()?;
    let usual = read.arms();
    let open = read.quality(false)?.is_none();
    let more = library
        .names()
        .filter(|name| open && !usual.iter().any(|other| other == name));
    let names: Vec<String> = usual
        .iter()
        .cloned()
        .chain(more.map(str::to_owned))
        .collect();
    let arms = names
        .iter()
        .map(|name| Ok((library.arm(name)?, usual.contains(name))));
    Ok(Listed {
        arms: arms.collect::<anyhow::Result<_>>()?,
        in_all: read.tests_claims()?,
        name: read.name,
        about: read.about,
    })
}

/// Name and file of the built-in experiments that test claims and need no data of one's own.
pub(crate) fn all() -> anyhow::Result<Vec<(&'static str, &'static str)>> {
    let mut all = Vec::new();
    for (name, text) in FILES {
        if File::read(name, text)?.tests_claims()? {
            all.push((name, text));
        }
    }
    Ok(all)
}
